import test from 'ava';
import packet from 'dns-packet';
import fc from 'fast-check';
import { runSeed } from '../../../tools/harness/random.ts';
import { DNS_ANSWER_RECORDS, DNS_NEGATIVE_SECONDS, DNS_RECORDS } from '../core/limits.ts';
import {
  Answer,
  dropOptions,
  EXACT,
  FLAG_CD,
  FLAG_RD,
  MALFORMED,
  NAME_BYTES,
  type NameHash,
  NO_QUERY,
  nameBytes,
  nameText,
  OTHER_OPCODE,
  parseAnswer,
  parseQuery,
  QUERY,
  Query,
  SAME,
  sameQuestion,
  skipName,
  truncate,
  write16,
} from './message.ts';

/** A hash of which nothing is asked but that it takes letters in either case alike. */
const hashOf: NameHash = (data, from, end) => {
  let hash = 0;
  for (const byte of data.subarray(from, end)) hash = (Math.imul(hash, 31) + (byte | 32)) | 0;
  return hash;
};

function bytesOf(value: packet.Packet): Uint8Array {
  return Uint8Array.from(packet.encode(value));
}

function question(name: string, type: packet.RecordType = 'A'): packet.Question {
  return { name, type, class: 'IN' };
}

function query(name: string, options: Partial<packet.Packet> = {}): Uint8Array {
  return bytesOf({ type: 'query', id: 77, flags: FLAG_RD, questions: [question(name)], ...options });
}

function opt(options: object[] = [], fields: object = {}): packet.Answer {
  return {
    ...{ type: 'OPT', name: '.', udpPayloadSize: 4096, extendedRcode: 0, ednsVersion: 0, flags: 0 },
    ...{ flag_do: false, options },
    ...fields,
  } as unknown as packet.Answer;
}

const A: packet.Answer = { type: 'A', name: 'www.example.com', ttl: 300, data: '192.0.2.1' };
const SOA: packet.Answer = {
  ...{ type: 'SOA', name: 'example.com', ttl: 900 },
  data: {
    ...{ mname: 'ns.example.com', rname: 'root.example.com', serial: 1 },
    ...{ refresh: 2, retry: 3, expire: 4, minimum: 60 },
  },
} as packet.Answer;

function answer(options: Partial<packet.Packet> = {}): Uint8Array {
  return bytesOf({
    ...{ type: 'response', id: 77, flags: FLAG_RD, questions: [question('www.example.com')] },
    ...{ answers: [A], ...options },
  });
}

function read(data: Uint8Array): Query {
  const parsed = new Query();
  if (parseQuery(data, parsed, hashOf) !== QUERY) throw new Error('no query');
  return parsed;
}

test('parseQuery() finds what a query asks', t => {
  const data = query('www.Example.com', { flags: FLAG_RD | FLAG_CD, additionals: [opt()] });
  const parsed = read(data);
  t.is(parsed.id, 77);
  t.is(parsed.type, 1);
  t.is(parsed.class, 1);
  t.is(parsed.labels, 3);
  t.is(nameText(data, 12, parsed.nameEnd), 'www.Example.com');
  t.is(parsed.questionEnd, parsed.nameEnd + 4);
  t.is(parsed.optAt, parsed.questionEnd);
  t.is(parsed.size, 4096);
  t.true(parsed.plain);
});

test('parseQuery() hashes a name in any case alike, and type, EDNS, DO, CD and RD apart', t => {
  const name = 'www.example.com';
  const hashes = [
    query(name),
    query(name, { flags: 0 }),
    query(name, { flags: FLAG_RD | FLAG_CD }),
    query(name, { questions: [question(name, 'AAAA')] }),
    query(name, { additionals: [opt()] }),
    query(name, { additionals: [opt([], { flags: 0x8000, flag_do: true })] }),
    query('www.example.org'),
  ]
    .map(data => read(data))
    .map(({ hash, key }) => `${hash} ${key}`);
  t.is(new Set(hashes).size, hashes.length);
  t.is(read(query('WWW.eXample.com')).hash, read(query(name)).hash);
});

