// The worst input that each of control's parsers takes from a network, on the booted board, and what it costs in
// instructions: the table "Worst inputs" of docs/performance.md, with a bound each, some 40 % above what was measured.
// Every row is control's work and the plane's from the frame on the wire to the last answer, less what an idle board does
// meanwhile (worst-lab.ts).
// Not here: what servers answer that were asked (worst-answers.test.ts), what ordinary input costs (bench/services.ts),
// what single packets cost the plane (metered.ts).

import test, { type ExecutionContext } from 'ava';
import { COUNT_PUNTED } from '../src/base/counters.ts';
import { COUNTERS_AT } from '../src/base/limits.ts';
import { DISCOVER, OFFER, REQUEST } from '../src/control/dhcp/message.ts';
import { compose, station } from '../src/control/dhcp/server-lab.ts';
import { HOST, ip, OUTSIDE, ROUTER, SERVER } from './bench/addresses.ts';
import { type Bench, idleness, pause, until } from './bench/lab.ts';
import { planeWord, reading, spent } from './harness/icount.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';
import * as packets from './packets.ts';
import { TcpEnd } from './tcp-end.ts';
import { WorstLab } from './worst-lab.ts';

const DNS_PORT = 53;
const CLIENT_PORT = 4000;
const REFUSED = 400;

/** What the server does with a query, whose bytes it gets. */
type Answerer = (query: Uint8Array) => Uint8Array | undefined;

let lab: WorstLab;
let bench: Bench;
let answerer: Answerer = () => undefined;
/** Datagrams that the server got, of UDP. */
const asked: packets.Read[] = [];
const ends: TcpEnd[] = [];

test.serial.before(async t => {
  t.timeout(TEST_MILLISECONDS);
  lab = await WorstLab.create();
  bench = lab.bench;
  lab.onLan = read => {
    for (const end of ends) end.take(read);
  };
  lab.onWan = read => {
    for (const end of ends) end.take(read);
    if (read.protocol !== packets.UDP) return;
    asked.push(read);
    const answer = read.destinationPort === DNS_PORT ? answerer(read.data) : undefined;
    if (answer !== undefined)
      bench.wan.send(packets.udp(ip(SERVER, OUTSIDE), DNS_PORT, read.sourcePort, answer));
  };
  await bench.machine.console.command(`set dns server ${SERVER}`);
});

test.after.always(async () => await lab?.bench.stop());

test.serial('an idle board sleeps, also where its host wakes it late', async t => {
  t.timeout(TEST_MILLISECONDS);
  const { load } = await idleness(bench.machine, 1000);
  t.true(load < 0.02, `${(100 * load).toFixed(1)} %`); // 0.3 % where each tick costs what it costs
});

/** A row of what the plane deals with in the card's interrupt, and control never hears of. */
async function refused(t: ExecutionContext, what: string, input: (i: number) => void): Promise<void> {
  const punted = await planeWord(bench.machine, COUNTERS_AT + 4 * COUNT_PUNTED);
  const before = await reading(bench.machine);
  for (let i = 0; i < REFUSED; i++) {
    input(i);
    if (i % 4 === 3) await pause(4); // what the card's ring takes
  }
  await pause(300);
  const { inInterrupts } = spent(before, await reading(bench.machine));
  lab.told(t, what, inInterrupts / REFUSED, 20_000);
  t.is(await planeWord(bench.machine, COUNTERS_AT + 4 * COUNT_PUNTED), punted, what);
}

/** A test of rows: each is told, and those past their bound fail it together. */
function rows(title: string, run: (t: ExecutionContext) => Promise<void>): void {
  test.serial(title, async t => {
    t.timeout(TEST_MILLISECONDS);
    lab.failed.length = 0;
    await run(t);
    t.deepEqual(lab.failed, []);
  });
}

function name(text: string): number[] {
  return [...text.split('.').flatMap(label => [label.length, ...Buffer.from(label)]), 0];
}

const word = (value: number): number[] => [value >> 8, value & 255];

/** A query: header with these counts of records, and what follows it. */
function header(id: number, rest: ArrayLike<number>, counts = [1, 0, 0, 0]): Uint8Array {
  return packets.concat(word(id), word(0x0100), counts.flatMap(word), rest);
}

