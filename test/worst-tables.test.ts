// The worst inputs of DNS and DHCP where all tables that they are looked up in are full, of entries that are as like to what
// is looked for as can be: on the booted board, in instructions, with a bound each. Rows of the table "Worst inputs"
// of docs/performance.md.
// Not here: the worst messages themselves (worst-inputs.test.ts), what servers answer that were asked (worst-answers.test.ts).

import test, { type ExecutionContext } from 'ava';
import { CONFIG_TEXT_MAX } from '../src/base/layout.ts';
import {
  DHCP_OPTIONS,
  DHCP_RESERVATIONS,
  DNS_ALLOWED,
  DNS_FLIGHTS,
  DNS_FORWARDS,
  DNS_HOSTS,
  DNS_QUEUED,
  DNS_WAITERS,
} from '../src/control/core/limits.ts';
import { versionLine } from '../src/control/core/store/version.ts';
import { ACK, DISCOVER, INFORM, NAK, OFFER, RELEASE, REQUEST } from '../src/control/dhcp/message.ts';
import { compose, type Said, station } from '../src/control/dhcp/server-lab.ts';
import { HOST, ip, OUTSIDE, ROUTER, SERVER } from './bench/addresses.ts';
import { pause, until } from './bench/lab.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';
import * as packets from './packets.ts';
import { TIMES, WorstLab } from './worst-lab.ts';

const DNS_PORT = 53;
const CLIENT_PORT = 4000;
/** Long, and with the LAN's domain behind it a name still; in wire form two bytes each. */
const LABELS = 121;
/** What there is room for among the saved lines. */
const FORWARD_LABELS = 100;
const FIRSTS = 'abcdefghijklmnopqrstuvwxyz012345'; // one for each host
const NOBODYS = '6789';

const times = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));
const word = (value: number): number[] => [value >> 8, value & 255];
const name = (text: string): number[] => [
  ...text.split('.').flatMap(label => [label.length, ...Buffer.from(label)]),
  0,
];

/** A name that differs in its first letter from others, and in nothing behind it. */
const like = (first: string, labels = LABELS): string => `${first}${'.a'.repeat(labels - 1)}`;
/** The same as a question, in the other case. */
const question = (first: string, behind = ''): number[] => [
  ...name(`${like(first).toUpperCase()}${behind}`),
  ...[0, 1, 0, 1],
];
const query = (id: number, question: readonly number[]): Uint8Array =>
  packets.concat(word(id), word(0x0100), [0, 1, 0, 0, 0, 0, 0, 0], question);

/** A test of rows: each is told, and those past their bound fail it together. */
function rows(
  title: string,
  configuration: string[],
  run: (t: ExecutionContext, lab: WorstLab) => Promise<void>,
): void {
  test.serial(title, async t => {
    t.timeout(TEST_MILLISECONDS);
    const text = `${[versionLine(), ...configuration].join('\n')}\n`;
    t.true(text.length <= CONFIG_TEXT_MAX, `${text.length} bytes of saved lines`);
    const lab = await WorstLab.create({ configuration: text });
    try {
      await lab.bench.machine.console.command(`set dns server ${SERVER}`);
      await run(t, lab);
    } finally {
      await lab.bench.stop();
    }
    t.deepEqual(lab.failed, []);
  });
}

/** An address as answer to a query. */
function answerTo(query: Uint8Array, address: string): Uint8Array {
  const bytes = packets.concat(query, [0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4]);
  bytes.set([0x81, 0x80], 2);
  bytes[7] = 1;
  bytes[11] = 0;
  return packets.concat(bytes, address.split('.').map(Number));
}

/** The number behind a word of `show dns`. */
async function counted(lab: WorstLab, what: string): Promise<number> {
  const shown = await lab.bench.machine.console.command('show dns');
  return Number(shown.match(new RegExp(`^${what} +(\\d+)`, 'm'))?.[1]);
}

