import test from 'ava';
import type dns from 'dns-packet';
import {
  type Asked,
  answerTo,
  DnsLab,
  HOST,
  opt,
  query,
  RA,
  RD,
  record,
  SECOND,
  SERVER,
} from '../../../test/dns-lab.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import {
  DNS_ALLOWED,
  DNS_CLIENT_FLIGHTS,
  DNS_FLIGHTS,
  DNS_HOSTS,
  DNS_NEGATIVE_SECONDS,
} from '../core/limits.ts';

const A = record('www.example.com', '192.0.2.1');
const ASK = query('www.example.com');

/** The answers' code as dns-packet names it. */
function codeOf({ message }: { message: dns.DecodedPacket }): string {
  return (message as unknown as { rcode: string }).rcode;
}

test('a query is passed on as it came, but for its identifier and the case of its letters', async t => {
  const lab = await DnsLab.create();
  const folded = (data: Uint8Array): string => Buffer.from(data.slice(2)).toString('latin1').toLowerCase();
  const options = [{ code: 65001, data: Buffer.from('unknown') }];
  for (const [i, data] of [
    query('WwW.exAmple.com', { id: 0x1234, additionals: [opt(1232, options, 0x8000)] }),
    query('www.example.com', { flags: RD | 0x0070 }),
    query('_odd.example.com', {}, 'UNKNOWN_65280'),
    Uint8Array.from([...query('www.example.com').slice(0, -2), 0, 3]), // class CH
    query('www.example.com', { additionals: [record('key.example', '192.0.2.9')] }),
    Uint8Array.from([...query('www.example.com'), 1, 2, 3]),
  ].entries()) {
    lab.ask(data);
    const asked = lab.asked.shift()!;
    t.is(folded(asked.data), folded(data), `query ${i}`);
    t.is(asked.server, SERVER);
  }
});

test('identifiers and ports are different for each query, and no port stays open', async t => {
  const lab = await DnsLab.create();
  const seen = new Set<string>();
  for (let i = 0; i < 50; i++) {
    lab.ask(query(`host-${i}.example.com`));
    const asked = lab.takeAsked();
    seen.add(`port ${asked.port}`).add(`id ${asked.message.id}`);
    lab.reply(asked, answerTo(asked, [record(`host-${i}.example.com`, '192.0.2.1')]));
    lab.reply(asked, answerTo(asked, [record(`host-${i}.example.com`, '192.0.2.2')]));
    t.is(lab.takeTold().message.id, 1);
  }
  t.true(seen.size > 97, `${seen.size}`);
  t.is(lab.counts().spoofed, 0);
});

test('an answer reaches the client as it came, with names in its own case', async t => {
  const lab = await DnsLab.create();
  lab.ask(query('wWw.Example.com', { id: 4711, additionals: [opt(4096)] }));
  const asked = lab.takeAsked();
  const odd = {
    ...record('www.example.com', ''),
    type: 'UNKNOWN_65280',
    data: Buffer.from('abc'),
  } as unknown as dns.Answer;
  const sent = answerTo(asked, [odd, A], {
    flags: 0x0460,
    additionals: [opt(1232, [{ code: 15, data: Buffer.from([0, 3]) }])],
  });
  lab.reply(asked, sent);
  const { data, message, port } = lab.takeTold();
  t.is(port, 4000);
  t.is(message.id, 4711);
  t.is(message.questions?.[0]?.name, 'wWw.Example.com');
  const expected = sent.slice();
  expected.set(query('wWw.Example.com').slice(12), 12);
  t.deepEqual(data.slice(2), expected.slice(2));
});

test('servers are told that 1,232 bytes are taken, and clients get what they take, or TC', async t => {
  const lab = await DnsLab.create();
  const long = Array.from({ length: 20 }, (_, i) => record('www.example.com', `192.0.2.${i}`));
  for (const [size, most] of [
    [0, 512],
    [512, 512],
    [900, 900],
    [4096, 4096],
  ] as const) {
    lab.command('dns flush');
    lab.ask(query('www.example.com', size === 0 ? {} : { additionals: [opt(size)] }));
    const asked = lab.takeAsked();
    const told = (asked.message.additionals?.[0] as { udpPayloadSize?: number } | undefined)?.udpPayloadSize;
    t.is(told, size === 0 ? undefined : Math.min(size, 1232));
    lab.reply(asked, answerTo(asked, long, size === 0 ? {} : { additionals: [opt(1232)] }));
    const { data, message } = lab.takeTold();
    t.true(data.length <= most);
    t.is(message.flag_tc, most < 700);
    t.is(message.answers?.length, most < 700 ? 0 : 20);
    t.is(message.additionals?.length, size === 0 ? 0 : 1);
  }
  // Fragments are not put together for us: what passes the WAN in one piece is what is asked for.
  for (const [mtu, told] of [
    [700, 672],
    [300, 512],
  ] as const) {
    lab.command(`set wan mtu ${mtu}`);
    lab.ask(query(`${mtu}.example.net`, { additionals: [opt(4096)] }));
    const asked = lab.asked.pop();
    t.is((asked?.message.additionals?.[0] as { udpPayloadSize?: number } | undefined)?.udpPayloadSize, told);
  }
});