/** An answer to a query with these counts, records behind the question. */
function answerTo(query: Uint8Array, counts: number[], records: ArrayLike<number>): Uint8Array {
  let end = 12;
  while (query[end] !== 0) end += (query[end] as number) + 1;
  const question = query.slice(12, end + 5);
  return packets.concat(query.slice(0, 2), word(0x8180), word(1), counts.flatMap(word), question, records);
}

/** A name of 255 octets, of as many labels as there can be, before these. */
function longName(last: number[], first: number): number[] {
  const labels: number[] = [];
  for (let i = 0; labels.length + 2 + last.length <= 255; i++) labels.push(1, i === 0 ? first : 0xc1);
  return [...labels, ...last];
}

const send = (data: Uint8Array): void =>
  bench.lan.send(packets.udp(ip(HOST, ROUTER), CLIENT_PORT, DNS_PORT, data));
const repeat = (count: number, bytes: number[]): number[] => new Array<number[]>(count).fill(bytes).flat();

/** Sends a query and waits for its answer. */
async function exchange(data: Uint8Array): Promise<void> {
  const before = lab.answers;
  send(data);
  await until(() => lab.answers > before);
}

rows('DNS queries by UDP', async t => {
  const pointers: number[] = [];
  for (let i = 0; i < 362; i++) pointers.push(...word(0xc000 | (i === 0 ? 12 : 28 + 2 * (i - 1))));
  const chained = [0, 0, 2, 0, 1, 0, 0, 16, 0, 1, 0, 0, 0, 0, 2, 0xd4, ...pointers];
  const last = word(0xc000 | (28 + 2 * 361));
  const records = repeat(60, [...last, 0, 16, 0, 1, 0, 0, 0, 0, 0, 0]);
  await lab.row(t, 'DNS query, 1,472 bytes: a chain of 362 pointers and 60 records at its end', 250_000, i =>
    exchange(header(i, [...chained, ...records], [1, 0, 0, 61])),
  );
  const options = [0, 0, 41, 16, 0, 0, 0, 0, 0, ...word(1180), ...repeat(295, [0, 10, 0, 0])];
  await lab.row(t, 'DNS query, 1,472 bytes: 124 labels below home.arpa, 295 options', 900_000, i =>
    exchange(header(i, [...longName(name('home.arpa'), 65), 0, 1, 0, 1, ...options], [1, 0, 0, 1])),
  );
});

rows('DNS answers of a server by UDP', async t => {
  let serial = 0;
  const fresh = (): Uint8Array => header(serial, [...longName([0], 65 + (serial % 26)), 0, serial++, 0, 1]);
  const ask = async (): Promise<void> => await exchange(fresh());
  answerer = query => answerTo(query, [0, 0, 0], []);
  await lab.row(t, 'DNS query of 127 labels, forwarded, and an empty answer', 1_300_000, ask);
  const empty = [0, 0, 16, 0, 1, 0, 0, 1, 0, 0, 0];
  answerer = query => answerTo(query, [85, 0, 0], repeat(85, empty));
  await lab.row(t, 'with 85 empty records', 2_300_000, ask);
  const labels = [...repeat(126, [1, 97]), 0, 0, 16, 0, 1, 0, 0, 1, 0, 0, 0];
  answerer = query => answerTo(query, [3, 0, 0], repeat(3, labels));
  await lab.row(t, 'with 3 names of 126 labels', 2_000_000, ask);
  const hints = [0, 4, ...word(880), ...repeat(220, [9, 9, 9, 9])];
  const service = [0, 0, 65, 0, 1, 0, 0, 1, 0, ...word(3 + hints.length), 0, 1, 0, ...hints];
  answerer = query => answerTo(query, [1, 0, 0], service);
  await lab.row(t, 'with 220 address hints', 2_300_000, ask);
  const wrong = packets.payload(1232);
  answerer = () => undefined;
  asked.length = 0;
  send(fresh());
  await until(() => asked.length > 0);
  const { sourcePort } = asked[0] as packets.Read;
  await lab.row(
    t,
    'forged answer, 1,232 bytes, from the right address to the right port',
    300_000,
    async () => {
      bench.wan.send(packets.udp(ip(SERVER, OUTSIDE), DNS_PORT, sourcePort, wrong));
    },
    10,
  );
});

