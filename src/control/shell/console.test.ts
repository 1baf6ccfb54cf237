// The shell at the console of the sim board: what is pasted there, what it says, what stays.

import test from 'ava';
import { createSimBoard } from '../../../board/sim/board.ts';
import { simDisk } from '../../../board/sim/disk.ts';
import { memoryMedium } from '../../../hal/disk/ata-model.ts';
import { IMAGE_SECTORS, SECTOR_BYTES } from '../../base/layout.ts';

const PROMPT = /masqbox> $/;

async function board(disk = simDisk(memoryMedium(Buffer.alloc(IMAGE_SECTORS * SECTOR_BYTES)))) {
  let said = '';
  const sim = await createSimBoard({ onFrame: () => {}, onOutput: text => (said += text), disk });
  const pass = (ticks: number): string => {
    for (let i = 0; i < ticks; i++) {
      sim.run();
      sim.advance(1);
    }
    return said;
  };
  /** Pastes lines; answers what the console says until it asks again, but the echo. */
  const paste = (text: string, most = 3000): string => {
    said = '';
    sim.type(`${text.replaceAll('\n', '\r')}\r`);
    pass(4);
    for (let i = 0; i < most && !PROMPT.test(said); i++) pass(1);
    pass(40);
    return said.replaceAll('\r', '');
  };
  /** What is no echo. */
  const answers = (text: string): string[] =>
    paste(text)
      .split('\n')
      .filter(line => !/^(masqbox)?> /.test(line) && !text.split('\n').includes(line) && line !== '');
  pass(300);
  return { sim, disk, pass, paste, answers };
}

