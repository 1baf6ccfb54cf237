// Answers, queries and errors that somebody forged, damaged or spoilt on their way: what the forwarder makes of them.
import test from 'ava';
import dns from 'dns-packet';
import { answerTo, DnsLab, OUTSIDE, opt, query, record, SECOND, SERVER } from '../../../test/dns-lab.ts';
import { icmpError, ipv4, UDP, udp } from '../../../test/packets.ts';
import { DNS_SPOILS, DNS_SPOOFS, DNS_TRY_TICKS } from '../core/limits.ts';

const A = record('www.example.com', '192.0.2.1');
const ASK = query('www.example.com');

/** The answers' code as dns-packet names it. */
function codeOf({ message }: { message: dns.DecodedPacket }): string {
  return (message as unknown as { rcode: string }).rcode;
}

test('an answer with a wrong identifier, port, server, question or direction is none', async t => {
  const lab = await DnsLab.create();
  lab.ask(ASK);
  const asked = lab.takeAsked();
  const right = answerTo(asked, [A]);
  const change = (at: number, value: number): Uint8Array => {
    const data = right.slice();
    data[at] = (data[at] as number) ^ value;
    return data;
  };
  lab.reply(asked, change(0, 1));
  lab.reply(asked, change(1, 0x80));
  lab.reply(asked, change(2, 0x80));
  lab.reply(asked, change(2, 0x08));
  lab.reply(asked, change(14, 1));
  lab.reply(asked, change(30, 1));
  lab.reply(asked, right, SECOND);
  lab.reply(asked, right, SERVER, 5353);
  lab.reply(asked, right.slice(0, 11));
  lab.reply(asked, new Uint8Array(0));
  lab.reply(asked, right, SERVER, 53, asked.port ^ 1);
  t.is(lab.told.length, 0);
  // Two do not come this far: the socket does not hear another server, or another port of it.
  t.is(lab.counts().spoofed, 8);
  lab.reply(asked, right);
  t.is(lab.takeTold().message.answers?.length, 1);
});

test('upstream each letter has random case, the answer must have it, and the client gets its own back', async t => {
  const lab = await DnsLab.create();
  const seen = new Set<string>();
  const capitals = new Set<number>();
  for (let i = 0; i < 30; i++) {
    lab.command('dns flush');
    lab.ask(query('wWw.a-9.eXample.com'));
    const asked = lab.takeAsked();
    const sent = asked.message.questions?.[0]?.name ?? '';
    t.is(sent.toLowerCase(), 'www.a-9.example.com');
    seen.add(sent);
    for (const [at, letter] of [...sent].entries()) if (letter !== letter.toLowerCase()) capitals.add(at);
    lab.reply(asked, answerTo(asked, [A]));
    t.is(lab.takeTold().message.questions?.[0]?.name, 'wWw.a-9.eXample.com');
  }
  t.true(seen.size > 25, `${seen.size}`);
  t.is(capitals.size, 14, 'every letter');
  // Signed queries keep their bytes.
  for (const data of [query('WwW.exAmple.com', { additionals: [opt(1232), record('key', '192.0.2.9')] })]) {
    lab.ask(data);
    t.deepEqual(lab.takeAsked().data.slice(2), data.slice(2));
  }
});

test('an answer that spoils the case makes the query go out as it was asked, and in the end all of them', async t => {
  const lab = await DnsLab.create();
  const lower = (data: Uint8Array): Uint8Array => {
    const copy = data.slice();
    for (let i = 12; (copy[i] as number) !== 0; i++)
      if ((copy[i] as number) > 63) copy[i] = (copy[i] as number) | 32;
    return copy;
  };
  for (let i = 0; i < DNS_SPOILS; i++) {
    const name = `Host-${i}.with-so-many-letters.example.com`;
    lab.ask(query(name));
    const first = lab.takeAsked();
    lab.reply(first, lower(answerTo(first, [record(name, '192.0.2.1')])));
    t.is(lab.told.length, 0);
    const again = lab.takeAsked();
    t.is(again.message.questions?.[0]?.name, name);
    t.not(again.port, first.port);
    lab.reply(first, answerTo(first, [record(name, '192.0.2.66')]));
    t.is(lab.told.length, 0, 'what was sent first is void');
    lab.reply(again, lower(answerTo(again, [record(name, '192.0.2.1')])));
    t.is(lab.takeTold().message.answers?.length, 1);
  }
  t.regex(lab.command('show log'), /dns: server 203\.0\.113\.53 does not keep the case of names/);
  lab.ask(query('Last.Example.com'));
  const asked = lab.takeAsked();
  t.is(asked.message.questions?.[0]?.name, 'Last.Example.com');
  lab.reply(asked, lower(answerTo(asked, [record('last.example.com', '192.0.2.1')])));
  t.is(lab.takeTold().message.questions?.[0]?.name, 'Last.Example.com');
  t.is(lab.asked.length, 0);
});

