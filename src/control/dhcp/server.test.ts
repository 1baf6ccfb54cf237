import test from 'ava';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import {
  DHCP_LEASE_SECONDS,
  DHCP_LEASE_SHORT_SECONDS,
  DHCP_OFFER_LEAST_SECONDS,
  DHCP_OFFER_SECONDS,
  DHCP_OPTIONS,
  DHCP_PROBE_TICKS,
  DHCP_QUARANTINE_SECONDS,
} from '../core/limits.ts';
import { ACK, DECLINE, DISCOVER, INFORM, NAK, OFFER, RELEASE, REQUEST } from './message.ts';
import * as option from './options.ts';
import { codes, compose, lab, station } from './server-lab.ts';

const ROUTER = '192.168.0.1';
const ROUTER_WORD = 0xc0a80001 | 0;
const EVERYBODY = 'ff:ff:ff:ff:ff:ff';
const BROADCAST_FLAG = 0x8000;
/** Reads an address of the default range. */
const inRange = (address: string): boolean => /^192\.168\.0\.1\d\d$/.test(address);

test('DISCOVER and REQUEST: the address, the lease, and every option that was wanted, once and in order', async t => {
  const { one } = await lab();
  const wants = [3, 1, 6, 15, 28, 3, 51, 58, 77, 1];
  const offer = one(station(1), DISCOVER, { wants, xid: 0x0badcafe });
  t.is(offer.type, OFFER);
  t.true(inRange(offer.yiaddr));
  t.is(offer.message.xid, 0x0badcafe);
  const ack = one(station(1), REQUEST, { wants, requested: offer.yiaddr, server: ROUTER });
  t.is(ack.type, ACK);
  for (const { message, bytes, yiaddr } of [offer, ack]) {
    t.is(yiaddr, offer.yiaddr);
    // 53 is first, the mask before the router, whatever the order of the list; 77 is unknown.
    t.deepEqual(codes(bytes), [53, 54, 51, 58, 59, 1, 3, 6, 15, 28]);
    t.is(message.word(option.OPTION_SERVER_IDENTIFIER), ROUTER_WORD);
    t.is(message.word(option.OPTION_LEASE_TIME), DHCP_LEASE_SECONDS);
    t.is(message.word(option.OPTION_RENEWAL_TIME), DHCP_LEASE_SECONDS / 2);
    t.is(message.word(option.OPTION_REBINDING_TIME), (DHCP_LEASE_SECONDS * 7) / 8);
    t.is(message.word(option.OPTION_SUBNET_MASK), -256);
    t.is(message.word(option.OPTION_ROUTER), ROUTER_WORD);
    t.is(message.word(option.OPTION_DOMAIN_NAME_SERVER), ROUTER_WORD);
    t.is(message.word(option.OPTION_BROADCAST_ADDRESS), 0xc0a800ff | 0);
    t.is(String.fromCharCode(...message.bytes(option.OPTION_DOMAIN_NAME)), 'lan');
    t.true(bytes.length >= 300);
  }
});

test('a client that wants nothing gets the usual options; never more than it can take', async t => {
  const { one, command } = await lab();
  t.deepEqual(codes(one(station(1), DISCOVER).bytes), [53, 54, 51, 58, 59, 1, 3, 6, 15, 28]);
  const wants = [1, 3, ...Array.from({ length: DHCP_OPTIONS }, (_, i) => 224 + i)];
  for (const code of wants.slice(2)) {
    t.is(command(`set dhcp option ${code} ${Array.from({ length: 22 }, (_, i) => i % 10).join(' ')}`), '');
  }
  t.true(one(station(2), DISCOVER, { wants }).bytes.length <= 548);
  t.true(one(station(2), DISCOVER, { wants, most: 600 }).bytes.length <= 572);
  t.true(one(station(2), DISCOVER, { wants, most: 10 }).bytes.length <= 548);
  const all = one(station(2), DISCOVER, { wants, most: 1500 });
  t.deepEqual(codes(all.bytes), [53, 54, 51, 58, 59, ...wants]);
});

