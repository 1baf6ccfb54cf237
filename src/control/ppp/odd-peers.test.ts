import test from 'ava';
import { PPP_CHAP, PPP_IPCP, PPP_LCP } from '../../wire/ppp.ts';
import { Alone, address, bytes, hex, Pair, PROVIDER, wants } from './ppp-lab.ts';

const said = (protocol: number, packet: string) =>
  `${protocol.toString(16).padStart(4, '0')} ${hex(bytes(packet))}`;

test('a provider that ends the link when CHAP is refused for PAP is not refused: CHAP is done where it can be', t => {
  const alone = new Alone({ lcp: { offered: ['pap', 'chap-md5'] } });
  alone.said();
  alone.say(PPP_LCP, 1, 1, bytes('0305 c22305 0506 11223344'));
  t.deepEqual(alone.said(), [said(PPP_LCP, '0201000f 0305c22305 0506 11223344')]);
});

test('a provider that sends Discard-Requests and does not answer the first requests of IPCP is waited for', t => {
  const alone = new Alone().openLcp();
  for (let n = 0; n < 8; n++) {
    alone.say(PPP_LCP, 11, n, bytes('11223344 00'));
    alone.time.seconds(3);
  }
  alone.openIpcp();
  t.deepEqual(alone.end.events, ['opened']);
});

test('one that never answers IPCP is given up, and the reason says which protocol it was', t => {
  const alone = new Alone().openLcp();
  alone.time.seconds(60);
  alone.say(PPP_LCP, 6, 9);
  alone.time.seconds(10);
  t.is(alone.end.reason, 'The peer does not answer IPCP');
});

test('a satellite 4 s away: both negotiate to an end, and the link stays open', t => {
  for (let seed = 1; seed <= 20; seed++) {
    const pair = new Pair(
      wants({ lcp: { offered: ['chap-md5'] } }),
      wants({ ...PROVIDER, lcp: { demanded: ['chap-md5'] } }),
      { delay: 200, seed },
    );
    pair.a.session.open();
    pair.time.seconds(seed / 2);
    pair.b.session.open();
    pair.time.seconds(60, () => pair.isOpen());
    t.true(pair.isOpen(), `${seed}: ${pair.a.session.states}`);
    t.true(pair.a.sent.length < 20, `${pair.a.sent.length} packets`);
    pair.time.seconds(60);
    t.true(pair.isOpen());
    t.deepEqual(pair.a.events, ['opened']);
  }
});

test('a challenge right behind the peer’s Configure-Ack is read, though it is framed as was just agreed (pppd)', t => {
  // The first frame by the new map is there before control has read what agrees to it.
  const alone = new Alone({ lcp: { accm: 0xa0000 } });
  t.is(alone.end.receives?.accm, 0xa0000);
  t.is(alone.end.sends?.accm, -1);
  alone.openLcp('0206 00000000 0506 11223344');
  t.is(alone.end.receives?.accm, 0xa0000);
  t.is(alone.end.sends?.accm, 0);
  alone.say(PPP_LCP, 1, 9, bytes('0506 99887766'));
  t.is(alone.end.receives?.accm, 0xa0000);
  t.is(alone.end.sends?.accm, -1);
});

test('a peer whose timer is shorter than the way asks again, and is answered again without a new beginning', t => {
  const alone = new Alone().openLcp();
  alone.said();
  alone.say(PPP_LCP, 1, 1, bytes('0506 11223344'));
  alone.say(PPP_LCP, 1, 1, bytes('0506 11223344'));
  const ack = said(PPP_LCP, '0201000a 0506 11223344');
  t.deepEqual(alone.said(), [ack, ack]);
});