test('TC is passed on, and such an answer is not kept', async t => {
  const lab = await DnsLab.create();
  for (let i = 0; i < 2; i++) t.true(lab.exchange(ASK, [], { flags: 0x0200 }).message.flag_tc);
});

test('TC is passed on as well when the last record is cut, as old servers cut', async t => {
  const lab = await DnsLab.create();
  lab.ask(query('WWW.example.com', { id: 9, additionals: [opt(4096)] }));
  const asked = lab.takeAsked();
  lab.reply(asked, answerTo(asked, [A, A], { flags: 0x0200 }).slice(0, -3));
  const { message } = lab.takeTold();
  t.is(codeOf({ message }), 'NOERROR');
  t.true(message.flag_tc);
  t.is(message.id, 9);
  t.is(message.questions?.[0]?.name, 'WWW.example.com');
  t.is(message.answers?.length, 0);
  lab.ask(query('www.example.com', { additionals: [opt(4096)] }));
  t.is(lab.asked.length, 1, 'it is not kept');
});

test('from the cache: TTLs counted down, flags and EDNS apart, AA cleared, another client too', async t => {
  const lab = await DnsLab.create();
  lab.exchange(ASK, [A], { flags: 0x0400 });
  lab.wait(10 * TICKS_PER_SECOND);
  lab.ask(query('WWW.example.com', { id: 2 }), '192.168.0.11', 5353);
  const told = lab.takeTold();
  t.is(told.host, '192.168.0.11');
  t.is(told.port, 5353);
  t.like(told.message.answers?.[0], { ttl: 290 });
  t.is(told.message.questions?.[0]?.name, 'WWW.example.com');
  t.false(told.message.flag_aa);
  t.is(lab.asked.length, 0);
  lab.exchange(query('www.example.com', { additionals: [opt(1232)] }), [A], { additionals: [opt(1232)] });
  lab.exchange(query('www.example.com', { flags: RD | 0x10 }), [A]);
  lab.wait(290 * TICKS_PER_SECOND);
  lab.exchange(ASK, [A]);
  lab.command('dns flush');
  lab.exchange(ASK, [A]);
});

test('what does not exist is kept as its SOA record says', async t => {
  const lab = await DnsLab.create();
  const data = {
    mname: 'ns.example',
    rname: 'r.example',
    serial: 1,
    refresh: 2,
    retry: 3,
    expire: 4,
    minimum: 30,
  };
  const soa = { type: 'SOA', name: 'example.com', ttl: 900, data } as dns.Answer;
  lab.exchange(ASK, [], { flags: 3, authorities: [soa] });
  lab.wait(29 * TICKS_PER_SECOND);
  lab.ask(ASK);
  t.is(codeOf(lab.takeTold()), 'NXDOMAIN');
  lab.wait(1 * TICKS_PER_SECOND);
  // Without one for a moment.
  lab.exchange(ASK, [], { flags: 3 });
  lab.wait((DNS_NEGATIVE_SECONDS - 1) * TICKS_PER_SECOND);
  lab.ask(ASK);
  t.is(codeOf(lab.takeTold()), 'NXDOMAIN');
  lab.wait(TICKS_PER_SECOND);
  lab.exchange(ASK, [], { flags: 2 });
  lab.exchange(ASK, [], { flags: 2 });
});

