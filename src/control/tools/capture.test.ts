import test from 'ava';
import { controlLab, type Lab } from '../../../test/control-lab.ts';
import {
  arpFrame,
  concat,
  echo,
  fragments,
  frame,
  get32,
  icmpError,
  payload,
  SYN,
  tcp,
  udp,
} from '../../../test/packets.ts';
import { HOST, HOST_MAC, LAN, LAN_ADDRESS, LAN_MAC, SERVER } from '../../../test/plane-router.ts';
import { i32at } from '../../base/memory.ts';
import { CAPTURE_MASK_AT } from '../../plane/link/capture.ts';
import { capture } from './capture.ts';

/** Types the command; `frames` come by the LAN once it runs. What it prints until `looks` resumptions are over. */
function typed(lab: Lab, line: string, frames: Uint8Array[], looks = 60): string[] {
  lab.output.length = 0;
  const job = capture(lab.context, line.split(' '));
  job.next();
  for (const bytes of frames) lab.router.put(LAN, bytes);
  for (let i = 0; i < looks && job.next().done !== true; i++);
  job.return();
  return lab.output;
}

const IP = { source: HOST, destination: SERVER };
const inFrame = (datagram: Uint8Array): Uint8Array => frame(LAN_MAC, HOST_MAC, datagram);

test.serial('capture prints every kind of packet in a line', t => {
  const lab = controlLab();
  const segment = tcp(IP, { sourcePort: 6000, destinationPort: 80, flags: SYN, sequence: 7 }, payload(10));
  const whole = udp({ ...IP, id: 77 }, 5000, 53, payload(3000));
  const question = udp(IP, 5000, 53, payload(3));
  const ask = { operation: 1, senderMac: HOST_MAC, senderAddress: HOST, targetAddress: LAN_ADDRESS };
  const lines = typed(lab, 'lan in', [
    inFrame(question),
    inFrame(segment),
    inFrame(echo(IP, 8, 5, 3)),
    inFrame(icmpError(IP, 3, 4, udp({ source: SERVER, destination: HOST }, 53, 5000))),
    ...fragments(whole, 1480).map(inFrame),
    arpFrame(LAN_MAC, ask),
    arpFrame(LAN_MAC, { ...ask, operation: 2 }),
    concat([1, 2, 3, 4, 5, 6], [2, 0, 0, 0, 0, 2], [0x86, 0xdd], payload(46)),
    inFrame(question).slice(0, 20),
    inFrame(question).slice(0, 37),
    new Uint8Array(9),
  ]);
  const expected = [
    'Capturing, ^C stops',
    '192.168.0.2.5000 > 204.152.184.112.53: UDP, length 3',
    '192.168.0.2.6000 > 204.152.184.112.80: Flags [S], seq 7, win',
    '192.168.0.2 > 204.152.184.112: ICMP echo request, id 5, seq 3, length 64',
    '192.168.0.2 > 204.152.184.112: ICMP unreachable, code 4, length',
    '192.168.0.2.5000 > 204.152.184.112.53: UDP, length 1472 (frag 77:1480@0+)',
    '192.168.0.2 > 204.152.184.112: UDP, length 1480 (frag 77:1480@1480+)',
    '192.168.0.2 > 204.152.184.112: UDP, length 48 (frag 77:48@2960)',
    'ARP who has 192.168.0.1, tell 192.168.0.2',
    'ARP 192.168.0.2 is at 02:00:00:00:00:02',
    '02:00:00:00:00:02 > 01:02:03:04:05:06: type 0x86dd, length 60',
    'type 0x0800, length 20',
    '192.168.0.2 > 204.152.184.112: UDP, length 11 [cut]',
    '9 bytes [cut]',
    '13 packets captured, 0 dropped',
  ];
  t.is(lines.length, expected.length, lines.join('\n'));
  for (const [i, text] of expected.entries()) t.true(lines[i]?.includes(text), `${lines[i]} is not ${text}`);
  t.regex(lines[1] ?? '', /^00:00:\d\d\.\d\d lan in {2}/);
});

/** CRC-32, a bit at a time. */
function crcOf(bytes: Uint8Array): number {
  let crc = -1;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}

test.serial('capture pcap sends lines that make a file, each with its number and CRC', t => {
  const lab = controlLab();
  const frames = [0, 1, 2, 3, 1300].map(bytes => inFrame(udp(IP, 5000, 53, payload(bytes))));
  const lines = typed(lab, 'lan pcap in', frames);
  const parts = lines.slice(0, -1).map((line, i) => {
    const [, sequence, text, crc] = line.match(/^!([0-9a-f]{4}) ([A-Za-z0-9+/]+=*) ([0-9a-f]{8})$/) ?? [];
    const bytes = new Uint8Array(Buffer.from(text ?? '', 'base64'));
    t.is(Number.parseInt(sequence ?? '', 16), i);
    t.is(Number.parseInt(crc ?? '', 16), crcOf(bytes), line);
    return bytes;
  });
  t.is(lines.at(-1), '\r\n!end 5 packets captured, 0 dropped');
  const [header, ...records] = parts;
  t.is(header?.length, 24);
  const little = (bytes: Uint8Array, at: number) => Buffer.from(bytes).readUInt32LE(at);
  for (const [i, record] of records.entries()) {
    t.deepEqual(record.slice(16), frames[i]);
    t.is(little(record, 8), frames[i]?.length);
    t.is(little(record, 12), frames[i]?.length);
    t.true(little(record, 4) < 1_000_000);
  }
  t.is(get32(header as Uint8Array, 0) >>> 0, 0xd4c3b2a1);
});

test.serial('capture ends by count or by ^C, and is off afterwards', t => {
  const lab = controlLab();
  const frames = [1, 2, 3].map(bytes => inFrame(udp(IP, 5000, 53, payload(bytes))));
  const lines = typed(lab, 'all count 2 in udp', frames);
  t.is(lines.at(-1), '2 packets captured, 0 dropped');
  t.is(lines.length, 4);
  t.is(i32at(CAPTURE_MASK_AT), 0);
  for (const line of ['all in udp count 2', 'all in count 2 udp', 'all host 192.168.0.2 count 2'])
    t.is(typed(lab, line, frames).at(-1), '2 packets captured, 0 dropped', line);
  t.deepEqual(typed(lab, 'all', []), ['Capturing, ^C stops', '0 packets captured, 0 dropped']);
  t.is(i32at(CAPTURE_MASK_AT), 0);
});

test.serial('capture refuses what it cannot do', t => {
  const lab = controlLab();
  for (const line of ['elsewhere', 'lan count 0', 'lan nonsense', 'if3']) {
    t.regex(
      lab.refusal(() => void typed(lab, line, [])),
      /^Cannot capture /,
      line,
    );
  }
  t.is(i32at(CAPTURE_MASK_AT), 0);
});