test('replies go to the station, to everybody with the broadcast flag, to ciaddr, to the relay', async t => {
  const { one, join, say, strangers } = await lab();
  const direct = one(station(1), DISCOVER);
  t.deepEqual([direct.station, direct.destination, direct.port], [station(1), direct.yiaddr, 68]);
  const flagged = one(station(2), DISCOVER, { flags: BROADCAST_FLAG });
  t.deepEqual([flagged.station, flagged.destination], [EVERYBODY, '255.255.255.255']);
  const ciaddr = join(station(3));
  const renewed = one(station(3), REQUEST, { ciaddr, destination: ROUTER, flags: BROADCAST_FLAG });
  t.deepEqual([renewed.type, renewed.station, renewed.destination], [ACK, station(3), ciaddr]);
  const odd = one(station(3), DISCOVER, { ciaddr, source: '0.0.0.0' });
  t.deepEqual([odd.type, odd.destination, odd.message.ciaddr], [OFFER, ciaddr, 0], 'RFC 2131, table 3');
  // A relay on the LAN: its answer comes to port 67, with its option at the end.
  strangers.set('192.168.0.9', station(9));
  const relayed = one(station(4), DISCOVER, {
    giaddr: '192.168.0.9',
    relay: [1, 2, 7, 7],
    source: '192.168.0.9',
  });
  t.deepEqual([relayed.station, relayed.destination, relayed.port], [station(9), '192.168.0.9', 67]);
  t.is(relayed.message.giaddr, 0xc0a80009 | 0);
  t.is(codes(relayed.bytes).at(-1), option.OPTION_RELAY_AGENT_INFORMATION);
  t.deepEqual([...relayed.message.bytes(option.OPTION_RELAY_AGENT_INFORMATION)], [1, 2, 7, 7]);
  const refused = one(station(4), REQUEST, {
    giaddr: '192.168.0.9',
    requested: '10.0.0.1',
    source: '192.168.0.9',
  });
  t.deepEqual(
    [refused.type, refused.destination, refused.message.flags],
    [NAK, '192.168.0.9', BROADCAST_FLAG],
  );
  t.deepEqual(say(station(5), DISCOVER, { giaddr: '10.1.1.1' }), [], 'there is no pool for another network');
});

test('the offer of a new address waits for its probe, and no longer; a known address is offered at once', async t => {
  const { say, join, questions, raw, heard, wait } = await lab();
  questions.length = 0;
  heard.length = 0;
  raw(station(1), compose(station(1), DISCOVER, {}));
  wait(DHCP_PROBE_TICKS - 2);
  t.is(heard.length, 0);
  wait(4);
  t.is(heard.length, 1);
  t.deepEqual(questions, [heard[0]!.yiaddr]);
  join(station(1));
  questions.length = 0;
  t.is(say(station(1), DISCOVER, {}, 1).length, 1, 'at once');
  t.deepEqual(questions, []);
});

test('an address that a stranger uses is not offered, said, and left alone for a while', async t => {
  const { one, strangers, command, seconds, say } = await lab();
  const first = one(station(1), DISCOVER).yiaddr;
  const other = one(station(2), DISCOVER).yiaddr;
  seconds(DHCP_OFFER_SECONDS + 1);
  strangers.set(first, station(99));
  const [offer] = say(station(1), DISCOVER, { requested: first }, 100);
  t.is(offer?.type, OFFER);
  t.not(offer?.yiaddr, first);
  t.not(offer?.yiaddr, other);
  t.regex(command('show log'), new RegExp(`dhcp: ${first} is used by ${station(99)}`));
  t.regex(command('show leases'), new RegExp(`${first} .*conflict`));
  strangers.clear();
  t.not(one(station(3), DISCOVER, { requested: first }).yiaddr, first);
  seconds(DHCP_QUARANTINE_SECONDS + 20);
  t.is(one(station(4), DISCOVER, { requested: first }).yiaddr, first);
});

test('strangers on all candidates: the server gives up, in time for the next try of the client', async t => {
  const { say, strangers } = await lab();
  for (let n = 100; n < 200; n++) strangers.set(`192.168.0.${n}`, station(77));
  t.deepEqual(say(station(1), DISCOVER, {}, 300), []);
  strangers.clear();
  t.is(say(station(1), DISCOVER, {}, 100).length, 1);
});