test('the same question is asked once, and each client gets its answer', async t => {
  const lab = await DnsLab.create();
  // Hosts that have spoken with the router before: it knows their stations.
  for (let i = 0; i < 150; i++) lab.ask(query('masqbox'), `192.168.0.${20 + i}`);
  lab.told.length = 0;
  const cookie = (byte: number) => [opt(1232, [{ code: 10, data: Buffer.alloc(8, byte) }])];
  lab.ask(query('www.example.com', { id: 7, additionals: cookie(7) }));
  lab.ask(query('www.example.com', { id: 7, additionals: cookie(7) }));
  for (let i = 0; i < 150; i++) {
    lab.ask(
      query(i % 2 === 0 ? 'WWW.example.com' : 'www.Example.com', { id: 100 + i, additionals: cookie(i) }),
      `192.168.0.${20 + i}`,
    );
  }
  const [asked, ...repeated] = lab.asked.splice(0) as [Asked, ...Asked[]];
  for (const { port } of repeated) t.is(port, asked.port, 'meanwhile it was sent again');
  lab.reply(
    asked,
    answerTo(asked, [A], { additionals: [opt(1232, [{ code: 10, data: Buffer.alloc(16, 7) }])] }),
  );
  lab.wait(6);
  t.is(lab.told.length, 151);
  const [first, ...others] = lab.told.splice(0);
  const optionsOf = ({ message }: { message: dns.DecodedPacket }) =>
    (message.additionals as unknown as { options: unknown[] }[])[0]?.options.length;
  t.is(first!.message.id, 7);
  t.is(optionsOf(first!), 1);
  for (const [i, { message, host }] of others.entries()) {
    t.is(host, `192.168.0.${20 + i}`);
    t.is(message.id, 100 + i);
    t.is(message.questions?.[0]?.name, i % 2 === 0 ? 'WWW.example.com' : 'www.Example.com');
    t.is(optionsOf({ message }), 0);
  }
  lab.ask(query('www.example.com', { additionals: cookie(9) }));
  t.is(optionsOf(lab.takeTold()), 0);
});

test('a server that is silent is asked again, then the next; in the end SERVFAIL', async t => {
  const lab = await DnsLab.create(`set dns server ${SERVER} ${SECOND}`);
  lab.ask(ASK);
  t.is(lab.takeAsked().server, SERVER);
  lab.wait(0.5 * TICKS_PER_SECOND);
  const second = lab.takeAsked();
  t.is(second.server, SECOND);
  lab.reply(second, answerTo(second, [A]));
  lab.takeTold();
  lab.wait(TICKS_PER_SECOND);
  // Silent twice: the second server comes first from now on, and after a while the first is tried again.
  lab.ask(query('b.example.com'));
  lab.wait(0.5 * TICKS_PER_SECOND);
  const [before, next] = lab.asked.splice(0);
  t.deepEqual([before!.server, next!.server], [SERVER, SECOND]);
  lab.reply(next!, answerTo(next!, [A]));
  lab.takeTold();
  t.is(lab.probes.length, 1);
  t.regex(lab.command('show dns'), /203\.0\.113\.53 +doubted/);
  lab.ask(query('c.example.com'));
  const asked = lab.takeAsked();
  t.is(asked.server, SECOND);
  lab.wait(6 * TICKS_PER_SECOND);
  t.is(codeOf(lab.takeTold()), 'SERVFAIL');
  t.regex(lab.command('show dns'), /203\.0\.113\.53 +down/);
  lab.asked.length = 0;
  lab.wait(15 * TICKS_PER_SECOND);
  lab.ask(query('d.example.com'));
  const trial = lab.takeAsked();
  t.is(trial.server, SERVER);
  lab.reply(trial, answerTo(trial, [record('d.example.com', '192.0.2.4')]));
  lab.takeTold();
  t.regex(lab.command('show dns'), /203\.0\.113\.53 +up/);
});

test('one server: repetitions have the same port and identifier, and a late answer counts', async t => {
  const lab = await DnsLab.create();
  lab.ask(ASK);
  lab.wait(3 * TICKS_PER_SECOND);
  t.is(lab.asked.length, 5);
  const [first, second] = lab.asked;
  t.is(first!.port, second!.port);
  t.is(first!.message.id, second!.message.id);
  lab.reply(first!, answerTo(first!, [A]));
  t.is(lab.takeTold().message.answers?.length, 1);
});

