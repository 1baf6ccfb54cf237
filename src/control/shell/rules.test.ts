// Rules at the console of the sim board, as scripts and people of the time give them: what they say, what is in force afterwards, what
// files have it. Not here: each word of a dialect (src/control/rules/), traffic of real hosts.

import test from 'ava';
import { createSimBoard } from '../../../board/sim/board.ts';
import { simDisk } from '../../../board/sim/disk.ts';
import { memoryMedium } from '../../../hal/disk/ata-model.ts';
import { IMAGE_SECTORS, SECTOR_BYTES } from '../../base/layout.ts';

const PROMPT = /masqbox> $/;

async function board(disk = simDisk(memoryMedium(Buffer.alloc(IMAGE_SECTORS * SECTOR_BYTES)))) {
  let said = '';
  const sim = await createSimBoard({ onFrame: () => {}, onOutput: text => (said += text), disk });
  const pass = (ticks: number): void => {
    for (let i = 0; i < ticks; i++) {
      sim.run();
      sim.advance(1);
    }
  };
  /** Pastes lines; answers what the console says that is no echo. */
  const paste = (text: string): string[] => {
    said = '';
    sim.type(`${text.replaceAll('\n', '\r')}\r`);
    pass(4);
    for (let i = 0; i < 6000 && !PROMPT.test(said); i++) pass(1);
    pass(60);
    const lines = text.split('\n');
    return said
      .replaceAll('\r', '')
      .split('\n')
      .filter(line => !/^(masqbox)?> /.test(line) && !lines.includes(line) && line !== '');
  };
  pass(300);
  /** Lines of the configuration that begin with a word, without what marks the unsaved ones. */
  const kept = (word: string): string[] =>
    paste('show config')
      .map(line => line.replace(/^[+ ] /, ''))
      .filter(line => line.startsWith(word));
  return { disk, paste, kept };
}

test('rules go to a file and come back, by the shell’s redirections, pipes and files of /proc', async t => {
  const { paste, kept } = await board();
  t.deepEqual(
    paste('ipchains -P forward DENY\nipchains -A forward -s 192.168.0.0/24 -j MASQ\nipchains -N a'),
    [],
  );
  const lines = kept('ipchains');
  const saving = ['input', 'forward', 'output', 'a'].map(name => `Saving \`${name}'.`);
  t.deepEqual(paste('/sbin/ipchains-save > /tmp/fw'), saving);
  t.deepEqual(paste('ipchains-save 2>/dev/null | head -2'), [':input ACCEPT', ':forward DENY']);
  t.deepEqual(paste('ipchains -F; ipchains -X; ipchains -P forward ACCEPT'), []);
  t.deepEqual(
    paste('/sbin/ipchains-restore < /tmp/fw'),
    saving.map(line => line.replace('Saving', 'Restoring')),
  );
  t.deepEqual(kept('ipchains'), lines);
  // As an init script of Red Hat has it.
  t.deepEqual(paste("grep -v '^[[:space:]]*#' /tmp/fw | ipchains-restore -p -f 2>/dev/null"), []);
  t.deepEqual(kept('ipchains'), lines);
  t.deepEqual(paste('[ -f /proc/net/ip_fwchains ] && cat /proc/net/ip_fwchains'), [
    '  forward C0A80000/FFFFFF00->00000000/00000000 - 0 0 0 0         0         0         0         0-65535 0-65535 AFF X00 00000000 0 0      MASQ',
  ]);
  t.deepEqual(paste("cut -d' ' -f1,2 < /proc/net/ip_fwnames"), [
    'input ACCEPT',
    'forward DENY',
    'output ACCEPT',
    'a -',
  ]);
  t.regex(paste('ipchains-restore < /tmp/fw\nf').join('\n'), /already exists.*f\nFlushing `a'\.\n/);
});

test('a word with blanks is one word, typed or in a script', async t => {
  const { paste, kept } = await board();
  const line = 'iptables -A INPUT -j LOG --log-prefix "two words "';
  paste(`save script fw\n${line}\nend`);
  t.deepEqual(paste('run fw start'), []);
  t.deepEqual(paste(line), []);
  t.deepEqual(paste(`P="two words "; iptables -A INPUT -j LOG --log-prefix "$P"`), []);
  t.deepEqual(kept('iptables'), [line, line, line]);
});

test('a person with three dialects and a slip in the middle is told what is wrong, and keeps what was right', async t => {
  const { paste, kept } = await board();
  t.deepEqual(paste('ipfwadm -F -f; ipfwadm -F -p deny'), []);
  t.deepEqual(
    paste(
      'ipfwadm -F -a m -S 192.168.0.0/24 -D 0.0.0.0/0\nipfwadm -F -a accpt -S 10.0.0.0/8\nipfwadm -I -a deny -W ppp0 -S 192.168.0.0/24',
    ),
    ['ipfwadm: invalid policy "accpt" specified', "Try `ipfwadm -h' for more information."],
  );
  t.deepEqual(kept('ipfwadm'), [
    'ipfwadm -F -p deny',
    'ipfwadm -I -a deny -S 192.168.0.0/24 -W ppp0',
    'ipfwadm -F -a accept -S 192.168.0.0/24 -m',
  ]);
  const mixed = paste('ipchains -A input -j ACCEPT\niptables -P FORWARD DROP');
  t.deepEqual(
    mixed,
    ['ipchains', 'iptables'].map(
      own =>
        `Cannot change rules by ${own}: those of ipfwadm are in force, until clear rules takes them away`,
    ),
  );
  t.deepEqual(paste('cat /proc/net/ip_forward'), [
    'IP firewall forward rules, default 0',
    'C0A80000/FFFFFF00->00000000/00000000 - 00000000 204 0 0 0          0          0 0 0 0 0 0 0 0 0 0 AFF X00',
  ]);
  t.deepEqual(paste('clear rules\nipchains -P forward DENY'), []);
  t.deepEqual(kept('ip'), ['ipchains -P forward DENY']);
});