test('after many wrong answers the query goes out again, from another port', async t => {
  const lab = await DnsLab.create();
  lab.ask(ASK);
  const asked = lab.takeAsked();
  const wrong = answerTo(asked, [A]);
  wrong[0] = (wrong[0] as number) ^ 1;
  for (let i = 0; i < DNS_SPOOFS; i++) lab.reply(asked, wrong);
  const again = lab.takeAsked();
  t.not(again.port, asked.port);
  lab.reply(asked, answerTo(asked, [A]));
  t.is(lab.told.length, 0);
  lab.reply(again, answerTo(again, [A]));
  t.is(lab.takeTold().message.answers?.length, 1);
  t.regex(lab.command('show log'), /dns: 16 wrong answers to www\.example\.com/);
});

test('answers cut at every length, and pointer loops, become SERVFAIL and harm nothing', async t => {
  const lab = await DnsLab.create();
  const sample = answerTo({ message: dns.decode(Buffer.from(ASK)) } as never, [A]);
  for (let bytes = 0; bytes < sample.length; bytes++) {
    lab.ask(ASK);
    const asked = lab.takeAsked();
    lab.reply(asked, answerTo(asked, [A]).slice(0, bytes));
    if (bytes < 33) {
      t.is(lab.told.length, 0, `${bytes}`);
      lab.reply(asked, answerTo(asked, [A], { flags: 2 }));
    }
    t.is(codeOf(lab.takeTold()), 'SERVFAIL', `${bytes}`);
  }
  for (const pointer of [
    [0xc0, 33],
    [0xc0, 34],
    [0xff, 0xff],
    [0xc0, 0],
    [0x40, 1],
  ]) {
    lab.ask(ASK);
    const asked = lab.takeAsked();
    const data = answerTo(asked, [A]);
    data.set(pointer, 33);
    lab.reply(asked, data);
    t.is(codeOf(lab.takeTold()), 'SERVFAIL');
  }
  const dead = lab.command('show version');
  t.regex(dead, /control restarted 0 times/);
});

test('queries cut at every length are answered FORMERR, below a header not at all', async t => {
  const lab = await DnsLab.create();
  const data = query('www.example.com', { additionals: [opt(1232)] });
  for (let bytes = 0; bytes < data.length; bytes++) {
    lab.ask(data.slice(0, bytes));
    if (bytes < 12) t.is(lab.told.length, 0);
    else t.is(codeOf(lab.takeTold()), 'FORMERR', `${bytes}`);
  }
  lab.ask(answerTo({ message: dns.decode(Buffer.from(ASK)) } as never, [A]));
  t.is(lab.told.length, 0);
  t.is(lab.asked.length, 0);
});

test('ICMP unreachable and a WAN without a way end the wait at once', async t => {
  const lab = await DnsLab.create();
  lab.ask(ASK);
  for (let tries = 0; tries < DNS_TRY_TICKS.length; tries++) {
    const asked = lab.takeAsked();
    const about = (data: Uint8Array, to = SERVER, port = asked.port): void => {
      const quoted = udp({ source: OUTSIDE, destination: to, ttl: 64 }, port, 53, data);
      lab.sendFrame(1, icmpError({ source: SERVER, destination: OUTSIDE, ttl: 64 }, 3, 3, quoted));
    };
    const other = asked.data.slice();
    other[1] = (other[1] as number) ^ 1;
    about(other);
    const spoilt = asked.data.slice();
    spoilt[13] = (spoilt[13] as number) ^ 32;
    about(spoilt);
    about(asked.data.slice(0, 11));
    about(asked.data, SERVER, asked.port ^ 1);
    t.is(lab.asked.length + lab.told.length, 0, 'who has not seen the query cannot end it');
    about(asked.data);
  }
  t.is(codeOf(lab.takeTold()), 'SERVFAIL');
  lab.command('unset dns server');
  lab.ask(ASK);
  t.is(codeOf(lab.takeTold()), 'SERVFAIL');
  t.is(lab.asked.length, 0);
});

test('nothing answers on the WAN', async t => {
  const lab = await DnsLab.create();
  lab.exchange(ASK, [A]);
  const before = lab.counts().queries;
  lab.sendFrame(1, udp({ source: '203.0.113.9', destination: '203.0.113.2', ttl: 64 }, 4000, 53, ASK));
  lab.sendFrame(1, udp({ source: '203.0.113.9', destination: '192.168.0.1', ttl: 64 }, 4000, 53, ASK));
  lab.sendFrame(
    1,
    ipv4({ source: '203.0.113.9', destination: '203.0.113.2', ttl: 64 }, UDP, new Uint8Array(8)),
  );
  lab.wait(10);
  t.is(lab.other.length, 0);
  t.is(lab.told.length, 0);
  t.is(lab.counts().queries, before);
});