test('lines of a script just work when they are pasted, and plain commands as before', async t => {
  const { answers, paste } = await board();
  t.deepEqual(answers('A=1\nB="two words"\necho "$A $B"'), ['1 two words']);
  t.deepEqual(answers('if [ "$A" = 1 ]; then\n\techo yes\nelse\n\techo no\nfi'), ['yes']);
  t.deepEqual(answers('for i in a b\ndo\n echo $i$A\ndone'), ['a1', 'b1']);
  t.deepEqual(answers('f() {\n  echo "f: $1"\n}\nf x\nf "y z"'), ['f: x', 'f: y z']);
  t.deepEqual(answers('case $A in\n 1) echo one;;\n *) echo other;;\nesac'), ['one']);
  t.deepEqual(answers('# a comment\n#!/bin/sh\n: nothing\necho \\\n  joined'), ['joined']);
  t.deepEqual(answers('echo $?'), ['0']);
  t.deepEqual(answers('g () {\n  echo "g: $1"; return 3\n}\nDO_IT () {\n  g x\n}'), []);
  t.deepEqual(answers('g y; RETVAL=$?\necho $RETVAL'), ['g: y', '3']);
  t.deepEqual(answers('DO_IT'), ['g: x']);
  t.deepEqual(answers('echo -n $"Starting all: "; echo $"done" "$"'), ['Starting all: done $']);
  t.regex(paste('show memory | grep heap'), /\ncontrol's heap +\d+ KiB/);
  t.regex(paste('show memory'), /packet buffers/);
  t.regex(paste('sh mem'), /packet buffers/);
  t.regex(paste('set timezone <+03>-3'), /^set timezone <\+03>-3\nmasqbox> $/);
});

test('what is not there is refused with its reason, with its line where there are several, and the rest goes on', async t => {
  const { answers, paste } = await board();
  t.deepEqual(answers('tc qdisc add dev eth0 root'), ['tc: not found here, because nothing is shaped here']);
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
    t.deepEqual(answers(`${name} x; true`), [`${name}: not found here`]);
  t.deepEqual(answers('set -o constructor'), ['set: -o constructor: it is not there']);
  t.deepEqual(answers('cat /proc/sys/net/ipv4/constructor'), [
    'cat: /proc/sys/net/ipv4/constructor: No such file or directory',
  ]);
  t.deepEqual(answers('if true; then\n  nosuch -x\n  echo on\nfi'), ['line 2: nosuch: not found here', 'on']);
  t.deepEqual(answers('echo a; fi'), ['line 1: syntax error: fi is not expected here']);
  t.deepEqual(answers('sh\necho a\nnosuch\necho 2 > /proc/sys/net/ipv4/ip_forward\nexit 3\nEOF'), [
    'The lines may come, and then EOF; ^C leaves everything as it is',
    'a',
    'line 2: nosuch: not found here',
    'line 3: net/ipv4/ip_forward: it is always 1 here, not 2: the router forwards as long as it runs; rules say what',
    'sh has ended with status 3',
  ]);
  t.regex(paste('SHOW'), /there is no such command/);
});

test('^C ends what is open and what runs, for ever included, and variables stay until exit', async t => {
  const { sim, pass, paste, answers } = await board();
  paste('A=kept');
  sim.type('while :; do\r');
  pass(20);
  sim.type('\x03');
  pass(20);
  t.deepEqual(answers('echo $A'), ['kept']);
  sim.type('while :; do :; done\r');
  pass(5);
  sim.type('\x03');
  pass(20);
  t.deepEqual(answers('echo $A'), ['kept']);
  t.deepEqual(answers('while :; do :; done'), ['it has not ended after 100000 steps']);
  t.deepEqual(answers('f() { f; }\nf'), ['more than 16 functions call each other']);
  t.regex(paste('X=0123456789; while :; do X=$X$X; done'), /longer than 64 KB|more than 64 KB/);
  t.regex(paste('exit'), /The shell is given up, with \d+ variables and 1 functions/);
  t.deepEqual(answers('echo "[$A]"'), ['[]']);
});

test('settings that scripts make are the router’s own', async t => {
  const { paste, answers } = await board();
  paste(
    'ifconfig eth0 192.168.7.1 netmask 255.255.255.0\nroute add -net 10.1.0.0 netmask 255.255.0.0 gw 192.168.7.2',
  );
  t.regex(
    paste('show config'),
    /set lan address 192\.168\.7\.1\/24\n[\s\S]*set route 10\.1\.0\.0\/16 192\.168\.7\.2/,
  );
  answers('ifconfig eth1 203.0.113.5 netmask 255.255.255.0');
  t.deepEqual(
    answers('ifconfig eth1:0 203.0.113.11 netmask 255.255.255.255 up\nifconfig eth1:1 203.0.113.12'),
    [],
  );
  t.deepEqual(answers('ifconfig eth1:0 203.0.113.11\nshow config | grep also'), [
    '+ set wan also 203.0.113.11 203.0.113.12',
  ]);
  t.deepEqual(answers('ifconfig eth0:0 192.168.7.9'), [
    'ifconfig: eth0:0: the WAN alone has further addresses; see set wan also',
  ]);
  t.deepEqual(answers('ifconfig eth0 | awk \'/inet addr/{gsub(".*:","",$2);print $2}\''), ['192.168.7.1']);
  t.deepEqual(answers("IP=`ifconfig eth0 | grep inet | cut -d: -f2 | cut -d' ' -f1`\necho $IP"), [
    '192.168.7.1',
  ]);
  t.deepEqual(answers("route -n | grep '^10' | awk '{print $2}'"), ['192.168.7.2']);
  paste('echo 9000 > /proc/sys/net/ipv4/netfilter/ip_conntrack_tcp_timeout_established');
  t.regex(paste('show config'), /set nat timeout tcp-established 9000/);
  t.deepEqual(
    answers(
      'modprobe ip_masq_ftp ports=21,2121\nlsmod | grep -c ftp\ncat /proc/net/ip_masq/app | grep -c ftp',
    ),
    ['1', '2'],
  );
});

test('a script is kept with the settings, and runs at the next start', async t => {
  const { disk, paste, answers } = await board();
  t.regex(
    paste(
      'save script fw\nroute add -net 10.2.0.0 netmask 255.255.0.0 gw 192.168.0.2\nset nat filter endpoint\nnosuch\nend',
    ),
    /3 lines are kept/,
  );
  t.deepEqual(answers('show script'), ['fw                       3 lines']);
  t.regex(
    paste('save script bad\nif true\nend'),
    /Cannot keep script bad: syntax error: if is not ended; nothing was changed/,
  );
  t.notRegex(paste('show config'), /^. set nat filter endpoint|script bad/m);
  paste('save');
  const next = await board(disk);
  t.regex(
    next.paste('show config'),
    /set nat filter endpoint[\s\S]*set route 10\.2\.0\.0\/16[\s\S]*script fw set nat filter endpoint/,
  );
  t.regex(next.paste('show log'), /script: fw: line 3: nosuch: not found here/);
  next.paste('clear script fw');
  t.regex(next.paste('show script'), /No script is kept/);
});
