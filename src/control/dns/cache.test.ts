import test, { type ExecutionContext } from 'ava';
import packet from 'dns-packet';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { DNS_CACHE_BYTES, DNS_CACHE_ENTRIES, UDP_SEND_BYTES } from '../core/limits.ts';
import { Cache } from './cache.ts';
import { Answer, type NameHash, parseAnswer, parseQuery, Query } from './message.ts';

const out = new Uint8Array(UDP_SEND_BYTES);

/** A hash that tells these names apart. */
const hashOf: NameHash = (data, from, end) => {
  let hash = 0;
  for (const byte of data.subarray(from, end)) hash = (Math.imul(hash, 31) + (byte | 32)) | 0;
  return hash;
};

function queryOf(name: string): { data: Uint8Array; query: Query } {
  const data = Uint8Array.from(
    packet.encode({ type: 'query', id: 1, questions: [{ name, type: 'A', class: 'IN' }] }),
  );
  const query = new Query();
  parseQuery(data, query, hashOf);
  return { data, query };
}

function answerOf(name: string, text: string, ttl = 300): Uint8Array {
  const answers: packet.Answer[] = [
    { type: 'TXT', name, ttl, data: text },
    { type: 'A', name, ttl: ttl + 100, data: '192.0.2.1' },
  ];
  const questions: packet.Question[] = [{ name, type: 'A', class: 'IN' }];
  return Uint8Array.from(packet.encode({ type: 'response', id: 1, questions, answers }));
}

function put(cache: Cache, name: string, now: number, text = 'x', ttl = 300): void {
  const data = answerOf(name, text, ttl);
  const answer = new Answer();
  parseAnswer(data, data.length, answer);
  cache.insert(data, data.length, queryOf(name).query, answer, now);
}

function get(cache: Cache, name: string, now: number): packet.DecodedPacket | undefined {
  const { data, query } = queryOf(name);
  const bytes = cache.find(data, query, now, out);
  return bytes === 0 ? undefined : packet.decode(Buffer.from(out.slice(0, bytes)));
}

function textOf(found: packet.DecodedPacket): string {
  return String((found.answers as packet.TxtAnswer[])[0]?.data);
}

function ttls(found: packet.DecodedPacket | undefined): number[] | undefined {
  return found?.answers?.map(record => (record as { ttl: number }).ttl);
}

test('find() counts TTLs down, and ends with the shortest', t => {
  const cache = new Cache();
  const start = 0x7fffff00; // the tick counter passes its sign on the way
  put(cache, 'www.example.com', start);
  const after = (seconds: number): number => (start + seconds * TICKS_PER_SECOND) | 0;
  t.deepEqual(ttls(get(cache, 'WWW.example.com', start)), [300, 400]);
  t.deepEqual(ttls(get(cache, 'www.example.com', after(1) - 1)), [300, 400]);
  t.deepEqual(ttls(get(cache, 'www.example.com', after(100))), [200, 300]);
  t.deepEqual(ttls(get(cache, 'www.example.com', after(299))), [1, 101]);
  t.is(get(cache, 'www.example.com', after(300)), undefined);
  t.is(get(cache, 'example.com', after(1)), undefined);
});

test('insert() replaces: one answer for one question', t => {
  const cache = new Cache();
  put(cache, 'a.example', 0, 'old');
  put(cache, 'a.example', 100, 'new');
  t.is(textOf(get(cache, 'a.example', 200)!), 'new');
  put(cache, 'A.example', 300, 'newer', 10);
  t.deepEqual(ttls(get(cache, 'a.example', 300)), [10, 110]);
  t.is(get(cache, 'a.example', 300 + 1000), undefined);
});

test('a flood of names that nobody asks for twice leaves those in use', t => {
  const cache = new Cache();
  const used = Array.from({ length: 60 }, (_, i) => `host-${i}.example.com`);
  for (const name of used) put(cache, name, 0);
  for (const name of used) t.truthy(get(cache, name, 1));
  for (let i = 0; i < 20_000; i++) {
    put(cache, `random-${i}.attack.example`, 2, 'y'.repeat(i % 200));
    if (i % 100 === 0) for (const name of used) get(cache, name, 3);
    if (cache.count > DNS_CACHE_ENTRIES || cache.bytes > DNS_CACHE_BYTES) t.fail();
  }
  for (const name of used) t.truthy(get(cache, name, 4), name);
});

