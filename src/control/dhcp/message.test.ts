import test from 'ava';
import fc from 'fast-check';
import { runSeed } from '../../../tools/harness/random.ts';
import {
  ACK,
  BOOTREPLY,
  BOOTREQUEST,
  DISCOVER,
  isAnswer,
  MESSAGE_BYTES,
  MOST_PIECES,
  REQUEST,
  Reader,
  Writer,
} from './message.ts';
import * as option from './options.ts';

const HEADER_BYTES = 240;
const PAD = 0;
const END = 255;

/** A DISCOVER with these options. */
function message(...options: number[]): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + options.length);
  bytes.set([BOOTREQUEST, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef, 0, 3, 0x80, 0]);
  bytes.set([2, 0, 0, 0, 0, 9], 28);
  bytes.set([0x63, 0x82, 0x53, 0x63], 236);
  bytes.set(options, HEADER_BYTES);
  return bytes;
}

function read(...options: number[]): Reader {
  const reader = new Reader();
  const fault = reader.parse(message(...options));
  if (fault !== undefined) throw new Error(fault);
  return reader;
}

function refused(bytes: Uint8Array): string | undefined {
  return new Reader().parse(bytes);
}

test('Reader reads the fixed fields', t => {
  const reader = read(53, 1, DISCOVER, END);
  t.is(reader.op, BOOTREQUEST);
  t.is(reader.xid, 0xdeadbeef | 0);
  t.is(reader.secs, 3);
  t.is(reader.flags, 0x8000);
  t.is(reader.type, DISCOVER);
  t.deepEqual([...reader.chaddr], [2, 0, 0, 0, 0, 9]);
});

// The next six are what node-dhcp's parser and builder get wrong.

test('Reader skips one byte for a PAD', t => {
  t.is(read(PAD, 53, 1, DISCOVER, END).type, DISCOVER);
  t.is(read(PAD, PAD, PAD, 53, 1, REQUEST, PAD, END).type, REQUEST);
});

test('Reader refuses an option that runs past the end', t => {
  t.is(refused(message(53, 1, DISCOVER, 12, 5, 65)), 'an option runs past its field');
  t.is(refused(message(53, 1, DISCOVER, 12)), 'an option has no length');
});

test('Reader keeps step when an option of one byte has two', t => {
  const reader = read(53, 2, DISCOVER, 1, 50, 4, 10, 0, 0, 7, END);
  t.is(reader.type, 0);
  t.is(reader.word(option.OPTION_REQUESTED_ADDRESS), 0x0a000007);
});

test('Reader keeps step when a list of addresses has five bytes', t => {
  const reader = read(3, 5, 10, 0, 0, 1, 99, 53, 1, DISCOVER, END);
  t.deepEqual(reader.addresses(option.OPTION_ROUTER), []);
  t.is(reader.type, DISCOVER);
});

test('Reader refuses a wrong magic cookie', t => {
  for (let byte = 236; byte < HEADER_BYTES; byte++) {
    const bytes = message(53, 1, DISCOVER, END);
    bytes[byte]! ^= 1;
    t.is(refused(bytes), 'its magic cookie is wrong');
  }
});

test('Writer pads to the 300 bytes of BOOTP', t => {
  const writer = new Writer();
  writer.start(BOOTREPLY, 1, ACK);
  t.is(writer.finish().length, 300);
});

test('Reader answers for every cut of a message, and never wrongly', t => {
  const whole = message(53, 1, REQUEST, 50, 4, 10, 0, 0, 7, 12, 2, 65, 66, END);
  for (let length = 0; length < whole.length; length++) {
    const reader = new Reader();
    const fault = reader.parse(whole.subarray(0, length));
    if (length < HEADER_BYTES) t.is(fault, 'it is short');
    if (fault !== undefined) continue;
    // Whatever is still there is whole.
    t.true([0, REQUEST].includes(reader.type));
    t.true([0, 0x0a000007].includes(reader.word(option.OPTION_REQUESTED_ADDRESS)));
    t.true(reader.lengthOf(option.OPTION_HOST_NAME) === -1 || length >= HEADER_BYTES + 13);
  }
});