test('CHAP Failure and Terminate-Request mean a refusal in either order, and without the first as well', t => {
  for (const order of [['failure', 'terminate'], ['terminate', 'failure'], ['terminate']]) {
    const alone = new Alone({ lcp: { offered: ['chap-md5'] } }).openLcp('0305 c22305 0506 11223344');
    alone.say(PPP_CHAP, 1, 1, bytes('10 000102030405060708090a0b0c0d0e0f'));
    for (const what of order) {
      if (what === 'failure') alone.say(PPP_CHAP, 4, 1, [...Buffer.from('Access denied')]);
      else alone.say(PPP_LCP, 5, 2);
    }
    alone.say(PPP_LCP, 6, 3);
    alone.time.seconds(20);
    t.regex(alone.end.reason as string, /^Authentication failed\. /, order.join());
    t.true(alone.end.wasRefused);
    t.deepEqual(alone.end.events, ['closed']);
  }
});

test('a login prompt that echoes is a looped line, found in a second', t => {
  const alone = new Alone();
  alone.end.send_ = (protocol, data) => alone.time.after(2, () => alone.end.hear(protocol, data));
  alone.time.seconds(10);
  t.is(alone.end.reason, 'The line brings back what is sent: it is looped');
  t.true(alone.end.sent.length < 20);
});

test('where it is asked, a modem’s echo is passed over, and the peer that comes later is heard', t => {
  const alone = new Alone({ lcp: { ignoresEcho: true } });
  let isEcho = true;
  alone.end.send_ = (protocol, data) => {
    if (isEcho) alone.time.after(2, () => alone.end.hear(protocol, data));
  };
  alone.time.seconds(10);
  t.is(alone.end.reason, undefined);
  isEcho = false;
  alone.openLcp().openIpcp();
  t.deepEqual(alone.end.events, ['opened']);
});

test('where it is asked, a modem’s request in an open link is passed over; else the link begins anew', t => {
  for (const keepsOpen of [true, false]) {
    const alone = new Alone({ rest: { keepsOpen } }).openLcp().openIpcp();
    alone.said();
    alone.say(PPP_LCP, 1, 200, bytes('0506 99887766'));
    t.deepEqual(alone.end.events, keepsOpen ? ['opened'] : ['opened', 'held']);
    t.is(alone.said().length, keepsOpen ? 0 : 2);
  }
});

test('a peer that is ready late is asked ten times, 3 s apart', t => {
  const alone = new Alone();
  alone.time.seconds(26);
  t.is(alone.end.sent.length, 9);
  alone.openLcp().openIpcp();
  t.deepEqual(alone.end.events, ['opened']);
});

test('link quality is rejected as an option, and its reports as a protocol', t => {
  const alone = new Alone();
  alone.said();
  alone.say(PPP_LCP, 1, 1, bytes('0408 c025 00000064 0506 11223344'));
  t.deepEqual(alone.said(), [said(PPP_LCP, '0401000c 0408 c02500000064')]);
  alone.openLcp();
  alone.said();
  alone.end.hear(0xc025, bytes('11223344 00000000'));
  t.regex(alone.said().join(), /^c021 08..000ec0251122334400000000$/);
});

test('a provider that wants an MRU of 1492, or 576 of a peer that has nothing, gets it', t => {
  const alone = new Alone();
  alone.said();
  const { identifier } = alone.end.lastRequest(PPP_LCP);
  alone.say(PPP_LCP, 3, identifier, bytes('0104 05d4'));
  t.regex(alone.said().join(), /^c021 01..0018010405d4/);
  alone.openLcp('0104 0240').openIpcp();
  t.is(alone.end.result?.mtu, 576);
});