rows(
  'DNS with all names set',
  [
    ...times(DNS_HOSTS, i => `set dns host ${like(FIRSTS[i]!)} 10.9.0.${i + 10}`),
    ...times(DNS_ALLOWED, i => `set dns allow ${like(FIRSTS[i]!)}`),
    ...times(DNS_FORWARDS, i => `set dns forward ${like(FIRSTS[i + 1]!, FORWARD_LABELS)} 203.0.113.7`),
  ],
  async (t, lab) => {
    const { bench } = lab;
    const send = (data: Uint8Array): void =>
      bench.lan.send(packets.udp(ip(HOST, ROUTER), CLIENT_PORT, DNS_PORT, data));
    const exchange = async (data: Uint8Array): Promise<void> => {
      const before = lab.answers;
      send(data);
      await until(() => lab.answers > before);
    };
    let address = '9.9.9.9';
    lab.onWan = ({ protocol, destinationPort, sourcePort, data }) => {
      if (protocol !== packets.UDP || destinationPort !== DNS_PORT) return;
      bench.wan.send(packets.udp(ip(SERVER, OUTSIDE), DNS_PORT, sourcePort, answerTo(data, address)));
    };
    const nobodys = (i: number): string => NOBODYS[i % NOBODYS.length]!;
    await lab.row(t, 'DNS query, a name set by hand of 121 labels, the last of 32', 1.1e6, i =>
      exchange(query(i, question(FIRSTS[31]!))),
    );
    await lab.row(
      t,
      'DNS query, 121 labels below home.arpa, unlike 32 set by hand in one letter',
      950_000,
      i => exchange(query(i, question(nobodys(i), '.home.arpa'))),
    );
    await lab.row(
      t,
      'DNS query of 121 labels, from the cache, unlike 32, 16 and 16 set names in a letter',
      1.1e6,
      i => exchange(query(i, question(nobodys(i)))),
    );
    address = '10.1.2.3';
    let serial = 0;
    await lab.row(
      t,
      'DNS query of 122 labels, forwarded, and a private address, unlike them and 16 allowed',
      2.9e6,
      i => {
        serial++;
        const own = [2, 97 + (serial % 26), 97 + Math.floor(serial / 26)];
        return exchange(query(i, [...own, ...question(nobodys(i))]));
      },
    );
  },
);

rows('DNS with all places taken', [], async (t, lab) => {
  const { bench } = lab;
  // Nobody answers, and each asker is another station that nobody knows.
  const ask = (n: number, host: string): void => {
    const datagram = packets.udp(
      ip(HOST, ROUTER),
      CLIENT_PORT,
      DNS_PORT,
      query(n, [...name(host), 0, 1, 0, 1]),
    );
    bench.lan.sendFrame(packets.frame(bench.lan.router, station(n), datagram));
  };
  const fill = async (count: number, host: (n: number) => string): Promise<void> => {
    for (let n = 0; n < count; n++) {
      ask(n, host(n));
      if (n % 10 < 9) continue;
      // Behind them in the queue of those whom nobody knows.
      const before = lab.answers;
      ask(n, 'masqbox');
      await until(() => lab.answers > before);
    }
  };
  for (const [what, most, count, host] of [
    [
      'DNS query of 62 labels, where 64 are under way and 256 wait',
      2.3e6,
      DNS_FLIGHTS + DNS_QUEUED,
      n => `${n}.${like('n', 61)}`,
    ],
    // A short name: of a long one control takes fewer than wait, in the time that they wait. When it is over all get SERVFAIL.
    ['DNS query for a name that 320 wait for', 2.3e6, DNS_WAITERS, () => 'www.example'],
  ] satisfies [string, number, number, (n: number) => string][]) {
    const before = await counted(lab, 'refused');
    await fill(count + 10, host);
    await lab.row(t, what, most, async i => ask(count + 10 + i, host(count + 10 + i)));
    t.true((await counted(lab, 'refused')) >= before + TIMES, what);
    await pause(6000);
  }
});

const IDENTIFIER_BYTES = 28;
const PAIRS = 11;
/** A client identifier of which others are alike, and have the same hash by D. J. Bernstein's function of 33 and exclusive or. */
const identifier = alike();

function alike(): (n: number) => number[] {
  const start = times(IDENTIFIER_BYTES - 2 * PAIRS, i => (i === 0 ? 255 : 7));
  let sum = 5381;
  const add = (sum: number, byte: number): number => (((sum << 5) + sum) ^ byte) | 0;
  for (const byte of start) sum = add(sum, byte);
  const pairs = times(PAIRS, () => {
    // Two bytes, and two others that make the same of the sum so far.
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        const made = add(add(sum, first), second);
        for (let other = 0; other < first; other++) {
          const last = made ^ add(add(sum, other), 0);
          if (last < 0 || last > 255) continue;
          sum = made;
          return [
            [first, second],
            [other, last],
          ];
        }
      }
    }
    throw new Error('There is no such pair');
  });
  // The last pairs first, so that most differ late.
  return n => [...start, ...pairs.flatMap((pair, i) => pair[(n >> (PAIRS - 1 - i)) & 1]!)];
}

