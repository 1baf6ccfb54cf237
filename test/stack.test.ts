// How much of its two stacks control has ever used, on the booted board, after the deepest that is known: the engine's own,
// which its limit bounds (a call too many ends control), and the machine's under it, which a guard page ends. Both are zeros
// at the start, so the lowest word that is none tells. A quarter of each must be left.
// Not here: what happens when one runs out (recovery.test.ts).

import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { STACK_LIMIT } from '../image/embed.ts';
import { memoryMap } from '../image/memory-map.ts';
import { PROMPT } from '../tools/harness/console.ts';
import { HOST, ip, OUTSIDE, ROUTER, SERVER } from './bench/addresses.ts';
import { type Bench, pause, start } from './bench/lab.ts';
import { symbolAddresses } from './harness/steps.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';
import * as packets from './packets.ts';

const SECONDS = 120;
const { LINEAR_AT, LINEAR_STACK_BYTES, STACK_AT } = memoryMap;

/** Bytes between a stack's top and the lowest word in it that was written to. */
function depth(stack: Uint8Array): number {
  const lowest = stack.findIndex(byte => byte !== 0);
  return lowest < 0 ? 0 : stack.length - lowest;
}

async function held(t: ExecutionContext, { machine }: Bench, what: string): Promise<void> {
  const header = readFileSync('build/kernel/config.h', 'latin1');
  const heapAt = Number(/SNAPSHOT_HEAP_AT (\d+)/.exec(header)?.[1]);
  const engine = depth(
    await machine.virtualMemory(LINEAR_AT + heapAt - LINEAR_STACK_BYTES, LINEAR_STACK_BYTES),
  );
  const [topAt = 0] = symbolAddresses(['stack_top']);
  const top = new DataView((await machine.memory(topAt, 4)).buffer).getUint32(0, true);
  const bytes = top - STACK_AT - 4096;
  const own = depth(await machine.virtualMemory(STACK_AT + 4096, bytes));
  t.log(`${what}: engine's stack ${engine} of ${STACK_LIMIT} bytes, machine's ${own} of ${bytes}`);
  t.true(engine > 1000 && engine <= 0.75 * STACK_LIMIT, `${what}: ${engine} of ${STACK_LIMIT}`);
  t.true(own > 1000 && own <= 0.75 * bytes, `${what}: ${own} of ${bytes}`);
}

/** Commands that load each part, from within others too; those that ask are ended by ^C. */
const LINES = [
  'help',
  'show status',
  'watch show masq',
  'show config',
  'show log',
  'show update',
  'show crash',
  'show disk',
  'show time',
  'set timezone Europe/Berlin',
  'set dhcp option 121 10.0.0.0/8 192.168.0.2',
  'set dhcp option 119 a.example b.example',
  'set dhcp reserve 00:11:22:33:44:55 192.168.0.20 printer',
  'set lan address 192.168.0.1/24 move confirm 5',
  'confirm',
  'set syslog 203.0.113.2',
  'set ntp server pool.ntp.org',
  'resolve pool.ntp.org',
  'ping 203.0.113.2 count 1',
  'traceroute 203.0.113.2',
  'capture wan udp port 53 not host 192.168.0.10 count 1',
  'password',
  'setup',
  'import',
  'debug selftest',
  'set a.b.c wrong wrong',
];

async function operate({ machine, lan, wan }: Bench): Promise<void> {
  const { console } = machine;
  for (const line of LINES) {
    console.write(`${line}\r`);
    for (let i = 0; i < 12; i++) {
      lan.send(
        packets.udp(
          ip(HOST, ROUTER),
          5353,
          53,
          Uint8Array.from([0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 7, ...Buffer.from('masqbox'), 0, 0, 1, 0, 1]),
        ),
      );
      lan.send(packets.udp(ip(HOST, SERVER), 5000 + i, 7, packets.payload(1400)));
      wan.send(
        packets.icmpError(
          ip(SERVER, OUTSIDE),
          3,
          3,
          packets.udp(ip(OUTSIDE, SERVER), 5000 + i, 7, packets.payload(64)),
        ),
      );
      await pause(60);
    }
    console.write('set dhcp o\t?\x03q');
    await pause(300);
    console.write('\x03\x03\r');
    await console.expect(PROMPT, SECONDS);
  }
}

test.serial('a quarter of both stacks is left with either engine', async t => {
  t.timeout(2 * TEST_MILLISECONDS);
  // A reset stops the machine as it is.
  const bench = await start('isapc', false, { extra: ['-no-reboot', '-no-shutdown'] });
  t.teardown(() => bench.stop());
  await operate(bench);
  await held(t, bench, 'native');
  await bench.machine.console.command('set engine interpreted', SECONDS);
  await operate(bench);
  await held(t, bench, 'interpreted');
  bench.machine.console.write('debug differential 1 1500\r');
  await bench.machine.console.expect('differential equal', 3 * SECONDS);
  await pause(2000);
  await held(t, bench, 'interpreted, with traffic of all kinds');
});