test('a server that drops a type, or is slow, is not silent: it stays first, and the log has nothing of it', async t => {
  const lab = await DnsLab.create(`set dns server ${SERVER} ${SECOND}`);
  const serve = (): void => {
    for (const asked of lab.asked.splice(0))
      if (asked.server === SERVER && asked.message.questions?.[0]?.type === 'A')
        lab.reply(asked, answerTo(asked, []));
    for (const asked of lab.probes.splice(0)) lab.reply(asked, answerTo(asked, []));
  };
  for (let i = 0; i < 20; i++) {
    for (const type of ['A', 'UNKNOWN_65']) lab.ask(query(`n${i}.example.com`, {}, type));
    serve();
  }
  for (let i = 0; i < 60; i++) {
    lab.wait(10);
    serve();
  }
  t.is(lab.told.length, 40);
  // Alone, without an A beside it.
  for (let i = 0; i < 3; i++) {
    lab.ask(query(`m${i}.example.com`, {}, 'UNKNOWN_65'));
    for (let j = 0; j < 60; j++) {
      lab.wait(10);
      if (j % 20 === 19) serve();
    }
  }
  t.notRegex(lab.command('show log'), /answer/);
  lab.ask(query('last.example.com'));
  t.is(lab.asked[0]?.server, SERVER);
});

test('SERVFAIL and REFUSED of one server make the next be asked; of the last they are passed on', async t => {
  const lab = await DnsLab.create(`set dns server ${SERVER} ${SECOND}`);
  for (const flags of [2, 5]) {
    lab.ask(ASK);
    const first = lab.takeAsked();
    lab.reply(first, answerTo(first, [], { flags }));
    const second = lab.takeAsked();
    t.is(second.server, SECOND);
    lab.reply(second, answerTo(second, [], { flags }));
    t.is(codeOf(lab.takeTold()), flags === 2 ? 'SERVFAIL' : 'REFUSED');
  }
});

test('a server that leaves the question out says no more than its code', async t => {
  const lab = await DnsLab.create();
  lab.ask(query('www.example.com', { id: 5, additionals: [opt(1232)] }));
  const asked = lab.takeAsked();
  lab.reply(asked, Uint8Array.from([asked.data[0]!, asked.data[1]!, 0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0]));
  const told = lab.takeTold();
  t.is(codeOf(told), 'FORMERR');
  t.is(told.message.id, 5);
  t.is(told.message.questions?.[0]?.name, 'www.example.com');
});

test('one client has its share of the queries under way, its oldest goes for a new one, and others push in', async t => {
  const lab = await DnsLab.create();
  for (let i = 0; i < DNS_CLIENT_FLIGHTS + 10; i++) lab.ask(query(`${i}.attack.example`, { id: i }));
  const lost = lab.told.splice(0);
  t.deepEqual(
    lost.map(({ message }) => message.id),
    Array.from({ length: 10 }, (_, i) => i),
  );
  // The first of them have been asked for again meanwhile.
  const names = lab.asked.splice(0).map(({ message }) => message.questions?.[0]?.name.toLowerCase());
  t.is(new Set(names).size, DNS_CLIENT_FLIGHTS + 10);
  for (let i = 0; i < DNS_FLIGHTS - DNS_CLIENT_FLIGHTS + 10; i++)
    lab.ask(query(`${i}.good.example`, { id: i }), '192.168.0.77', 4000, '02:00:00:00:01:77');
  const good = lab.asked.map(({ message }) => message.questions?.[0]?.name.toLowerCase() ?? '');
  t.is(
    new Set(good.filter(name => name.endsWith('.good.example'))).size,
    DNS_FLIGHTS - DNS_CLIENT_FLIGHTS + 10,
  );
  t.is(lab.told.length, 10);
  for (const { host } of lab.told.splice(0)) t.is(host, HOST);
  lab.wait(6 * TICKS_PER_SECOND);
  t.is(lab.told.length, DNS_FLIGHTS);
  for (const told of lab.told.splice(0)) t.is(codeOf(told), 'SERVFAIL');
  t.regex(lab.command('show dns'), / 0 queries under way/);
  lab.asked.length = 0;
  t.is(lab.exchange(ASK, [A]).message.answers?.length, 1);
});