test('the station that answers for an address may be the client itself', async t => {
  const { one, strangers, seconds } = await lab();
  const address = one(station(1), DISCOVER).yiaddr;
  seconds(DHCP_OFFER_SECONDS + 1);
  strangers.set(address, station(1));
  t.is(one(station(1), DISCOVER).yiaddr, address);
});

test('the requested address is given if it is free, in the range and not the router’s', async t => {
  const { one, join } = await lab();
  t.is(one(station(1), DISCOVER, { requested: '192.168.0.150' }).yiaddr, '192.168.0.150');
  for (const requested of ['192.168.0.150', '192.168.0.1', '192.168.0.50', '192.168.0.255', '10.0.0.7']) {
    const { yiaddr } = one(station(2), DISCOVER, { requested });
    t.true(inRange(yiaddr));
    t.not(yiaddr, requested);
  }
  const address = join(station(3), { requested: '192.168.0.160' });
  t.is(address, '192.168.0.160');
  t.is(one(station(3), DISCOVER, { requested: '192.168.0.170' }).yiaddr, address, 'it has one');
});

test('the client identifier keys the lease, else the hardware address (RFC 4361)', async t => {
  const { join, one, strangers } = await lab();
  const id = [255, 1, 2, 3, 4, 0, 2, 0, 0, 171, 17, 9, 9];
  const address = join(station(1), { id });
  t.is(join(station(2), { id }), address, 'the same host by another card');
  strangers.set(address, station(2));
  t.not(join(station(1)), address, 'its first card, while the second is at work');
  strangers.clear();
  const answer = one(station(2), DISCOVER, { id });
  t.deepEqual([...answer.message.bytes(option.OPTION_CLIENT_IDENTIFIER)], id, 'it comes back (RFC 6842)');
  // Long ones that differ at the end only.
  const long = Array.from({ length: 100 }, (_, i) => i);
  t.not(join(station(3), { id: long }), join(station(5), { id: [...long.slice(0, 99), 7] }));
  // Type 1 and the station address are what a client without an identifier is.
  t.is(join(station(4), { id: [1, 2, 0, 0, 0, 0, 4] }), join(station(4)));
});

test('REQUEST, SELECTING: what was offered, and nothing else; another server ends our offer', async t => {
  const { one, say, command } = await lab();
  const { yiaddr } = one(station(1), DISCOVER);
  const refused = one(station(1), REQUEST, { requested: '192.168.0.111', server: ROUTER });
  t.deepEqual([refused.type, refused.station, refused.destination], [NAK, EVERYBODY, '255.255.255.255']);
  t.is(refused.yiaddr, '0.0.0.0');
  t.false(refused.message.has(option.OPTION_LEASE_TIME));
  t.is(refused.message.word(option.OPTION_SERVER_IDENTIFIER), ROUTER_WORD);
  t.is(one(station(2), REQUEST, { requested: yiaddr, server: ROUTER }).type, NAK, 'a stranger');
  t.deepEqual(say(station(1), REQUEST, { requested: '192.168.0.77', server: '192.168.0.9' }), []);
  t.regex(command('show leases'), new RegExp(`${yiaddr} .*ended`));
});

test('REQUEST that names neither server nor address means what was offered, if anything was', async t => {
  const { one, say } = await lab();
  t.deepEqual(say(station(1), REQUEST), []);
  const { yiaddr } = one(station(1), DISCOVER);
  const answer = one(station(1), REQUEST);
  t.deepEqual([answer.type, answer.yiaddr], [ACK, yiaddr]);
});