test('Reader refuses hlen past chaddr, and an unknown op', t => {
  const long = message(53, 1, DISCOVER, END);
  long[2] = 17;
  t.is(refused(long), 'its hlen is larger than chaddr');
  const odd = message(53, 1, DISCOVER, END);
  odd[0] = 3;
  t.is(refused(odd), 'its op is unknown');
});

test('Reader takes options from file, then from sname, when they are overloaded', t => {
  for (const [overload, name, router] of [
    [1, 'F', 0],
    [2, 'S', 0x0a000001],
    [3, 'FS', 0x0a000001],
  ] as const) {
    const bytes = message(53, 1, DISCOVER, 52, 1, overload, END);
    bytes.set([12, 1, 70, END], 108);
    bytes.set([12, 1, 83, 3, 4, 10, 0, 0, 1, END], 44);
    const reader = new Reader();
    t.is(reader.parse(bytes), undefined);
    t.is(String.fromCharCode(...reader.bytes(option.OPTION_HOST_NAME)), name);
    t.is(reader.word(option.OPTION_ROUTER), router);
  }
  t.is(refused(message(52, 1, 4, END)), 'its option overload is unknown');
  t.is(refused(message(52, 2, 1, 1, END)), 'its option overload is unknown');
});

test('Reader keeps to the field when an overloaded option would run past it', t => {
  const bytes = message(53, 1, DISCOVER, 52, 1, 2, END);
  bytes.fill(PAD, 44, 108);
  bytes.set([12, 2], 106);
  t.is(refused(bytes), 'an option runs past its field');
});

test('Reader joins the pieces of a split option in order (RFC 3396)', t => {
  const reader = read(12, 2, 65, 66, 53, 1, DISCOVER, 12, 0, 12, 3, 67, 68, 69, 15, 1, 90, 12, 1, 70, END);
  t.is(String.fromCharCode(...reader.bytes(option.OPTION_HOST_NAME)), 'ABCDEF');
  t.is(String.fromCharCode(...reader.bytes(option.OPTION_DOMAIN_NAME)), 'Z');
  const twice = read(53, 1, DISCOVER, 53, 1, REQUEST, END);
  t.is(twice.type, 0);
  const address = read(50, 2, 10, 0, 12, 1, 65, 50, 2, 0, 9, 12, 1, 66, END);
  t.is(address.word(option.OPTION_REQUESTED_ADDRESS), 0x0a000009);
  t.is(String.fromCharCode(...address.bytes(option.OPTION_HOST_NAME)), 'AB');
});

test('Reader bounds the work on pieces that alternate', t => {
  const pieces = Array.from({ length: 300 }, () => [12, 1, 65, 15, 1, 66]).flat();
  t.is(refused(message(...pieces)), 'its options are in too many pieces');
});

test('Reader reads so many options or pieces and refuses one more, in all fields together', t => {
  const many = (count: number): number[] =>
    Array.from({ length: count }, (_, i) => [60 + (i % 100), 0]).flat();
  t.is(refused(message(...many(MOST_PIECES), END)), undefined);
  t.is(refused(message(...many(MOST_PIECES + 1), END)), 'its options are in too many pieces');
  const overloaded = message(...many(MOST_PIECES - 2), option.OPTION_OVERLOAD, 1, 1, END);
  overloaded.set([1, 0, END], 108);
  t.is(refused(overloaded), undefined);
  overloaded.set([1, 0, 1, 0, END], 108);
  t.is(refused(overloaded), 'its options are in too many pieces');
});

test('isAnswer() looks at op, kind of hardware, xid and chaddr, and at nothing of a short message', t => {
  const answer = message(53, 1, ACK, END);
  const mac = Uint8Array.of(2, 0, 0, 0, 0, 9);
  answer[0] = BOOTREPLY;
  t.true(isAnswer(answer, 0xdeadbeef | 0, mac));
  t.false(isAnswer(answer, 0xdeadbeee | 0, mac));
  for (const at of [0, 1, 2, 4, 7, 28, 33]) {
    const spoiled = answer.slice();
    spoiled[at] = (spoiled[at] as number) ^ 0x40;
    t.false(isAnswer(spoiled, 0xdeadbeef | 0, mac), `byte ${at}`);
  }
  t.false(isAnswer(answer.subarray(0, HEADER_BYTES - 1), 0xdeadbeef | 0, mac));
});