test('parseQuery() leaves what it does not know to the server', t => {
  const name = 'example.com';
  const plain = (options: Partial<packet.Packet>): boolean => read(query(name, options)).plain;
  t.true(plain({}));
  t.true(plain({ additionals: [opt([{ code: 10, data: Buffer.alloc(8) }])] }));
  t.false(plain({ additionals: [opt([{ code: 8, data: Buffer.from([0, 1, 24, 0, 192, 0, 2]) }])] }));
  t.false(plain({ additionals: [opt([], { ednsVersion: 1 })] }));
  t.false(plain({ additionals: [opt(), opt()] }));
  t.false(plain({ additionals: [A] }));
  t.false(plain({ questions: [question(name, 'AXFR')] }));
  const trailing = Uint8Array.from([...query(name), 0]);
  t.false(read(trailing).plain);
});

test('parseQuery() refuses what is cut, at every length', t => {
  const data = query('www.example.com', { additionals: [opt([{ code: 10, data: Buffer.alloc(8) }])] });
  const parsed = new Query();
  for (let bytes = 0; bytes < data.length; bytes++) {
    t.is(parseQuery(data.slice(0, bytes), parsed, hashOf), bytes < 12 ? NO_QUERY : MALFORMED, `${bytes}`);
  }
  t.is(parseQuery(data, parsed, hashOf), QUERY);
});

test('parseQuery() refuses answers, no or two questions, pointers and names too long', t => {
  const parsed = new Query();
  t.is(parseQuery(answer(), parsed, hashOf), NO_QUERY);
  const data = query('www.example.com');
  for (const count of [0, 2, 65535]) {
    const wrong = data.slice();
    write16(wrong, 4, count);
    t.is(parseQuery(wrong, parsed, hashOf), MALFORMED);
  }
  const pointer = data.slice();
  write16(pointer, 12, 0xc00c);
  t.is(parseQuery(pointer, parsed, hashOf), MALFORMED);
  for (const [last, result] of [
    [61, QUERY],
    [62, MALFORMED],
  ] as const) {
    const labels = [63, 63, 63, last].map(length => 'x'.repeat(length)).join('.');
    const bytes = [63, 63, 63, last].flatMap(length => [length, ...new Array(length).fill(120)]);
    t.is(labels.length + 2, last === 61 ? NAME_BYTES : NAME_BYTES + 1);
    const long = Uint8Array.from([...data.slice(0, 12), ...bytes, 0, 0, 1, 0, 1]);
    t.is(parseQuery(long, parsed, hashOf), result);
  }
});

test('parseQuery() refuses by the header what no query has: records to answer it, and more than OPT and a signature', t => {
  const parsed = new Query();
  const verdict = (options: Partial<packet.Packet>): number =>
    parseQuery(query('example.com', options), parsed, hashOf);
  t.is(verdict({ answers: [A] }), MALFORMED);
  t.is(verdict({ authorities: [SOA] }), MALFORMED);
  t.is(verdict({ additionals: [opt(), A] }), QUERY);
  t.is(verdict({ additionals: [opt(), A, A] }), MALFORMED);
  // An update is refused by its header; its records are not even looked at.
  const update = query('example.com', { flags: 5 << 11, answers: [A], authorities: [SOA] });
  update.fill(0xff, update.length - 20);
  t.is(parseQuery(update, parsed, hashOf), OTHER_OPCODE);
});

test('skipName() reads a name of 255 octets and no more', t => {
  const labels = (...lengths: number[]): number[] =>
    lengths.flatMap(length => [length, ...new Array<number>(length).fill(120)]);
  const at = (bytes: number[]): number => {
    const data = new Uint8Array(1000).fill(1, 12);
    data.set(bytes, 20);
    return skipName(data, data.length, 20);
  };
  t.is(at([...labels(63, 63, 63, 61), 0]), 20 + NAME_BYTES);
  t.is(at([...labels(63, 63, 63, 62), 0]), 0);
  t.is(at(labels(63, 63, 63, 63)), 0, 'without an end');
  t.is(at([]), 0, 'one octet after the other');
});