/** Asks for names and keeps them, some more often than others; what is found must be what was kept. Answers how often. */
function churn(t: ExecutionContext, cache: Cache, turns: number, texts = new Map<string, string>()): number {
  let state = 7;
  const random = (n: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return (state >> 8) % n;
  };
  let hits = 0;
  for (let i = 0; i < turns; i++) {
    const name = `n${Math.min(random(900), random(900))}.example`;
    const found = get(cache, name, i);
    if (found !== undefined) {
      hits++;
      const text = textOf(found);
      if (text !== texts.get(name))
        t.fail(`${name}: ${text.slice(0, 20)}, not ${texts.get(name)?.slice(0, 20)}`);
      if (found.questions?.[0]?.name !== name) t.fail(name);
    } else {
      const text = String.fromCharCode(97 + random(26)).repeat(1 + random(250)) + i;
      texts.set(name, text.slice(-250));
      put(cache, name, i, text.slice(-250), 1 + random(3000));
    }
    if (cache.count > DNS_CACHE_ENTRIES || cache.bytes > DNS_CACHE_BYTES) t.fail();
  }
  return hits;
}

test('what is found is what was kept, through any number of turns', t => {
  const hits = churn(t, new Cache(), 30_000);
  t.true(hits > 8000, `${hits} hits`);
});

test('the cache takes nothing before the first answer, then what its answers need, and gives it back', t => {
  let asked = 0;
  const cache = new Cache(DNS_CACHE_BYTES, DNS_CACHE_ENTRIES, bytes => {
    asked += bytes;
    return true;
  });
  t.is(get(cache, 'a.example', 0), undefined);
  t.is(asked, 0);
  put(cache, 'a.example', 0);
  t.true(asked > 0 && asked < 8192, `${asked}`);
  const texts = new Map<string, string>();
  churn(t, cache, 8_000, texts);
  const steps = asked;
  churn(t, cache, 1_000, texts);
  t.is(asked, steps);
  cache.clear();
  put(cache, 'a.example', 0);
  t.truthy(get(cache, 'a.example', 0));
  t.true(asked - steps < 8192);
});

test('where the heap has no room the cache does with what it has, and grows later', t => {
  for (const room of [0, 1, 2, 4, 6]) {
    let left = room;
    const cache = new Cache(DNS_CACHE_BYTES, DNS_CACHE_ENTRIES, () => left-- > 0);
    const texts = new Map<string, string>();
    const hits = churn(t, cache, 1_500, texts);
    t.is(hits > 0, room > 1, `${room} steps, ${hits} hits`);
    left = 20;
    const later = churn(t, cache, 8_000, texts);
    t.true(later > 500, `${room} steps, then ${later} hits`);
  }
});

test('room that comes and goes spoils nothing', t => {
  let turn = 0;
  const cache = new Cache(DNS_CACHE_BYTES, DNS_CACHE_ENTRIES, () => ++turn % 4 !== 3);
  t.true(churn(t, cache, 14_000) > 300);
});

test('all entries in use, of the smallest answers', t => {
  const cache = new Cache();
  for (let i = 0; i < 4 * DNS_CACHE_ENTRIES; i++) {
    const name = `${i}.x`;
    put(cache, name, 0, '');
    t.truthy(get(cache, name, 0));
  }
  t.true(cache.count <= DNS_CACHE_ENTRIES);
  t.true(cache.count > DNS_CACHE_ENTRIES / 2);
  cache.clear();
  t.is(cache.count, 0);
  t.is(get(cache, `${4 * DNS_CACHE_ENTRIES - 1}.x`, 0), undefined);
  put(cache, 'again.x', 0);
  t.truthy(get(cache, 'again.x', 0));
});

test('insert() keeps what fits a datagram with the offsets of its TTLs, and nothing longer', t => {
  const small = answerOf('big.example', 'x');
  const answer = new Answer();
  parseAnswer(small, small.length, answer);
  const most = UDP_SEND_BYTES - 2 * answer.ttls;
  for (const bytes of [most, most + 1]) {
    const cache = new Cache();
    const data = new Uint8Array(bytes);
    data.set(small);
    cache.insert(data, bytes, queryOf('big.example').query, answer, 0);
    t.is(cache.count, bytes === most ? 1 : 0);
    t.is(get(cache, 'big.example', 0) !== undefined, bytes === most);
  }
});
