import { crc32 } from 'node:zlib';
import test from 'ava';
import { HEADER_LINE } from '../../src/control/tools/stream.ts';
import { PcapReader, pcapHeader } from './pcap.ts';

/** A packet's bytes in the file, and its line. */
function packet(sequence: number, length: number): { bytes: Buffer; line: string } {
  const bytes = Buffer.alloc(16 + length, sequence);
  bytes.writeUInt32LE(length, 8);
  bytes.writeUInt32LE(length + 4, 12);
  return { bytes, line: lineOf(sequence, bytes) };
}

function lineOf(sequence: number, bytes: Uint8Array): string {
  const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');
  return `!${hex(sequence & 0xffff, 4)} ${Buffer.from(bytes).toString('base64')} ${hex(crc32(bytes), 8)}`;
}

function read(rows: readonly string[]): { reader: PcapReader; file: Buffer } {
  const reader = new PcapReader();
  const parts = rows.flatMap(row => reader.take(row) ?? []);
  return { reader, file: Buffer.concat(parts) };
}

test('pcapHeader() is the header of a little-endian file of Ethernet frames, PPP or bare IP', t => {
  for (const [link, type] of [
    ['lan', '01'],
    ['ppp1', '09'],
    ['sl0', '65'],
  ] as const)
    t.is(
      Buffer.from(pcapHeader(link)).toString('hex'),
      `d4c3b2a1020004000000000000000000ffff0000${type}000000`,
    );
});

test('take() answers the packets, and passes over what is none of the file', t => {
  const packets = [1, 2, 3].map(n => packet(n, 60 * n));
  const [a, b, c] = packets.map(({ line }) => line) as [string, string, string];
  const rows = [HEADER_LINE, a, 'wan: lease of 192.0.2.7', b, '', c, '!end 3 packets captured, 5 dropped'];
  const { reader, file } = read(rows);
  t.deepEqual(file, Buffer.concat(packets.map(({ bytes }) => bytes)));
  t.is(reader.received, 3);
  t.is(reader.lost, 0);
  t.deepEqual(reader.end, { sent: 3, dropped: 5 });
});

test('take() counts what was lost, damaged at any place, or cut at any length', t => {
  const lines = [1, 2, 3].map(n => packet(n, 60).line) as [string, string, string];
  for (let at = 0; at < lines[1].length; at++) {
    const changed = lines[1].slice(0, at) + '#' + lines[1].slice(at + 1);
    for (const bad of [changed, lines[1].slice(0, at)]) {
      const { reader, file } = read([
        HEADER_LINE,
        lines[0],
        bad,
        lines[2],
        '!end 3 packets captured, 0 dropped',
      ]);
      t.is(reader.received, 2);
      t.is(reader.lost, 1);
      t.is(file.length, 2 * 76);
    }
  }
  const first = read([lines[0], '!end 3 packets captured, 0 dropped']).reader;
  t.is(first.lost, 2, 'the last ones leave no gap, but the end tells');
  t.is(read([HEADER_LINE.slice(3), lines[0]]).reader.lost, 0, 'the header is no packet');
});

test('take() refuses a line whose length is not its record’s, and follows the sequence around', t => {
  const bytes = Buffer.from(packet(1, 60).bytes);
  bytes.writeUInt32LE(61, 8);
  const wrong = read([HEADER_LINE, lineOf(1, bytes), lineOf(2, bytes.subarray(0, 15))]).reader;
  t.is(wrong.lost, 2);
  t.is(wrong.received, 0);
  const reader = new PcapReader();
  for (let n = 0; n <= 0x10001; n++) reader.take(n === 0 ? HEADER_LINE : packet(n, 1).line);
  t.is(reader.received, 0x10001);
  t.is(reader.lost, 0);
});