test('a bare peer that rejects the magic number and headers, and has none itself', t => {
  const alone = new Alone();
  const { identifier, options } = alone.end.lastRequest(PPP_LCP);
  alone.said();
  alone.say(
    PPP_LCP,
    4,
    identifier,
    options.flatMap(({ type, value }) => [type, value.length + 2, ...value]),
  );
  t.regex(alone.said().join(), /^c021 01..0004$/, 'nothing is left to ask for');
  alone.openLcp('0104 0240');
  const ipcp = alone.end.lastRequest(PPP_IPCP);
  alone.say(PPP_IPCP, 4, ipcp.identifier, bytes('0206 002d0f01 8106 00000000 8306 00000000'));
  const next = alone.end.lastRequest(PPP_IPCP);
  t.deepEqual(
    next.options.map(({ type }) => type),
    [3],
  );
  alone.say(PPP_IPCP, 3, next.identifier, bytes('0306 0a000002'));
  alone.agree(PPP_IPCP);
  alone.say(PPP_IPCP, 1, 1, bytes('0306 0a000001'));
  t.is(alone.end.result?.local, address('10.0.0.2'));
  t.is(alone.end.result?.vjIn, undefined);
  t.deepEqual(alone.end.result?.dns, []);
  alone.said();
  alone.say(PPP_LCP, 9, 1, bytes('00000000'));
  t.deepEqual(alone.said(), [said(PPP_LCP, '0a010008 00000000')]);
});

test('a provider that gives the name server 0.0.0.0 gives none', t => {
  const alone = new Alone().openLcp();
  const first = alone.end.lastRequest(PPP_IPCP);
  alone.say(PPP_IPCP, 3, first.identifier, bytes('0306 c6336402 8106 00000000 8306 00000000'));
  t.deepEqual(
    alone.end.lastRequest(PPP_IPCP).options.map(({ type }) => type),
    [3, 2],
  );
  alone.agree(PPP_IPCP);
  alone.say(PPP_IPCP, 1, 1, bytes('0306 c6336401'));
  t.deepEqual(alone.end.result?.dns, []);
});

test('a modem that has no address yet says 0.0.0.0, and is asked each 3 s until it has one', t => {
  const alone = new Alone().openLcp();
  const asked = () =>
    alone.end.sent.filter(({ protocol, packet }) => protocol === PPP_IPCP && packet.code === 1);
  for (let seconds = 0; seconds < 60; seconds++) {
    const { identifier } = alone.end.lastRequest(PPP_IPCP);
    alone.say(PPP_IPCP, 3, identifier, bytes('0306 00000000'));
    alone.time.seconds(1);
  }
  t.true(asked().length >= 19 && asked().length <= 22, `${asked().length}`);
  alone.openIpcp();
  t.deepEqual(alone.end.events, ['opened']);
  const never = new Alone().openLcp();
  for (let seconds = 0; seconds < 200 && never.end.reason === undefined; seconds++) {
    const { identifier } = never.end.lastRequest(PPP_IPCP);
    never.say(PPP_IPCP, 3, identifier, bytes('0306 00000000'));
    if (never.end.sent.at(-1)?.packet.code === 5) {
      const last = never.end.sent.at(-1);
      never.say(last?.protocol as number, 6, last?.packet.identifier as number);
    }
    never.time.seconds(1);
  }
  t.is(never.end.reason, 'The peer never had an address to give');
});

test('a peer without an address is unnumbered, and one that says 0.0.0.0 is given ours or none', t => {
  const alone = new Alone().openLcp();
  alone.said();
  alone.say(PPP_IPCP, 1, 1, bytes('0306 00000000'));
  t.deepEqual(alone.said(), [said(PPP_IPCP, '0401000a 0306 00000000')]);
  alone.say(PPP_IPCP, 3, alone.end.lastRequest(PPP_IPCP).identifier, bytes('0306 c6336402'));
  alone.agree(PPP_IPCP);
  alone.say(PPP_IPCP, 1, 2);
  t.is(alone.end.result?.remote, 0);
  const giver = new Alone({ ipcp: { local: address('10.0.0.1'), remote: address('10.0.0.2') } }).openLcp();
  giver.said();
  giver.say(PPP_IPCP, 1, 1, bytes('0306 00000000'));
  t.deepEqual(giver.said(), [said(PPP_IPCP, '0301000a 0306 0a000002')]);
});

