// What is longer than its place in the rules' memory is refused, or written by whoever has room for it.

import test from 'ava';
import { i32at, puti32 } from '../../base/memory.ts';
import {
  FLOW_RULES_AT,
  RULE_CELLS_AT,
  RULE_LINE_MOST,
  RULE_TEXT_AT,
  RULE_TEXT_BYTES,
} from '../../base/rule-limits.ts';
import { rulesLab } from './rules-lab.ts';

test('a rule of many long matches is saved whole, and writes nothing over what flows have', t => {
  const { quiet, restore, type } = rulesLab();
  const ports = Array.from({ length: 15 }, (_, i) => 65000 + i).join(',');
  for (const count of [1, 3, 4, 5, 8, 25]) {
    const line = `-A FORWARD -p tcp${` -m multiport --dports ${ports}`.repeat(count)} -j ACCEPT`;
    const said = restore('', ['*filter', line, 'COMMIT']);
    // No saved line is so long.
    t.is(said.length > 0, line.length > 1000, said.join());
    if (said.length === 0)
      t.deepEqual(
        type('iptables-save').filter(row => row.startsWith('-A')),
        [line],
      );
    for (let at = FLOW_RULES_AT; at < RULE_CELLS_AT; at += 4) if (i32at(at) !== 0) t.fail(`${count}: ${at}`);
  }
  quiet('clear rules');
});

test('a chain gets no other name that it could not have been given, and a long one is written over nothing', t => {
  const { quiet, restore, type } = rulesLab();
  quiet('iptables -N mine', 'iptables -A mine -j DROP');
  const name = 'a'.repeat(30);
  t.deepEqual(type(`iptables -E mine ${name}`), [
    "iptables: Invalid argument. Run `dmesg' for more information.",
  ]);
  t.regex(type('iptables -E mine "a b"').join(), /Invalid chain name `a b'/);
  t.deepEqual(type('iptables -S mine'), ['-N mine', '-A mine -j DROP']);
  t.is(
    restore('', ['*filter', `:${name} - [0:0]`, 'COMMIT'])[0],
    `iptables-restore v1.8.9 (legacy): Invalid chain name \`${name}' (28 chars max)`,
  );
  quiet('iptables -E mine other', 'iptables -F', 'iptables -X', 'clear rules');
});

test('the longest lines that the plane writes have room in their place, one behind the other', t => {
  const { restore, type } = rulesLab();
  const chain = 'c'.repeat(28);
  const ports = ` -m multiport ! --ports ${Array.from({ length: 15 }, (_, i) => 65000 + i).join(',')}`;
  const flags = 'FIN,SYN,RST,PSH,ACK,URG';
  const match = `-m tcp ! --sport 60000:65534 ! --dport 60000:65534 ! --tcp-flags ${flags} ${flags}`;
  const log = '-j LOG --log-prefix "123456789 123456789 12345678:" --log-level 7';
  const links = '! -i abcdefghijklmno ! -o abcdefghijklmn+';
  const states = '-m conntrack ! --ctstate INVALID,NEW,RELATED,ESTABLISHED';
  const rule = `-A ${chain} ! -s 255.255.255.254/32 ! -d 255.255.255.253/32 ${links} -p tcp`;
  const end = '-j REJECT --reject-with icmp-port-unreachable';
  const long = `${rule}${ports.repeat(4)} ${match} ${states} ${end}`;
  // Behind lines of any length, so that one of them stands where the place is as full as it may be.
  const short = `-A ${chain} -p tcp ${log}`;
  const behind = RULE_TEXT_AT + RULE_TEXT_BYTES;
  for (let count = 1; count < 6; count++) {
    const lines = [...Array(count).fill(short), long];
    t.deepEqual(restore('', ['*filter', `:${chain} - [0:0]`, ...lines, 'COMMIT']), []);
    for (let at = behind; at < FLOW_RULES_AT; at += 4) puti32(at, 0x55aa55aa);
    t.deepEqual(restore('', ['*filter', `:${chain} - [0:0]`, ...lines, 'COMMIT']), []);
    for (let at = behind; at < FLOW_RULES_AT; at += 4)
      if (i32at(at) !== 0x55aa55aa) t.fail(`${count}: ${at - behind} bytes behind`);
    t.deepEqual(
      type('iptables-save -t filter').filter(row => row.startsWith('-A')),
      lines,
    );
    const bytes = `iptables ${long}\n`.length;
    t.true(bytes <= RULE_LINE_MOST && bytes > 800, `${bytes}`);
  }
});

test('iptables-restore by paste changes nothing of a table of which a line was lost', t => {
  const { context, quiet, saved, type } = rulesLab();
  quiet('iptables -A INPUT -i wan -p tcp -j DROP', 'iptables -A FORWARD -p udp -j DROP');
  const before = saved();
  const lines = ['*filter', '-A INPUT -i wan -j ACCEPT', '-A FORWARD -j ACCEPT', 'COMMIT', 'end'];
  const console = { damaged: 0 };
  context.pasted = {
    console,
    *next() {
      yield 0;
      if (lines[0]?.startsWith('-A FORWARD') === true) console.damaged++;
      return lines.shift() as string;
    },
    copy: () => -1,
  };
  t.deepEqual(type('iptables-restore'), [
    'iptables-restore: a line was lost on the way, so nothing of its table is changed',
  ]);
  t.deepEqual([saved(), lines], [before, []]);
  lines.push('*filter', '-A INPUT -i wan -j ACCEPT', 'COMMIT', 'end');
  t.deepEqual(type('iptables-restore'), []);
  t.is(saved().length, 1);
});