test('REQUEST, INIT-REBOOT: ACK, NAK for another address or network; an unknown client keeps what is free', async t => {
  const { one, join, strangers } = await lab();
  const address = join(station(1));
  t.is(one(station(1), REQUEST, { requested: address }).type, ACK);
  t.is(one(station(1), REQUEST, { requested: '192.168.0.199' }).type, NAK);
  t.is(one(station(2), REQUEST, { requested: '10.9.9.9' }).type, NAK);
  strangers.set('192.168.0.180', station(9));
  t.is(one(station(2), REQUEST, { requested: '192.168.0.180' }).type, NAK, 'somebody answers for it');
  strangers.clear();
  const answer = one(station(3), REQUEST, { requested: '192.168.0.181' });
  t.deepEqual([answer.type, answer.yiaddr], [ACK, '192.168.0.181']);
});

test('REQUEST, RENEWING and REBINDING: ACK for the lease, NAK for another’s; a forgotten client keeps its own', async t => {
  const { one, say, join, seconds } = await lab();
  const ciaddr = join(station(1));
  seconds(60);
  const renewed = one(station(1), REQUEST, { ciaddr, destination: ROUTER });
  t.deepEqual([renewed.type, renewed.yiaddr], [ACK, ciaddr]);
  t.is(renewed.message.word(option.OPTION_LEASE_TIME), DHCP_LEASE_SECONDS);
  t.is(one(station(1), REQUEST, { ciaddr }).type, ACK, 'by broadcast');
  t.is(one(station(2), REQUEST, { ciaddr }).type, NAK, 'another has it');
  t.is(one(station(2), REQUEST, { ciaddr: '192.168.0.190' }).type, ACK, 'free: from before the power went');
  t.is(one(station(3), REQUEST, { ciaddr: '192.168.0.190' }).type, NAK);
  t.deepEqual(say(station(3), REQUEST, { ciaddr: '192.168.0.33' }), [], 'perhaps another server’s');
  t.is(one(station(3), REQUEST, { ciaddr: '10.0.0.33' }).type, NAK);
});

test('RELEASE: the address is free and remembered; DECLINE: it is left alone', async t => {
  const { one, say, join, command } = await lab();
  const ciaddr = join(station(1));
  t.deepEqual(say(station(2), RELEASE, { ciaddr, server: ROUTER }), []);
  t.deepEqual(say(station(1), RELEASE, { ciaddr, server: '192.168.0.9' }), []);
  t.regex(command('show leases'), /leased/, 'neither was the client’s word to us');
  t.deepEqual(say(station(1), RELEASE, { ciaddr, server: ROUTER }), []);
  t.regex(command('show leases'), /ended/);
  t.is(one(station(1), DISCOVER).yiaddr, ciaddr);
  join(station(1));
  t.deepEqual(say(station(1), DECLINE, { requested: ciaddr, server: ROUTER }), []);
  t.regex(command('show log'), new RegExp(`${station(1)} declines ${ciaddr}`));
  t.not(join(station(1)), ciaddr);
});

test('INFORM: an ACK without a lease', async t => {
  const { one, say } = await lab();
  const answer = one(station(1), INFORM, { ciaddr: '192.168.0.40', wants: [1, 3, 6, 51, 58] });
  t.deepEqual([answer.type, answer.yiaddr, answer.destination], [ACK, '0.0.0.0', '192.168.0.40']);
  t.deepEqual(codes(answer.bytes), [53, 54, 1, 3, 6]);
  t.deepEqual(say(station(1), INFORM, { ciaddr: '10.0.0.1' }), []);
});

test('a lease ends, its address stays the client’s as long as nobody needs it', async t => {
  const { one, join, command, seconds } = await lab();
  t.is(command('set dhcp lease 120'), '');
  const address = join(station(1), { name: 'desk' });
  t.regex(command('show leases'), new RegExp(`${address} .*leased +0:0[12]:\\d\\d desk`));
  seconds(131);
  t.regex(command('show leases'), new RegExp(`${address} .*ended`));
  t.not(one(station(2), DISCOVER, { requested: address }).yiaddr, address);
  t.is(one(station(1), DISCOVER).yiaddr, address);
  t.is(one(station(1), DISCOVER, { lease: 3600 }).message.word(option.OPTION_LEASE_TIME), 120);
});