test('Windows 95 calls: call-back and compression are rejected, name servers given, WINS servers not', t => {
  const alone = new Alone({ ...PROVIDER, lcp: { demanded: ['pap'] } });
  alone.said();
  alone.say(PPP_LCP, 1, 1, bytes('0206 000a0000 0506 00112233 0702 0802 0d03 06'));
  t.deepEqual(alone.said(), [said(PPP_LCP, '04010007 0d0306')]);
  alone.openLcp('0206 000a0000 0506 00112233 0702 0802');
  t.is(alone.end.sends?.accm, 0xa0000);
  alone.say(0xc023, 1, 1, bytes('04 75736572 06 736563726574'));
  alone.said();
  alone.say(
    PPP_IPCP,
    1,
    1,
    bytes('0206 002d0f01 0306 00000000 8106 00000000 8206 00000000 8306 00000000 8406 00000000'),
  );
  t.deepEqual(alone.said(), [said(PPP_IPCP, '04010010 8206 00000000 8406 00000000')]);
  alone.say(PPP_IPCP, 1, 2, bytes('0206 002d0f01 0306 00000000 8106 00000000 8306 00000000'));
  t.deepEqual(alone.said(), [said(PPP_IPCP, '03020016 0306 c6336402 8106 c6336435 8306 c6336436')]);
  alone.end.hear(0x80fd, bytes('0101000a 1206 00000001'));
  t.regex(alone.said().join(), /^c021 08..001080fd/);
  alone.agree(PPP_IPCP);
  alone.say(PPP_IPCP, 1, 3, bytes('0206 002d0f01 0306 c6336402 8106 c6336435 8306 c6336436'));
  t.is(alone.end.result?.remote, address('198.51.100.2'));
  t.is(alone.end.result?.peer, 'user');
});

test('compressed headers: 256 slots are 16, the form from before RFC 1332 and others are rejected', t => {
  const alone = new Alone().openLcp();
  alone.said();
  alone.say(PPP_IPCP, 1, 1, bytes('0306 c6336401 0206 002dff00'));
  t.deepEqual(alone.said(), [said(PPP_IPCP, '0301000a 0206 002d0f00')]);
  for (const value of ['0204 002d', '0204 0037', '0206 00610f01']) {
    alone.say(PPP_IPCP, 1, 2, bytes(`0306 c6336401 ${value}`));
    const expected = hex(bytes(value));
    t.deepEqual(alone.said(), [
      said(PPP_IPCP, `0402000${expected.length / 2 + 4 === 10 ? 'a' : '8'} ${expected}`),
    ]);
  }
  alone.say(PPP_IPCP, 1, 3, bytes('0306 c6336401 0206 002d0700'));
  alone.openIpcp();
  t.deepEqual(alone.end.result?.vjOut, undefined, 'the last request had none');
});

test('a peer that rejects IPCP ends the link, one that rejects compression does not', t => {
  const alone = new Alone().openLcp();
  alone.say(PPP_LCP, 8, 1, bytes('80fd 01010004'));
  t.is(alone.end.session.phase, 'network');
  alone.say(PPP_LCP, 8, 2, bytes('8021 01010004'));
  alone.say(PPP_LCP, 6, 2);
  t.is(alone.end.reason, 'The peer does not know IPCP');
});

test('a packet of EAP or of a method that was not agreed on changes nothing (pppd, CVE-2020-8597)', t => {
  const alone = new Alone().openLcp().openIpcp();
  alone.said();
  alone.end.hear(0xc227, bytes('0101 0006 04ff'));
  alone.say(PPP_CHAP, 1, 1, bytes('ff 00'));
  alone.say(0xc023, 1, 1, bytes('ff 00'));
  t.is(alone.said().length, 1, 'EAP is rejected as a protocol');
  t.deepEqual(alone.end.events, ['opened']);
});