const hex = (bytes: number[]): string => bytes.map(byte => byte.toString(16).padStart(2, '0')).join('');
/** Addresses of the pool from here on are reserved, and behind those leased. */
const FIRST = 3;
const LAST = 254;
const LEASED = LAST - FIRST + 1 - DHCP_RESERVATIONS;
const leased = (n: number): string => `192.168.0.${FIRST + DHCP_RESERVATIONS + n}`;
const hostName = (n: number): string => `${'h'.repeat(60)}${String(n).padStart(3, '0')}`;
const ALL_OPTIONS = times(254, i => 254 - i);
const ROUNDS = 10;

rows(
  'DHCP with all addresses reserved or leased, and all options set',
  [
    `set dhcp range 192.168.0.${FIRST} 192.168.0.${LAST}`,
    `set dhcp domain ${'d'.repeat(60)}.example`,
    `set dhcp boot ${'b'.repeat(255)}`,
    ...times(DHCP_OPTIONS, i => `set dhcp option ${224 + i} ${'o'.repeat(i < 4 ? 255 : 200)}`),
    ...times(
      DHCP_RESERVATIONS,
      i => `set dhcp reserve id:${hex(identifier(1000 + i))} 192.168.0.${FIRST + i} ${hostName(i)}`,
    ),
  ],
  async (t, lab) => {
    const { lan } = lab.bench;
    const heard: number[] = [];
    lab.onLan = ({ protocol, sourcePort, data }) => {
      if (protocol === packets.UDP && sourcePort === 67) heard.push(data[242] as number);
    };
    const say = async (mac: string, type: number, said: Said): Promise<void> => {
      const message = compose(mac, type, said);
      const [source, port] = [said.source ?? said.ciaddr ?? '0.0.0.0', said.giaddr === undefined ? 68 : 67];
      const datagram = packets.udp(ip(source, '255.255.255.255'), port, 67, message);
      lan.sendFrame(packets.frame(packets.BROADCAST, mac, datagram));
    };
    const row = async (
      what: string,
      most: number,
      answer: number | undefined,
      input: (i: number) => Promise<void>,
    ): Promise<void> => {
      heard.length = 0;
      await lab.row(t, what, most, input, ROUNDS);
      await until(() => answer === undefined || heard.length >= ROUNDS);
      const right = heard.filter(type => type === answer).length;
      t.is(right, answer === undefined ? 0 : ROUNDS, what);
    };
    for (let n = 0; n < LEASED; n++) {
      await say(station(n), REQUEST, { requested: leased(n), id: identifier(n) });
      await lab.passed();
    }
    t.true(await until(() => heard.filter(type => type === ACK).length === LEASED), `${heard}`);
    await row(
      'DHCP DISCOVER of a new client, and no address is left; its identifier like 64 reserved and 188 leased ones',
      700_000,
      undefined,
      i => say(station(1000 + i), DISCOVER, { id: identifier(600 + i) }),
    );
    const busy = { name: hostName(999), wants: ALL_OPTIONS, most: 1500 };
    await row('DHCP REQUEST that renews a lease and wants all options', 2.8e6, ACK, i =>
      say(station(100 + i), REQUEST, { ...busy, ciaddr: leased(100 + i), id: identifier(100 + i) }),
    );
    const relayed = { giaddr: HOST, source: HOST, id: times(255, i => i), relay: times(255, i => i) };
    await row(
      'DHCP INFORM by a relay, an identifier and option 82 of 255 bytes, wants all options',
      2.5e6,
      ACK,
      i => say(lan.mac, INFORM, { ...busy, ...relayed, ciaddr: leased(i) }),
    );
    await row('DHCP REQUEST for an address that another has', 450_000, NAK, i =>
      say(station(2000 + i), REQUEST, { ...busy, requested: leased(i), id: identifier(700 + i) }),
    );
    await row('DHCP RELEASE', 400_000, undefined, i =>
      say(station(i), RELEASE, { ciaddr: leased(i), server: ROUTER, id: identifier(i) }),
    );
    await row(
      'DHCP DISCOVER of a new client that gets an address of a lease that has ended',
      4.4e6,
      OFFER,
      i => say(station(3000 + i), DISCOVER, { ...busy, id: identifier(800 + i) }),
    );
  },
);