test('a client may ask for a shorter lease', async t => {
  const { one } = await lab();
  const seconds = (lease: number) =>
    one(station(1), DISCOVER, { lease }).message.word(option.OPTION_LEASE_TIME);
  t.is(seconds(600), 600);
  t.is(seconds(1), DHCP_LEASE_SECONDS);
  t.is(seconds(-1), DHCP_LEASE_SECONDS, 'for ever is not to be had');
});

test('a reservation beats a running lease: NAK at the next REQUEST, then the reserved address', async t => {
  const { one, join, command } = await lab();
  const address = join(station(1));
  t.is(command(`set dhcp reserve ${station(2)} ${address} printer`), '');
  // Until the other is gone the owner gets another address, for a short time.
  const meanwhile = one(station(2), DISCOVER);
  t.not(meanwhile.yiaddr, address);
  t.is(meanwhile.message.word(option.OPTION_LEASE_TIME), DHCP_LEASE_SHORT_SECONDS);
  const other = join(station(2));
  t.is(one(station(1), REQUEST, { ciaddr: address, destination: ROUTER }).type, NAK);
  t.not(join(station(1)), address);
  t.is(one(station(2), REQUEST, { ciaddr: other, destination: ROUTER }).type, NAK, 'now it is free');
  const answer = one(station(2), DISCOVER, { wants: [12] });
  t.is(answer.yiaddr, address);
  t.is(String.fromCharCode(...answer.message.bytes(option.OPTION_HOST_NAME)), 'printer');
  t.is(join(station(2)), address);
  t.not(one(station(3), DISCOVER, { requested: address }).yiaddr, address);
});

test('a reservation may be by client identifier, and lie outside of the range', async t => {
  const { join, command, one } = await lab();
  t.is(command('set dhcp reserve id:ff:01:02:03 192.168.0.20'), '');
  t.is(join(station(1), { id: [255, 1, 2, 3] }), '192.168.0.20');
  t.is(join(station(2), { id: [255, 1, 2, 3] }), '192.168.0.20');
  t.true(inRange(join(station(1))));
  t.is(command('unset dhcp reserve id:ff010203'), '');
  t.is(one(station(1), REQUEST, { ciaddr: '192.168.0.20', id: [255, 1, 2, 3] }).type, NAK);
});

test('host names are cleaned, unique, and never those that programs trust', async t => {
  const { join, command } = await lab();
  const names = ['Laptop', 'LAPTOP.home.example', 'wpad', '-a_b-', 'x\u0000y', '***', 'masqbox'];
  const addresses = names.map((name, i) => join(station(i + 1), { name }));
  const listed = command('show leases');
  const nameOf = (i: number): string =>
    listed
      .split('\n')
      .find(line => line.startsWith(`${addresses[i]} `))!
      .split(/ +/)[4] ?? '';
  t.deepEqual(
    names.map((_, i) => nameOf(i)),
    ['', 'laptop', '', 'a-b', 'x', '', ''],
  );
});

test('the range follows the LAN’s address; leases of the old network are gone', async t => {
  const { one, join, command, say } = await lab();
  const address = join(station(1));
  t.is(command('set lan address 10.20.0.1/16'), '');
  t.is(one(station(1), REQUEST, { ciaddr: address }).type, NAK);
  const offer = one(station(1), DISCOVER);
  t.regex(offer.yiaddr, /^10\.20\.0\.1\d\d$/);
  t.is(offer.message.word(option.OPTION_ROUTER), 0x0a140001);
  t.is(command('show leases').split('\n').length, 2);
  t.is(command('set lan address 192.168.7.9/29'), '');
  const small = say(station(2), DISCOVER)[0]!;
  t.regex(small.yiaddr, /^192\.168\.7\.(1[0-4])$/);
  t.is(small.message.word(option.OPTION_BROADCAST_ADDRESS), 0xc0a8070f | 0);
});