test('Reader forgets the options of the message before', t => {
  const reader = read(12, 1, 65, 12, 1, 66, END);
  t.is(reader.parse(message(END)), undefined);
  t.false(reader.has(option.OPTION_HOST_NAME));
  t.is(reader.bytes(option.OPTION_HOST_NAME).length, 0);
});

test('Reader never throws and never reads outside of the datagram', t => {
  const reader = new Reader();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.integer({ min: 0, max: 3 }), (tail, overload) => {
      const bytes = message(52, 1, overload, ...tail);
      bytes.set(tail.subarray(0, 192), 44);
      if (reader.parse(bytes) !== undefined) return;
      for (let code = 0; code < 256; code++) {
        t.is(reader.bytes(code).length, Math.max(0, reader.lengthOf(code)));
        reader.word(code);
        reader.half(code);
        reader.addresses(code);
      }
    }),
    { seed: runSeed() },
  );
  t.pass();
});

test('Reader joins an option that ends the datagram with its piece in the field that is read next', t => {
  const bytes = message(52, 1, 1, 43, 3, 1, 2, 3);
  bytes.set([43, 3, 4, 5, 6, 255], 108); // the `file` field
  const cut = bytes.subarray(0, bytes.lastIndexOf(3) + 1);
  const reader = new Reader();
  t.is(reader.parse(cut), undefined);
  t.deepEqual([...reader.bytes(43)], [1, 2, 3, 4, 5, 6]);
});

test('Writer and Reader agree, in a dirty buffer too', t => {
  const writer = new Writer();
  writer.start(BOOTREQUEST, -1, DISCOVER, 1472);
  writer.bytes(43, new Uint8Array(1000).fill(0xaa));
  writer.finish();
  writer.start(BOOTREPLY, 0x12345678, ACK);
  writer.secs = 7;
  writer.flags = 0x8000;
  writer.yiaddr = 0x0a000005;
  writer.giaddr = -1;
  writer.chaddr = Uint8Array.of(1, 2, 3, 4, 5, 6);
  writer.word(option.OPTION_LEASE_TIME, 43200);
  writer.half(option.OPTION_INTERFACE_MTU, 1492);
  writer.text(option.OPTION_DOMAIN_NAME, 'lan');
  writer.addresses(option.OPTION_ROUTER, [1, 2]);
  const bytes = writer.finish();
  t.false(bytes.includes(0xaa));
  const reader = new Reader();
  t.is(reader.parse(bytes), undefined);
  t.is(reader.op, BOOTREPLY);
  t.is(reader.xid, 0x12345678);
  t.is(reader.yiaddr, 0x0a000005);
  t.is(reader.giaddr, -1);
  t.is(reader.type, ACK);
  t.is(reader.word(option.OPTION_LEASE_TIME), 43200);
  t.is(reader.half(option.OPTION_INTERFACE_MTU), 1492);
  t.deepEqual(reader.addresses(option.OPTION_ROUTER), [1, 2]);
  t.is(String.fromCharCode(...reader.bytes(option.OPTION_DOMAIN_NAME)), 'lan');
});

test('Writer stays within its limit, END included', t => {
  const writer = new Writer();
  for (let limit = 0; limit < 700; limit++) {
    writer.start(BOOTREPLY, 1, ACK, limit);
    for (let i = 0; i < 90; i++) writer.word(option.OPTION_ROUTER, i);
    writer.bytes(43, new Uint8Array(300));
    const bytes = writer.finish();
    t.true(bytes.length <= Math.max(300, limit));
    t.is(refused(bytes), undefined);
  }
  writer.start(BOOTREPLY, 1, ACK);
  t.false(writer.bytes(43, new Uint8Array(MESSAGE_BYTES)));
});

test('Writer puts a long value into pieces (RFC 3396)', t => {
  const writer = new Writer();
  const value = Uint8Array.from({ length: 600 }, (_, i) => i);
  writer.start(BOOTREPLY, 1, ACK, 1400);
  t.true(writer.bytes(option.OPTION_CLASSLESS_ROUTES, value));
  const reader = new Reader();
  t.is(reader.parse(writer.finish()), undefined);
  t.deepEqual(reader.bytes(option.OPTION_CLASSLESS_ROUTES), value);
});