rows('DNS answers from the cache', async t => {
  const size = [0, 0, 41, 16, 0, 0, 0, 0, 0, 0, 0];
  const query = (id: number): Uint8Array =>
    header(id, [...name('many.example'), 0, 1, 0, 1, ...size], [1, 0, 0, 1]);
  answerer = asked =>
    answerTo(asked, [74, 0, 0], repeat(74, [0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4, 9, 9, 9, 9]));
  await exchange(query(1));
  await pause(1500);
  await lab.row(t, 'DNS answer from the cache, 74 records counted down', 800_000, i => exchange(query(i)));
});

rows('segments to port 53 of the LAN', async t => {
  const segment = (
    flags: number,
    sourcePort: number,
    sequence = 1,
    data: Uint8Array = new Uint8Array(0),
  ): Uint8Array =>
    packets.tcp(ip(HOST, ROUTER), { sourcePort, destinationPort: DNS_PORT, flags, sequence }, data);
  const flood = async (what: string, flags: number, data: Uint8Array = new Uint8Array(0)): Promise<void> =>
    await refused(t, what, i => bench.lan.send(segment(flags, 1024 + i, i, data)));
  let opened = 0;
  const { lan } = bench;
  const count = lan.onFrame;
  lan.onFrame = frame => {
    if (packets.read(frame.slice(14)).tcpFlags === (packets.SYN | packets.ACK)) opened++;
    count(frame);
  };
  await flood('SYN', packets.SYN);
  t.true(opened > REFUSED * 0.9, `${opened} of ${REFUSED} SYNs were answered`);
  lan.onFrame = count;
  await flood('ACK to nobody, 1,460 bytes', packets.ACK, packets.payload(1460));
  await flood('RST to nobody', packets.RST);
});

rows('DNS by TCP, client and server', async t => {
  const open = async (): Promise<TcpEnd> => {
    const client = new TcpEnd(
      { address: HOST, port: 6000 + ends.length },
      { address: ROUTER, port: DNS_PORT },
      d => bench.lan.send(d),
    );
    ends.push(client);
    client.connect();
    await until(() => client.isOpen);
    return client;
  };
  const client = await open();
  const query = header(1, [...name('masqbox'), 0, 1, 0, 1]);
  const framed = packets.concat(word(query.length), query);
  await lab.row(
    t,
    'DNS query by TCP, a byte in each of its 27 segments',
    7_000_000,
    async () => {
      const before = client.received;
      for (const byte of framed) {
        const taken = client.acknowledged;
        client.send(Uint8Array.from([byte]));
        await until(() => client.acknowledged > taken);
      }
      await until(() => client.received > before);
    },
    10,
  );
  client.reset();
  const crowd = await open();
  await lab.row(
    t,
    'a segment of 730 empty messages, and the connection',
    700_000,
    async () => {
      const one = await open();
      one.send(new Uint8Array(1460));
      await until(() => one.isReset);
    },
    10,
  );
  crowd.reset();
  // An answer of 16,382 bytes that came by TCP and goes on by TCP.
  const hints = [0, 4, ...word(16_000), ...repeat(4000, [9, 9, 9, 9])];
  const service = [0, 0, 65, 0, 1, 0, 0, 1, 0, ...word(3 + hints.length), 0, 1, 0, ...hints];
  let id = 1; // what was refused is kept, so each asks for a name of its own
  for (const [what, count, records] of [
    ['4,000 address hints', 1, service],
    [
      '512 records, 15,872 bytes',
      512,
      repeat(512, [0, 0, 16, 0, 1, 0, 0, 1, 0, 0, 20, ...repeat(10, [9, 0])]),
    ],
    ['1,400 empty records, refused by the header', 1400, repeat(1400, [0, 0, 16, 0, 1, 0, 0, 1, 0, 0, 0])],
  ] as const) {
    const asker = await open();
    await lab.row(
      t,
      `DNS answer by TCP: ${what}`,
      18_000_000,
      async () => {
        const server = TcpEnd.listening({ address: SERVER, port: DNS_PORT }, d => bench.wan.send(d));
        server.onData = data => {
          if (data.length <= 2) return;
          const answer = answerTo(data.slice(2), [count, 0, 0], records);
          server.send(packets.concat(word(answer.length), answer));
        };
        ends.push(server);
        const before = asker.received;
        const own = header(id, [...name(`n${id++}.example`), 0, 65, 0, 1]);
        asker.send(packets.concat(word(own.length), own));
        await until(() => asker.received > before && asker.isQuiet);
        // The next query is to have a connection of its own, too.
        server.reset();
        ends.splice(ends.indexOf(server), 1);
      },
      3,
    );
    asker.reset();
  }
});

