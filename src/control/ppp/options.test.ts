import test from 'ava';
import { INTERFACE_INSIDE, INTERFACE_OUTSIDE } from '../../base/interface.ts';
import { isUser } from './accounts.ts';
import { readWants, whyNot } from './options.ts';
import { address } from './ppp-lab.ts';

const wants = (...lines: [string, string][]) => readWants('ppp0', false, new Map(lines));

test('without a port there is no link; with one alone it is a cable that is always up', t => {
  t.is(wants(['user', 'me']), undefined);
  const cable = wants(['port', 'com3']);
  t.is(cable?.port, 2);
  t.deepEqual([cable?.hasFlow, cable?.hasCarrier, cable?.caller.mode], [false, false, 'always']);
  t.deepEqual([cable?.speed, cable?.side], [115200, INTERFACE_OUTSIDE]);
  t.deepEqual(cable?.session.lcp.offered, [], 'nobody has said who we are');
  t.deepEqual([cable?.session.echoTicks, cable?.session.echoMost], [3000, 4]);
});

test('a number makes it a modem, dialled by hand, which the other options change', t => {
  const modem = wants(['port', 'com2'], ['number', '0191011 0191022']);
  t.deepEqual([modem?.hasFlow, modem?.hasCarrier, modem?.caller.mode], [true, true, 'manual']);
  t.deepEqual(modem?.caller.numbers, ['0191011', '0191022']);
  t.deepEqual(
    [modem?.caller.idleSeconds, modem?.caller.retrySeconds, modem?.caller.retryMostSeconds],
    [600, 15, 900],
  );
  const other = wants(
    ['port', 'com2'],
    ['number', '1'],
    ['flow', 'none'],
    ['carrier', 'off'],
    ['dial', 'always'],
    ['idle', '2h'],
    ['retry', '1m 10'],
    ['hours', 'mon-fri/18:00-8:00 sat-sun/0:00-24:00'],
    ['hour-minutes', '30'],
    ['month-calls', '9'],
    ['price', '6 90'],
    ['role', 'lan'],
    ['address', '10.9.0.1:10.9.0.2'],
    ['dns', '10.9.0.3'],
    ['accm', 'a0000'],
    ['auth', 'pap'],
    ['user', 'who is\\x3f'],
    ['password', 'my word'],
    ['init', 'AT&F1 S0=0'],
  );
  t.deepEqual(
    [other?.hasFlow, other?.hasCarrier, other?.caller.mode, other?.side],
    [false, false, 'always', INTERFACE_INSIDE],
  );
  t.deepEqual(
    [other?.caller.idleSeconds, other?.caller.retrySeconds, other?.caller.hours.length],
    [7200, 60, 2],
  );
  t.deepEqual(other?.limits, { hourSeconds: 1800, hourCalls: 0, monthSeconds: 0, monthCalls: 9 });
  t.deepEqual([other?.caller.price, other?.caller.priceSeconds, other?.caller.init], [6, 90, 'AT&F1 S0=0']);
  const { ipcp, lcp, account, passwordOf } = other!.session;
  t.deepEqual([ipcp.local, ipcp.remote], [address('10.9.0.1'), address('10.9.0.2')]);
  t.deepEqual([ipcp.takesLocal, ipcp.takesRemote, ipcp.asksDns], [false, false, false]);
  t.deepEqual(ipcp.givesDns, [address('10.9.0.3')]);
  t.deepEqual([lcp.accm, lcp.demanded], [0xa0000, ['pap']]);
  t.deepEqual(account, { name: 'who is?', password: 'my word' });
  t.deepEqual([passwordOf('who is?'), passwordOf('somebody')], ['my word', undefined]);
  t.deepEqual(wants(['port', 'com2'], ['address', ':10.9.0.2'])?.session.ipcp.takesLocal, true);
});

