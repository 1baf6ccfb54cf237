import test from 'ava';
import dns from 'dns-packet';
import fc from 'fast-check';
import { answerTo, DnsLab, opt, query, record } from '../../../test/dns-lab.ts';
import { read } from '../../../test/packets.ts';
import { runSeed } from '../../../tools/harness/random.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { framed, GIVE_UP, MessageStream, READ_ON, WAIT } from './stream.ts';

const A = record('www.example.com', '192.0.2.1');

test('MessageStream finds messages however the stream is cut, and ends at one too long', t => {
  const messages = [1, 300, 2, 512].map((bytes, i) => new Uint8Array(bytes).fill(i));
  const whole = Uint8Array.from(messages.flatMap(message => [...framed(message)]));
  for (let cut = 1; cut < whole.length; cut += 7) {
    const found: Uint8Array[] = [];
    const stream = new MessageStream(512, message => (found.push(message) > 0 ? READ_ON : GIVE_UP));
    for (let at = 0; at < whole.length; at += cut) {
      const piece = whole.subarray(at, at + cut);
      t.is(stream.take(piece), piece.length);
    }
    t.deepEqual(found, messages);
  }
  const never = (): number => {
    t.fail();
    return GIVE_UP;
  };
  t.is(new MessageStream(512, never).take(framed(new Uint8Array(513))), -1);
  let taken = 0;
  const refusing = new MessageStream(512, () => (++taken < 3 ? READ_ON : GIVE_UP));
  t.is(refusing.take(new Uint8Array(1460)), -1, 'of 730 empty messages');
  t.is(taken, 3);
});

test('MessageStream leaves what is behind a message for later, and hands on the beginning of one too long', t => {
  const messages = [3, 5, 2000, 4].map((bytes, i) => new Uint8Array(bytes).fill(i));
  const whole = Uint8Array.from(messages.flatMap(message => [...framed(message)]));
  const found: string[] = [];
  const stream = new MessageStream(
    600,
    (message, isWhole) => {
      found.push(`${message[0]} ${message.length} ${isWhole}`);
      return WAIT;
    },
    true,
  );
  let at = 0;
  for (let i = 1; at < whole.length; i++) {
    at += stream.take(whole.subarray(at));
    t.is(found.length, i);
  }
  t.deepEqual(found, ['0 3 true', '1 5 true', '2 512 false', '3 4 true']);
});

test('resolve() finds the time server, from a server or from here', async t => {
  const lab = await DnsLab.create('set dns host clock.example.org 198.51.100.9');
  lab.command('set ntp server time.example.org');
  for (let i = 0; i < 60 && lab.asked.length === 0; i++) lab.wait(TICKS_PER_SECOND);
  const asked = lab.takeAsked();
  t.is(asked.message.questions?.[0]?.name.toLowerCase(), 'time.example.org');
  lab.other.length = 0;
  const answers = [
    record('time.example.org', 'ntp.example.org', 300, 'CNAME'),
    record('ntp.example.org', '198.51.100.7'),
  ];
  lab.reply(asked, answerTo(asked, answers));
  lab.wait(TICKS_PER_SECOND);
  const toTime = (): string[] =>
    lab.other
      .map(read)
      .flatMap(({ destination, destinationPort }) => (destinationPort === 123 ? [destination] : []));
  t.true(toTime().includes('198.51.100.7'), toTime().join());
  lab.command('unset ntp server time.example.org');
  lab.command('set ntp server clock.example.org');
  lab.other.length = 0;
  for (let i = 0; i < 60 && toTime().length === 0; i++) lab.wait(TICKS_PER_SECOND);
  t.true(toTime().includes('198.51.100.9'), toTime().join());
});

test('a reserved host has its name, both ways', async t => {
  const lab = await DnsLab.create('set dhcp reserve 02:00:00:00:00:77 192.168.0.77 laser');
  lab.ask(query('LASER.home.arpa'));
  t.like(lab.takeTold().message.answers?.[0], { data: '192.168.0.77' });
  lab.ask(query('77.0.168.192.in-addr.arpa', {}, 'PTR'));
  t.like(lab.takeTold().message.answers?.[0], { data: 'laser.home.arpa' });
});

test('mutated queries and answers leave nothing behind', async t => {
  const lab = await DnsLab.create();
  const buffers = (): string | undefined => lab.command('show memory').match(/packet buffers .*/)?.[0];
  const before = buffers();
  const base = query('www.example.com', { additionals: [opt(1232, [{ code: 10, data: Buffer.alloc(8) }])] });
  const mutation = fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { minLength: 1, maxLength: 6 });
  const apply = (data: Uint8Array, changes: [number, number][], cut: number): Uint8Array => {
    const changed = data.slice(0, Math.max(data.length - cut, 0));
    for (const [at, value] of changed.length === 0 ? [] : changes) changed[at % changed.length] = value;
    return changed;
  };
  const seed = runSeed();
  t.log(`MASQBOX_SEED=${seed}`);
  const samples = fc.sample(fc.tuple(mutation, mutation, fc.nat(3)), { numRuns: 400, seed });
  for (const [queryChanges, answerChanges, cut] of samples) {
    lab.ask(apply(base, queryChanges, cut));
    lab.ask(query('www.example.com'));
    for (const asked of lab.asked.splice(0)) {
      if (asked.message.questions === undefined) continue;
      const answer = answerTo({ ...asked, message: dns.decode(Buffer.from(query('www.example.com'))) }, [
        A,
        A,
      ]);
      answer.set(asked.data.slice(0, 2));
      lab.reply(asked, apply(answer, answerChanges, cut));
    }
    lab.told.length = 0;
  }
  lab.wait(10 * TICKS_PER_SECOND);
  t.regex(lab.command('show dns'), / 0 queries under way/);
  t.regex(lab.command('show version'), /control restarted 0 times/);
  t.is(buffers(), before);
  lab.command('dns flush');
  lab.told.length = 0;
  lab.asked.length = 0;
  t.is(lab.exchange(query('www.example.com'), [A]).message.answers?.length, 1);
});