rows('DHCP messages of clients', async t => {
  const filled = (n: number, type: number, options: number[]): Uint8Array => {
    const bytes = compose(station(n), type, { xid: n + 1 });
    const base = bytes.slice(0, 243); // up to the message type, the first option
    return packets.concat(base, options.slice(0, 1472 - base.length));
  };
  const say = async (n: number, type: number, options: number[]): Promise<void> => {
    const datagram = packets.udp(ip('0.0.0.0', '255.255.255.255'), 68, 67, filled(n, type, options));
    bench.lan.sendFrame(packets.frame(packets.BROADCAST, station(n), datagram));
  };
  const halves = repeat(700, [12, 0]);
  const split = repeat(250, [12, 1, 97, 81, 1, 97]);
  await lab.row(t, 'DHCP message of 1,229 pads', 950_000, () => say(1, REQUEST, repeat(1500, [0])), 10);
  await lab.row(t, 'DHCP message of 614 empty options', 3_500_000, () => say(2, REQUEST, halves), 10);
  await lab.row(t, 'DHCP message of two options in 200 pieces', 3_000_000, () => say(3, REQUEST, split), 10);
  await lab.row(
    t,
    'DHCP DISCOVER of a new client with all that',
    4_700_000,
    i => say(10 + i, DISCOVER, [...repeat(100, [12, 1, 45]), ...repeat(900, [0])]),
    10,
  );
});

rows('what comes from outside to sockets of ours', async t => {
  const { wan, machine } = bench;
  asked.length = 0;
  await machine.console.command(`set ntp server ${SERVER}`);
  const ntp = (): packets.Read | undefined =>
    asked.findLast(({ destinationPort }) => destinationPort === 123);
  await until(() => ntp() !== undefined);
  const port = ntp()?.sourcePort ?? 0;
  t.not(port, 0);
  await lab.row(
    t,
    'NTP answer that answers something else, 1,472 bytes',
    200_000,
    async () => {
      wan.send(packets.udp(ip(SERVER, OUTSIDE), 123, port, packets.payload(1472)));
    },
    10,
  );
  asked.length = 0;
  answerer = () => undefined;
  send(header(9, [...name('quoted.example'), 0, 1, 0, 1]));
  await until(() => asked.length > 0);
  const query = asked[0] as packets.Read;
  const forged = query.data.slice();
  forged[query.data.length - 6] = 1;
  const quoted = packets.udp(
    ip(OUTSIDE, SERVER),
    query.sourcePort,
    DNS_PORT,
    packets.concat(forged, packets.payload(500)),
  );
  await lab.row(
    t,
    'ICMP error that quotes a query but for a bit',
    300_000,
    async () => {
      wan.send(packets.icmpError(ip(SERVER, OUTSIDE), 3, 3, quoted));
    },
    10,
  );
  // A client that waits for an offer, and offers to somebody else.
  await machine.console.command('set wan dhcp');
  const offer = packets.concat(compose(station(1), OFFER, { xid: 1 }), new Uint8Array(1172));
  offer[0] = 2;
  await refused(t, 'DHCP offer to another client, 1,472 bytes', () =>
    wan.send(packets.udp(ip(SERVER, '255.255.255.255'), 67, 68, offer)),
  );
});

rows('lines at the console', async t => {
  const { machine } = bench;
  for (const [head, tail] of [
    ['', 'set dns host a 192.0.2.1 confirm '],
    ['set wan hostname ', 'set dns host a 192.0.2.1 confirm '],
    ['set lan address ', 'not '],
    ['set ntp server ', 'a'],
    ['help ', 'help '],
  ] as const) {
    const line = (head + tail.repeat(1000)).slice(0, 990);
    const instructions = await lab.instructions(async () => {
      await machine.console.command(line);
    });
    lab.told(t, `console line of 990 bytes: ${head}${tail}...`, instructions, 60_000_000);
  }
});