test('what an option cannot be is refused with the reason, and what it can be is not', t => {
  for (const [option, good, bad] of [
    ['port', 'com4', 'com5'],
    ['number', '0,191 (0)11-2 W9', 'phone'],
    ['chat', "'' ATZ OK ATDT\\T CONNECT ''", "'open"],
    ['speed', '38400', '33600'],
    ['speed', '300', '0'],
    ['flow', 'none', 'xon'],
    ['carrier', 'off', 'no'],
    ['role', 'lan', 'dmz'],
    ['dial', 'demand', 'often'],
    ['demand', 'tcp udp:53 -udp:137-139 icmp other own', 'tcp:80:90'],
    ['demand', 'tcp:1-65535', 'tcp:1-65536'],
    ['demand', '-tcp:80', 'icmp:8'],
    ['demand', 'tcp', 'tcp  udp'],
    ['demand', 'tcp', 'a b c d e f g h i'],
    ['demand', 'tcp', 'toString'],
    ['idle', '90s', 'soon'],
    ['retry', '15s 15m', '15s'],
    ['hours', '8:00-18:00 sat/0:00-1:00', '8:00-18:00 sat'],
    ['hour-minutes', '60', '61'],
    ['hour-calls', '1', '0'],
    ['month-minutes', '44640', '44641'],
    ['month-calls', '100000', 'many'],
    ['price', '0 1', '6'],
    ['price', '6 90', '6 0'],
    ['address', '10.0.0.1:', ':'],
    ['address', ':10.0.0.1', '10.0.0.1:224.0.0.1'],
    ['dns', '1.1.1.1 2.2.2.2', '1.1.1.1 2.2.2.2 3.3.3.3'],
    ['vj', 'on', '1'],
    ['accm', 'FFFFFFFF', '0x0'],
    ['mru', '128', '127'],
    ['auth', 'ms-chap-v2', 'eap'],
    ['echo', '0 0', '30'],
  ] as const) {
    t.is(whyNot(option, good), undefined, `${option} ${good}`);
    t.is(typeof whyNot(option, bad), 'string', `${option} ${bad}`);
  }
  t.regex(whyNot('toString', 'x') ?? '', /^it is one of port, /);
});

test('a card in the place of a port is a session of PPPoE, which is up always and has what Ethernet leaves it', t => {
  const wants = readWants(
    'ppp0',
    false,
    new Map([
      ['port', 'wan'],
      ['number', '123'],
      ['mru', '1500'],
    ]),
  );
  t.like(wants, { port: -1, below: 1, service: '', concentrator: '', rate: undefined });
  t.like(wants?.caller, { mode: 'always', retrySeconds: 10, retryMostSeconds: 300 });
  t.like(wants?.session.lcp, { mru: 1492, mtu: 1492, accm: -1, isShort: false, hasMagic: true });
  t.false(wants?.session.ipcp.hasVj);
  t.is(readWants('sl0', true, new Map([['port', 'wan']])), undefined);
  t.is(
    readWants(
      'ppp1',
      false,
      new Map([
        ['port', 'if2'],
        ['rate', '512k'],
      ]),
    )?.rate,
    512_000,
  );
  for (const [rate, isOne] of [
    ['28800', true],
    ['2M', true],
    ['0', true],
    ['299', false],
    ['31M', false],
    ['fast', false],
  ] as const)
    t.is(whyNot('rate', rate) === undefined, isOne, rate);
});

const LINES: [string, string][] = [
  ['port', 'com2'],
  ['user', 'bob'],
  ['password', 'secret'],
];

test('who calls is not told who we are, and what we are to a provider opens nothing for him', t => {
  for (const answer of ['modem', 'cable'])
    for (const auth of [[], [['auth', 'chap-md5']], [['auth', 'none']]] as [string, string][][]) {
      const { session } = wants(...LINES, ['answer', answer], ...auth)?.answer ?? {};
      t.deepEqual(session?.lcp.offered, [], `${answer} ${auth}`);
      t.deepEqual(session?.account, { name: '', password: '' });
      t.is(session?.passwordOf('bob'), undefined);
    }
});

test('where the peer has to be a user we do not show that we are him; without that we do', t => {
  t.deepEqual(wants(...LINES, ['role', 'lan'], ['auth', 'chap-md5'])?.session.lcp.offered, []);
  t.true((wants(...LINES)?.session.lcp.offered.length ?? 0) > 0);
  t.true((wants(...LINES, ['auth', 'none'])?.session.lcp.offered.length ?? 0) > 0);
});

test('a user without a password is nobody, of a link as of those who call in', t => {
  t.is(wants(['port', 'com2'], ['user', 'bob'], ['auth', 'pap'])?.session.passwordOf('bob'), undefined);
  const accounts = new Map([['user bob', '']]);
  const called = readWants(
    'ppp0',
    false,
    new Map([
      ['port', 'com2'],
      ['answer', 'modem'],
    ]),
    accounts,
  );
  t.is(called?.answer?.session.passwordOf('bob'), undefined);
  t.false(isUser(accounts, 'bob', ''));
});