test('a full pool serves those that it knows, and gives what ended longest ago', async t => {
  const { one, say, join, command, seconds } = await lab();
  t.is(command('set dhcp range 192.168.0.100 192.168.0.103'), '');
  const addresses = [1, 2, 3].map(n => {
    seconds(2);
    return join(station(n));
  });
  const short = one(station(4), DISCOVER);
  t.is(short.message.word(option.OPTION_LEASE_TIME), DHCP_LEASE_SHORT_SECONDS, 'addresses are scarce');
  join(station(4));
  t.deepEqual(say(station(5), DISCOVER), []);
  t.regex(command('show log'), /dhcp: no address is left for 02:00:00:00:00:05/);
  for (const n of [1, 2, 3]) t.is(join(station(n)), addresses[n - 1]);
  say(station(2), RELEASE, { ciaddr: addresses[1]!, server: ROUTER });
  seconds(5);
  say(station(1), RELEASE, { ciaddr: addresses[0]!, server: ROUTER });
  t.is(one(station(5), DISCOVER).yiaddr, addresses[1]);
});

test('what is no DHCP message for us is not answered, at every length', async t => {
  const { raw, wait, heard, say, command } = await lab();
  const whole = compose(station(1), DISCOVER, { wants: [1, 3], name: 'x' });
  heard.length = 0;
  // The message type ends at 243; what is cut behind it, between two options, is a message.
  for (let length = 0; length < 243; length += 3) raw(station(1), whole.subarray(0, length));
  wait(700);
  for (const [at, value] of [
    [0, 2],
    [2, 200],
    [236, 0],
    [242, 9],
    [241, 2],
  ] as const) {
    const bytes = whole.slice();
    bytes[at] = value;
    raw(station(1), bytes);
  }
  wait(50);
  t.deepEqual(heard, []);
  t.is(command('show leases'), 'There are no leases');
  for (const type of [OFFER, ACK, NAK]) t.deepEqual(say(station(1), type), []);
});

test('set dhcp: refusals in house form, and the lines that bring the same about', async t => {
  const { command } = await lab();
  const refusals: [string, string][] = [
    ['set dhcp maybe', 'Cannot set DHCP maybe: it is on or off'],
    [
      'set dhcp range 192.168.0.9 192.168.0.5',
      'Cannot set DHCP range 192.168.0.9 192.168.0.5: it ends before it begins',
    ],
    [
      'set dhcp range 10.0.0.9 10.0.0.10',
      "Cannot set DHCP range 10.0.0.9 10.0.0.10: 10.0.0.9 is not in the LAN's network",
    ],
    ['set dhcp lease 5', 'Cannot set DHCP lease 5: it is not 120 to 8640000'],
    ['set dhcp dns 1.2.3', 'Cannot set DHCP DNS server 1.2.3: an address is four numbers with dots'],
    ['set dhcp domain a..b', 'Cannot set DHCP domain a..b: it is no domain name'],
    ['set dhcp option 53 1', 'Cannot set DHCP option 53: the protocol itself uses it'],
    ['set dhcp option 26 x', 'Cannot set DHCP option 26: x is not a number from 0 to 65535'],
    ['set dhcp option 26 1 2', 'Cannot set DHCP option 26: it takes one value, not 2'],
    [
      'set dhcp reserve 1:2 192.168.0.5',
      'Cannot set DHCP reservation of 192.168.0.5 for 1:2: a host is 00:11:22:33:44:55, or id: and an identifier in hexadecimal',
    ],
    [
      'set dhcp reserve 02:00:00:00:00:01 192.168.0.1',
      "Cannot set DHCP reservation of 192.168.0.1 for 02:00:00:00:00:01: it is the router's own address",
    ],
    [
      'unset dhcp reserve 02:00:00:00:00:01',
      'Cannot unset DHCP reservation for 02:00:00:00:00:01: there is none',
    ],
    ['revoke 192.168.0.77', 'Cannot revoke 192.168.0.77: there is no lease of it'],
  ];
  for (const [line, refusal] of refusals) t.is(command(line), refusal);
  const lines = [
    'set dhcp off',
    'set dhcp range 192.168.0.50 192.168.0.60',
    'set dhcp lease 3600',
    'set dhcp dns 9.9.9.9 1.1.1.1',
    'set dhcp domain home.arpa',
    'set dhcp option 26 1400',
    'set dhcp reserve 02:00:00:00:00:01 192.168.0.5 printer',
    'set dhcp reserve id:0102 192.168.0.6',
    'set dhcp reserve id:0103 192.168.0.6',
  ];
  for (const line of lines.slice(0, -1)) t.is(command(line), '');
  t.is(
    command(lines.at(-1) as string),
    '192.168.0.6 is reserved for id:0102 too: who asks gets it while the other is silent',
  );
  const listed = command('show config')
    .split('\n')
    .filter(line => line.includes('dhcp ') && !line.includes('wan'));
  t.deepEqual(listed, lines);
  t.regex(command('show leases'), /192\.168\.0\.5 +02:00:00:00:00:01 reserved +printer/);
  for (const what of ['range', 'lease', 'dns', 'domain', 'option 26', 'reserve id:0102', 'reserve id:0103']) {
    t.is(command(`unset dhcp ${what}`), '');
  }
  t.is(command('show config').match(/set dhcp /g)?.length, 2);
});