test('skipName() ends at a pointer, which must lead backwards', t => {
  const data = new Uint8Array(64);
  data.set([3, 97, 98, 99, 0], 12);
  data.set([1, 120, 0xc0, 12], 20);
  data.set([0xc0, 20], 30);
  t.is(skipName(data, 64, 12), 17);
  t.is(skipName(data, 64, 20), 24);
  t.is(skipName(data, 64, 30), 32);
  const refused: [string, number[]][] = [
    ['itself', [0xc0, 40]],
    ['forward', [0xc0, 41]],
    ['into the header', [0xc0, 4]],
    ['a loop of two', [0xc0, 42, 0xc0, 40]],
    ['a label before itself', [1, 120, 0xc0, 40]],
    ['an extended label', [0x41, 120, 0]],
    ['a reserved label', [0x80, 120, 0]],
  ];
  for (const [what, bytes] of refused) {
    const wrong = data.slice();
    wrong.set(bytes, 40);
    t.is(skipName(wrong, 64, 40), 0, what);
  }
  t.is(skipName(data, 31, 30), 0);
});

test('parseAnswer() finds TTLs, OPT and how long it may be kept', t => {
  const parsed = new Answer();
  const second: packet.Answer = { type: 'CNAME', name: 'www.example.com', ttl: 60, data: 'example.com' };
  const data = answer({ answers: [second, A], additionals: [opt([{ code: 10, data: Buffer.alloc(16) }])] });
  t.true(parseAnswer(data, data.length, parsed));
  t.is(parsed.answers, 2);
  t.is(parsed.seconds, 60);
  t.is(parsed.ttls, 2);
  const view = new DataView(data.buffer);
  t.deepEqual(
    [...parsed.ttlAt.subarray(0, 2)].map(at => view.getUint32(at)),
    [60, 300],
  );
  t.is(parsed.optEnd, data.length);
  const shorter = dropOptions(data, data.length, parsed);
  t.is(shorter, data.length - 20);
  const again = packet.decode(Buffer.from(data.slice(0, shorter)));
  t.is(again.answers?.length, 2);
  t.is(again.additionals?.length, 1);
});

test('parseAnswer() does not keep options that stand before other records', t => {
  const parsed = new Answer();
  const seconds = (...additionals: packet.Answer[]): number => {
    const data = answer({ additionals });
    t.true(parseAnswer(data, data.length, parsed));
    return parsed.seconds;
  };
  const cookie = opt([{ code: 10, data: Buffer.alloc(16) }]);
  t.is(seconds(cookie, A), 0);
  t.is(seconds(A, cookie), 300);
  t.is(seconds(opt(), A), 300);
  t.is(seconds(A), 300);
});

test('parseAnswer() keeps what does not exist as long as the SOA record says, and for a moment without one', t => {
  const parsed = new Answer();
  const seconds = (options: Partial<packet.Packet>): number => {
    const data = answer({ answers: [], ...options });
    t.true(parseAnswer(data, data.length, parsed));
    return parsed.seconds;
  };
  const ttl = (n: number): packet.Answer => ({ ...SOA, ttl: n }) as packet.Answer;
  t.is(seconds({ authorities: [SOA] }), 60);
  t.is(seconds({ authorities: [ttl(30)], flags: 3 }), 30);
  t.is(seconds({ flags: 3 }), DNS_NEGATIVE_SECONDS);
  t.is(seconds({}), DNS_NEGATIVE_SECONDS);
  t.is(seconds({ authorities: [SOA], flags: 2 }), 0);
  const alias: packet.Answer = { type: 'CNAME', name: 'www.example.com', ttl: 300, data: 'b.example.com' };
  t.is(seconds({ answers: [alias], authorities: [SOA] }), 60, 'an alias of what does not exist');
  t.is(seconds({ answers: [alias], authorities: [SOA], flags: 3 }), 60);
  t.is(seconds({ answers: [A], flags: 2 }), 0);
  t.is(seconds({ answers: [A], flags: 0x0200 }), 0);
  t.is(seconds({ answers: [{ ...A, ttl: 0 } as packet.Answer] }), 0);
  t.is(seconds({ answers: [{ ...A, ttl: 0x80000001 } as packet.Answer] }), 0);
  t.is(seconds({ answers: [{ ...A, ttl: 700000 } as packet.Answer] }), 86400);
});

