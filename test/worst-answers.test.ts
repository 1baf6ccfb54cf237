// The worst that servers may say to the router itself, which has asked them: DHCP offers and acknowledgments, and the
// time. On the booted board, in instructions, with a bound each: rows of the table
// "Worst inputs" of docs/performance.md.
// Not here: what strangers send unasked, DNS (worst-inputs.test.ts).

import test from 'ava';
import { ACK, OFFER } from '../src/control/dhcp/message.ts';
import { ip, OUTSIDE, SERVER } from './bench/addresses.ts';
import { pause, until } from './bench/lab.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';
import * as packets from './packets.ts';
import { WorstLab } from './worst-lab.ts';

const ROUNDS = 5;
const MESSAGE_BYTES = 1472;
const SERVER_PORT = 67;
const NTP_PORT = 123;
const NTP_BYTES = 48;
const NTP_TO_UNIX = 2208988800;

let lab: WorstLab;

test.serial.before(async t => {
  t.timeout(TEST_MILLISECONDS);
  lab = await WorstLab.create();
});

test.after.always(async () => await lab?.bench.stop());

const word = (value: number): number[] => [value >> 8, value & 255];
const repeat = (count: number, bytes: number[]): number[] => new Array<number[]>(count).fill(bytes).flat();

/** An answer to a client's message, of MESSAGE_BYTES, with these options behind those that a lease needs. */
function lease(asked: Uint8Array, type: number, options: number[]): Uint8Array {
  const bytes = new Uint8Array(MESSAGE_BYTES);
  bytes.set(asked.subarray(0, 44));
  bytes[0] = 2;
  bytes.set([203, 0, 113, 10], 16);
  bytes.set([99, 130, 83, 99, 53, 1, type, 54, 4, 203, 0, 113, 2, 51, 4, 0, 0, 14, 16], 236);
  bytes.set([1, 4, 255, 255, 255, 0, 3, 4, 203, 0, 113, 1], 236 + 19);
  bytes.set(options.slice(0, MESSAGE_BYTES - 267), 267);
  return bytes;
}

const LEASES: Record<string, number[]> = {
  '1,200 pads': repeat(1300, [0]),
  '60 empty options': [...repeat(60, [12, 0]), ...repeat(1100, [0])],
  'two options in 60 pieces': [...repeat(30, [15, 1, 97, 119, 1, 97]), ...repeat(1100, [0])],
  'routes and servers as many as fit': [
    ...[6, 252, ...repeat(63, [9, 9, 9, 9])],
    ...[42, 252, ...repeat(63, [9, 9, 9, 9])],
    ...[121, 248, ...repeat(31, [32, 10, 9, 9, 9, 203, 0, 113])],
    ...[121, 248, ...repeat(31, [32, 10, 9, 9, 9, 203, 0, 113])],
  ],
};

test.serial('what a DHCP server of the WAN may answer', async t => {
  t.timeout(TEST_MILLISECONDS);
  const { machine, wan } = lab.bench;
  for (const [what, options] of Object.entries(LEASES)) {
    let [asked, answered] = [0, 0];
    lab.onWan = ({ protocol, destinationPort, data }) => {
      if (protocol !== packets.UDP || destinationPort !== SERVER_PORT) return;
      asked++;
      const isRequest = data[242] === 3;
      const datagram = packets.udp(
        ip(SERVER, '255.255.255.255'),
        SERVER_PORT,
        68,
        lease(data, isRequest ? ACK : OFFER, options),
      );
      wan.sendFrame(packets.frame(packets.BROADCAST, '02:00:00:00:00:02', datagram));
      if (isRequest) answered++;
    };
    const instructions = await lab.instructions(async () => {
      for (let i = 0; i < ROUNDS; i++) {
        const before = answered;
        await machine.console.command(`set wan address ${OUTSIDE}/24`);
        await machine.console.command('set wan dhcp');
        await until(() => answered > before);
        await lab.passed();
      }
    });
    // With the commands themselves, the client's own messages, and its look for another host with the address.
    lab.told(t, `an offer and a lease, ${what}`, instructions / ROUNDS, 15_000_000);
    t.true(asked >= 2 * ROUNDS, what);
    t.regex(await machine.console.command('show wan'), /dhcp, (bound|probing|requesting)/, what);
  }
  await machine.console.command(`set wan address ${OUTSIDE}/24`);
  t.deepEqual(lab.failed, []);
});

test.serial('what an NTP server may answer', async t => {
  t.timeout(TEST_MILLISECONDS);
  const { machine, wan } = lab.bench;
  let answered = 0;
  lab.onWan = ({ protocol, destinationPort, sourcePort, data }) => {
    if (protocol !== packets.UDP || destinationPort !== NTP_PORT) return;
    const answer = packets.payload(MESSAGE_BYTES);
    answer.fill(0, 0, NTP_BYTES);
    answer.set([0x24, 2], 0);
    answer.set(data.subarray(40, 48), 24);
    const seconds = Math.floor(Date.now() / 1000) + NTP_TO_UNIX;
    for (const at of [32, 40]) answer.set([...word(seconds >>> 16), ...word(seconds & 0xffff)], at);
    wan.send(packets.udp(ip(SERVER, OUTSIDE), NTP_PORT, sourcePort, answer));
    answered++;
  };
  const instructions = await lab.instructions(async () => {
    await machine.console.command(`set ntp server ${SERVER}`);
    t.true(await until(() => answered > 0));
    await pause(200);
  });
  lab.told(t, 'an NTP answer of 1,472 bytes that sets the clock, with the command', instructions, 8_000_000);
  t.regex(await machine.console.command('show time'), /set 0:0\d ago by NTP server/);
  t.deepEqual(lab.failed, []);
});