test('names of the LAN are answered here', async t => {
  const lab = await DnsLab.create(
    'set dns host Printer 192.168.0.9',
    'set dns host nas.example.com 192.168.0.8',
  );
  const ask = (name: string, type = 'A', options: Partial<dns.Packet> = {}): dns.DecodedPacket => {
    lab.ask(query(name, options, type));
    if (lab.asked.length > 0) throw new Error(`${name} left the LAN`);
    return lab.takeTold().message;
  };
  const data = (message: dns.DecodedPacket): unknown =>
    (message.answers?.[0] as { data: unknown } | undefined)?.data;
  t.is(data(ask('masqbox')), '192.168.0.1');
  t.is(data(ask('MASQBOX.home.ARPA')), '192.168.0.1');
  t.is(data(ask('printer')), '192.168.0.9');
  t.is(data(ask('printer.home.arpa')), '192.168.0.9');
  t.is(data(ask('nas.example.com')), '192.168.0.8');
  t.is(data(ask('9.0.168.192.in-addr.arpa', 'PTR')), 'printer.home.arpa');
  t.is(data(ask('1.0.168.192.in-addr.arpa', 'PTR')), 'masqbox.home.arpa');
  t.is(data(ask('8.0.168.192.in-addr.arpa', 'PTR')), 'nas.example.com');
  const edns = ask('printer', 'A', { additionals: [opt(1232)] });
  t.is(edns.additionals?.length, 1);
  const nodata = ask('printer', 'AAAA');
  t.is(codeOf({ message: nodata }), 'NOERROR');
  t.is(nodata.answers?.length, 0);
  t.is(nodata.authorities?.[0]?.type, 'SOA');
  for (const name of [
    'nobody.home.arpa',
    '7.0.168.192.in-addr.arpa',
    '1.2.3.10.in-addr.arpa',
    'b.16.172.in-addr.arpa',
  ].slice(0, 3)) {
    const message = ask(name, 'PTR');
    t.is(codeOf({ message }), 'NXDOMAIN', name);
    t.is(message.authorities?.[0]?.type, 'SOA', name);
  }
  t.is(codeOf({ message: ask('168.192.in-addr.arpa', 'NS') }), 'NOERROR');
  t.is(codeOf({ message: ask('home.arpa', 'SOA') }), 'NOERROR');
  for (const name of ['8.8.8.8.in-addr.arpa', 'home.arpa.example.com', 'xhome.arpa']) {
    lab.ask(query(name, {}, 'PTR'));
    lab.takeAsked();
  }
  lab.command('set dns domain office.example');
  t.is(data(ask('printer.office.example')), '192.168.0.9');
  t.is(data(ask('9.0.168.192.in-addr.arpa', 'PTR')), 'printer.office.example');
});

test('settings are listed, taken back, and refused with a cause', async t => {
  const lab = await DnsLab.create();
  const lines = [
    `set dns server ${SECOND} ${SERVER}`,
    'set dns domain office.example',
    'set dns host printer 192.168.0.9',
    'set dns rebind off',
    'set dns allow corp.example',
  ];
  for (const line of lines) t.is(lab.command(line), '');
  const listed = lab.command('show config').split('\r\n');
  for (const line of lines) t.true(listed.includes(line), line);
  for (const line of ['server', 'domain', 'host printer', 'rebind', 'allow corp.example'])
    t.is(lab.command(`unset dns ${line}`), '');
  t.notRegex(lab.command('show config'), /dns/);
  const refusals: [string, RegExp][] = [
    ['set dns server 192.168.0.1', /^Cannot set DNS server 192\.168\.0\.1: it is an address of the router/],
    ['set dns server 1.2.3', /^Cannot set DNS server 1\.2\.3: /],
    ['set dns host a..b 192.168.0.9', /^Cannot set DNS host a\.\.b: a part of it is empty/],
    ['set dns host masqbox 192.168.0.9', /^Cannot set DNS host masqbox: /],
    ['set dns rebind maybe', /^Cannot set DNS rebind maybe: /],
    ['unset dns host nobody', /^Cannot unset DNS host nobody: it is not set/],
  ];
  for (const [line, why] of refusals) t.regex(lab.command(line), why);
});

test('one name or domain more than there is room for is refused in words, and the others stay', async t => {
  const lab = await DnsLab.create();
  for (const [what, most, value] of [
    ['host', DNS_HOSTS, ' 192.168.0.9'],
    ['allow', DNS_ALLOWED, ''],
  ] as const) {
    for (let i = 0; i < most; i++) t.is(lab.command(`set dns ${what} n${i}.example${value}`), '');
    t.is(
      lab.command(`set dns ${what} more.example${value}`).trim(),
      `Cannot set DNS ${what} more.example: all ${most} entries are in use`,
    );
    t.is(lab.command(`set dns ${what} n0.example${value}`), '', 'one that is set may be set anew');
    t.is(lab.command('show config').split(`set dns ${what} `).length - 1, most);
  }
});

test('what is not RA or RD in flags comes from the server', async t => {
  const lab = await DnsLab.create();
  const { message } = lab.exchange(query('www.example.com', { flags: 0 }), [A], { flags: 0x0020 });
  t.is((message as unknown as { flags: number }).flags & (RA | 0x20), RA | 0x20);
});