test('parseAnswer() passes on more records than it counts, and does not keep them', t => {
  const parsed = new Answer();
  const many = (count: number): boolean => {
    const data = answer({ answers: new Array(count).fill(A) });
    return parseAnswer(data, data.length, parsed);
  };
  t.true(many(DNS_RECORDS));
  t.is(parsed.seconds, 300);
  t.true(many(DNS_RECORDS + 1));
  t.is(parsed.seconds, 0);
  t.true(many(DNS_ANSWER_RECORDS));
  t.false(many(DNS_ANSWER_RECORDS + 1));
});

test('parseAnswer() refuses what is cut, at every length', t => {
  const data = answer({ authorities: [SOA], additionals: [opt([{ code: 3, data: Buffer.alloc(4) }])] });
  const parsed = new Answer();
  for (let bytes = 0; bytes < data.length; bytes++) t.false(parseAnswer(data.slice(0, bytes), bytes, parsed));
  t.true(parseAnswer(data, data.length, parsed));
});

test('parseAnswer() and parseQuery() end on anything, and never look beyond the message', t => {
  const whole = answer({ authorities: [SOA], additionals: [opt()] });
  const parsed = new Answer();
  const asked = new Query();
  const mutations = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 12 });
  fc.assert(
    fc.property(mutations, fc.nat(whole.length), (changes, bytes) => {
      const data = whole.slice();
      for (const [at, value] of changes) data[at] = value;
      const cut = data.slice(0, bytes);
      if (parseAnswer(cut, bytes, parsed)) {
        for (const at of parsed.ttlAt.subarray(0, parsed.ttls)) if (at + 4 > bytes) return false;
        if (parsed.optAt !== 0 && parsed.optEnd > bytes) return false;
        if (dropOptions(cut, bytes, parsed) > bytes) return false;
        truncate(new Uint8Array(512), cut, parsed);
      }
      if (cut.length > 2) cut[2] = (cut[2] as number) & 0x7f;
      const verdict = parseQuery(cut, asked, hashOf);
      return verdict !== QUERY || (asked.questionEnd <= bytes && asked.hash >= 0);
    }),
    { numRuns: 20_000, seed: runSeed() },
  );
  t.pass();
});

test('truncate() leaves header, question and OPT, and sets TC', t => {
  const data = answer({ additionals: [opt([{ code: 3, data: Buffer.alloc(4) }])] });
  const parsed = new Answer();
  parseAnswer(data, data.length, parsed);
  const out = new Uint8Array(512).fill(0xaa);
  const bytes = truncate(out, data, parsed);
  const decoded = packet.decode(Buffer.from(out.slice(0, bytes)));
  t.true(decoded.flag_tc);
  t.is(decoded.answers?.length, 0);
  t.is(decoded.additionals?.length, 1);
  t.is(decoded.questions?.[0]?.name, 'www.example.com');
});

test('sameQuestion() compares letters in either case and nothing else', t => {
  const data = query('a-b.example.com');
  const bytes = read(data).questionEnd - 12;
  t.is(sameQuestion(query('A-B.EXAMPLE.com'), 12, data, bytes), SAME);
  t.is(sameQuestion(data, 12, data, bytes), EXACT);
  t.is(sameQuestion(query('a-b.example.con'), 12, data, bytes), 0);
  const at = query('a@b.example.com');
  const grave = query('a`b.example.com');
  t.is(sameQuestion(at, 12, grave, bytes), 0);
  const types = [0x41, 0x61].map(type => {
    const changed = data.slice();
    write16(changed, 12 + bytes - 4, type);
    return changed;
  });
  t.is(sameQuestion(types[0]!, 12, types[1]!, bytes), 0);
});

test('nameBytes() takes names and says why not', t => {
  t.deepEqual(nameBytes('Ab.c.'), Uint8Array.from([2, 97, 98, 1, 99, 0]));
  for (const text of ['', 'a..b', 'x'.repeat(64), 'a b', 'ä', new Array(64).fill('abc').join('.')]) {
    t.is(typeof nameBytes(text), 'string', text);
  }
  t.is(nameText(Uint8Array.from([3, 46, 7, 97, 0]), 0, 5), '\\046\\007a');
});