test('set dhcp: settings take effect at once', async t => {
  const { command, one, say } = await lab();
  for (const line of [
    'set dhcp dns 9.9.9.9 1.1.1.1',
    'set dhcp domain home.arpa',
    'set dhcp option 26 1400',
  ]) {
    t.is(command(line), '');
  }
  const { message } = one(station(1), DISCOVER, { wants: [6, 15, 26] });
  t.deepEqual(message.addresses(option.OPTION_DOMAIN_NAME_SERVER), [0x09090909, 0x01010101]);
  t.is(String.fromCharCode(...message.bytes(option.OPTION_DOMAIN_NAME)), 'home.arpa');
  t.is(message.half(option.OPTION_INTERFACE_MTU), 1400);
  t.is(command('set dhcp domain none'), '');
  t.false(one(station(1), DISCOVER, { wants: [15] }).message.has(option.OPTION_DOMAIN_NAME));
  t.is(command('set dhcp off'), '');
  t.deepEqual(say(station(1), DISCOVER), []);
  t.is(command('set dhcp on'), '');
  t.is(say(station(1), DISCOVER).length, 1);
});

test('leases and settings outlive control', async t => {
  const { join, command, one, kill, printed } = await lab();
  const address = join(station(1), { name: 'desk' });
  t.is(command(`set dhcp reserve ${station(2)} 192.168.0.20`), '');
  kill();
  t.regex(printed(), /Control was restarted/);
  t.regex(command('show leases'), new RegExp(`${address} .*leased .*desk`));
  t.is(one(station(1), REQUEST, { ciaddr: address, destination: ROUTER }).type, ACK);
  t.is(join(station(2)), '192.168.0.20');
  t.is(command(`revoke ${address}`), '');
  t.is(command('show leases').match(/leased/g)?.length, 1);
});

test('where no other address is left the oldest offer that nobody took goes, not that of who had a lease', async t => {
  const { one, say, join, command, seconds } = await lab();
  t.is(command('set dhcp range 192.168.0.100 192.168.0.103'), '');
  const address = join(station(1));
  say(station(1), RELEASE, { ciaddr: address, server: ROUTER });
  t.is(one(station(1), DISCOVER).yiaddr, address);
  const offered = [2, 3, 4].map(n => one(station(n), DISCOVER).yiaddr);
  t.deepEqual(say(station(5), DISCOVER), []);
  seconds(DHCP_OFFER_LEAST_SECONDS);
  t.is(join(station(3)), offered[1], 'one that was slow');
  t.is(join(station(5)), offered[0], 'the oldest');
  t.is(join(station(6)), offered[2]);
  t.deepEqual(say(station(7), DISCOVER), []);
  t.is(one(station(1), DISCOVER).yiaddr, address);
});

test('made-up clients without end leave a new host an address as soon as it is heard', async t => {
  const { raw, wait, join } = await lab();
  for (let n = 0; n < 20 * 40; n++) {
    const mac = `02:66:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`;
    raw(mac, compose(mac, DISCOVER, { xid: n }));
    wait(TICKS_PER_SECOND / 20);
  }
  wait(TICKS_PER_SECOND);
  t.regex(join(station(1)), /^192\.168\.0\.1\d\d$/);
});
