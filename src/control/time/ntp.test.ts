// The NTP client in virtual time: the real UDP and plane, and a server that is a function.

import test from 'ava';
import { controlLab, type Lab } from '../../../test/control-lab.ts';
import {
  arpFrame,
  BROADCAST,
  get32,
  icmpError,
  isArp,
  put32,
  read,
  UDP,
  udp,
} from '../../../test/packets.ts';
import { GATEWAY, GATEWAY_MAC, SERVER, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { BUFFER_COUNT, INTERFACE_WAN, TICKS_PER_SECOND } from '../../base/limits.ts';
import { parseAddress } from '../core/address.ts';
import { INFO, WARNING } from '../core/log.ts';
import { createWallClock, type WallClock } from '../core/wall-clock.ts';
import { type Ntp, NtpClient } from './ntp.ts';

const GATEWAY_ARP = {
  ...{ operation: 1, senderMac: GATEWAY_MAC },
  ...{ senderAddress: GATEWAY, targetAddress: WAN_ADDRESS },
};
const NTP_TO_UNIX = 2208988800;
/** 2026-11-21 03:15:00 is the tick 0 of the true time. */
const START = 1795230900;

/** When the firmware was built: a month before. */
const BUILT = START - 30 * 86400;

type Answer = 'right' | 'silent' | 'refused' | 'DENY' | 'RSTR' | 'RATE' | 'INIT' | 'STEP' | 'XFUN' | 'forged';

/** Addresses of one name. */
const POOL = ['198.51.100.11', '198.51.100.12', '198.51.100.13', '198.51.100.14', '198.51.100.15'];

interface Town extends Lab {
  ntp: Ntp;
  wallClock: WallClock;
  /** What each server does; those not named are silent. A number answers rightly, but so many seconds off. */
  servers: Map<string, Answer | number>;
  /** When and whom it asked, in ticks. */
  asked: { tick: number; server: string }[];
  /** The crystal's error: parts that the true time runs faster than ticks. */
  drift: number;
  /** Names that were looked up. */
  names: string[];
  run(seconds: number): void;
}

function town(): Town {
  const lab = controlLab();
  const { router, clock, context } = lab;
  const names: string[] = [];
  const resolve = (name: string, done: (addresses: number[]) => void): void => {
    names.push(name);
    const many = name === 'pool.example' ? POOL : [];
    const found = name === 'time.example' ? [SERVER] : many;
    context.clock.after(1, () => done(found.map(text => parseAddress(text) as number)));
  };
  const wallClock = createWallClock(clock, BUILT);
  const self: Town = {
    ...lab,
    wallClock,
    ntp: new NtpClient(context, wallClock, () => {}, resolve),
    servers: new Map(),
    asked: [],
    drift: 0,
    names,
    run(seconds) {
      for (let i = 0; i < seconds * TICKS_PER_SECOND; i++) {
        lab.ticks(1);
        for (const frame of router.taken(INTERFACE_WAN)) {
          // Who asks for a station gets to know the gateway's.
          if (isArp(frame)) router.put(INTERFACE_WAN, arpFrame(BROADCAST, GATEWAY_ARP));
          else answer(self, frame.slice(14));
        }
        lab.settle();
      }
    },
  };
  return self;
}

/** The true time at a tick, Unix seconds. */
function trueTime(self: Town, tick = self.clock.now()): number {
  return START + (tick / TICKS_PER_SECOND) * (1 + self.drift);
}

function answer(self: Town, datagram: Uint8Array): void {
  const { protocol, destination, destinationPort, sourcePort, data } = read(datagram);
  if (protocol !== UDP || destinationPort !== 123) return;
  self.asked.push({ tick: self.clock.now(), server: destination });
  const does = self.servers.get(destination) ?? 'silent';
  const kind = typeof does === 'number' ? 'right' : does;
  const off = typeof does === 'number' ? does : 0;
  if (kind === 'silent') return;
  if (kind === 'refused') {
    self.router.fromGateway(icmpError({ source: GATEWAY, destination: WAN_ADDRESS }, 3, 3, datagram));
    return;
  }
  const reply = new Uint8Array(48);
  reply.set([0x24, kind === 'right' || kind === 'forged' ? 2 : 0, 6, 0xe8]);
  reply.set(kind === 'right' || kind === 'forged' ? [10, 0, 0, 1] : Buffer.from(kind), 12);
  reply.set(data.subarray(40, 48), 24);
  if (kind === 'forged') put32(reply, 24, get32(reply, 24) ^ 1);
  const time = trueTime(self) + NTP_TO_UNIX + off;
  for (const at of [32, 40]) {
    put32(reply, at, Math.floor(time) % 2 ** 32);
    put32(reply, at + 4, Math.floor((time % 1) * 2 ** 32));
  }
  const ends = { source: destination, destination: WAN_ADDRESS };
  self.router.fromGateway(udp(ends, 123, sourcePort, reply));
}

/** Milliseconds that the router's clock is off. */
function error(self: Town): number {
  return Math.abs((self.wallClock.milliseconds() ?? 0) - trueTime(self) * 1000);
}

const address = (text: string) => parseAddress(text) as number;

test.serial('start() waits a random while, and asks nobody without a server', t => {
  const self = town();
  self.ntp.start();
  self.run(30);
  t.is(self.asked.length, 0);
  t.is(self.ntp.state, 'OFF');
  const delays = new Set<number>();
  for (let i = 0; i < 20; i++) {
    const other = town();
    for (let n = 0; n < i; n++) other.context.random();
    other.servers.set(SERVER, 'right');
    other.ntp.add(SERVER, address(SERVER));
    other.ntp.start();
    other.run(20);
    t.true(other.asked.length >= 1);
    delays.add(other.asked[0]?.tick ?? 0);
  }
  t.true(Math.min(...delays) > TICKS_PER_SECOND / 2 && Math.max(...delays) < 18 * TICKS_PER_SECOND);
  t.true(delays.size > 5);
});

test.serial('an answer sets the clock; later questions come ever later, and no socket stays open', t => {
  const self = town();
  const { plane } = self.context.machine;
  self.servers.set(SERVER, 'right');
  self.ntp.add(SERVER, address(SERVER));
  self.ntp.start();
  self.run(20);
  t.true(error(self) <= 10, `${error(self)} ms`);
  t.regex(self.wallClock.source ?? '', /NTP server 204\.152\.184\.112, stratum 2/);
  self.run(1500);
  const gaps = self.asked
    .slice(1)
    .map(({ tick }, i) => (tick - (self.asked[i]?.tick ?? 0)) / TICKS_PER_SECOND);
  t.is(gaps.length, 4);
  for (const [i, gap] of gaps.entries()) {
    const nominal = 64 * 2 ** i;
    t.true(gap >= nominal * 0.89 && gap <= nominal * 1.12, `${gap} s, nominally ${nominal}`);
  }
  for (let port = 1024; port < 65536; port++)
    if (plane.socketUses(UDP, port) !== 0) t.fail(`port ${port} is open`);
  self.router.taken(INTERFACE_WAN); // the last ARP reply
  t.is(plane.poolFree(), BUFFER_COUNT);
});

test.serial('the next server is asked when one is silent, refuses or forges', t => {
  for (const kind of ['silent', 'refused', 'forged'] as const) {
    const self = town();
    self.servers.set(SERVER, 'right');
    self.servers.set(GATEWAY, kind);
    self.ntp.add(GATEWAY, address(GATEWAY));
    self.ntp.add(SERVER, address(SERVER));
    self.ntp.start();
    self.run(25);
    t.deepEqual(
      self.asked.slice(0, 2).map(({ server }) => server),
      [GATEWAY, SERVER],
    );
    t.true(error(self) <= 10);
  }
});

test.serial('silence of all is asked again ever later, never within 14 s, and logged once', t => {
  const self = town();
  self.ntp.add(SERVER, address(SERVER));
  self.ntp.start();
  self.run(2500);
  const gaps = self.asked.slice(1).map(({ tick }, i) => tick - (self.asked[i]?.tick ?? 0));
  t.true(gaps.length >= 16 && gaps.length <= 24, `${gaps.length}`);
  t.true(Math.max(...gaps) > 110 * TICKS_PER_SECOND);
  t.true(Math.min(...gaps) >= 14 * TICKS_PER_SECOND);
  t.is(self.context.log.entries().length, 1);
  self.servers.set(SERVER, 'right');
  self.run(150);
  t.true(error(self) <= 10, `${error(self)} ms, asked at ${self.asked.map(({ tick }) => tick).join()}`);
});

test.serial('DENY sends away for good, RATE for more than an hour', t => {
  const denied = town();
  denied.servers.set(SERVER, 'DENY');
  denied.ntp.add(SERVER, address(SERVER));
  denied.ntp.start();
  denied.run(3000);
  t.is(denied.asked.length, 1);
  t.is(denied.ntp.state, 'OFF');
  t.deepEqual(denied.ntp.listing(), [`${SERVER} (denied)`]);
  const rated = town();
  rated.servers.set(SERVER, 'RATE');
  rated.ntp.add(SERVER, address(SERVER));
  rated.ntp.start();
  rated.run(3000);
  t.is(rated.asked.length, 1);
  t.is(rated.ntp.state, 'WAITING');
  t.true((rated.ntp.nextIn() ?? 0) > 600 * TICKS_PER_SECOND);
});

test.serial(
  'a server that has no time yet, or says what only it knows, is asked again like a silent one',
  t => {
    for (const kiss of ['INIT', 'STEP', 'XFUN'] as const) {
      const self = town();
      self.servers.set(SERVER, kiss);
      self.ntp.add(SERVER, address(SERVER));
      self.ntp.start();
      for (let i = 0; i < 20 && self.asked.length === 0; i++) self.run(1);
      self.run(1);
      t.is(self.ntp.state, 'WAITING', kiss);
      t.deepEqual(self.ntp.listing(), [SERVER]);
      self.servers.set(SERVER, 'right');
      self.run(40);
      t.true(error(self) <= 10, kiss);
    }
    const restricted = town();
    restricted.servers.set(SERVER, 'RSTR');
    restricted.ntp.add(SERVER, address(SERVER));
    restricted.ntp.start();
    restricted.run(20);
    t.is(restricted.ntp.state, 'OFF');
  },
);

test.serial('servers of DHCP are asked until one is set by hand', t => {
  const self = town();
  self.servers.set(SERVER, 'right');
  self.ntp.start();
  self.ntp.learn([address(SERVER)]);
  self.run(5);
  t.deepEqual([...new Set(self.asked.map(({ server }) => server))], [SERVER]);
  self.ntp.learn([address(SERVER)]);
  self.run(5);
  t.is(self.asked.length, 1, 'the same servers again are no news');
  self.ntp.add(GATEWAY, address(GATEWAY));
  self.run(5);
  t.is(self.asked.at(-1)?.server, GATEWAY);
  t.deepEqual(self.ntp.listing(), [GATEWAY]);
  t.true(self.ntp.remove(GATEWAY));
  t.false(self.ntp.remove(GATEWAY));
  t.deepEqual(self.ntp.listing(), [SERVER]);
});

test.serial('a name is looked up, and again after its server was silent', t => {
  const self = town();
  self.ntp.add('nobody.example', 0);
  self.ntp.add('time.example', 0);
  self.ntp.start();
  self.run(30);
  t.deepEqual(self.names.slice(0, 2), ['nobody.example', 'time.example']);
  t.is(self.asked[0]?.server, SERVER);
  const before = self.names.length;
  self.run(60);
  t.true(self.names.slice(before).includes('time.example'));
});

test.serial("the crystal's error is put right after a few answers", t => {
  const self = town();
  self.drift = 100e-6;
  self.servers.set(SERVER, 'right');
  self.ntp.add(SERVER, address(SERVER));
  self.ntp.start();
  self.run(6000);
  let worst = 0;
  for (let i = 0; i < 30; i++) {
    self.run(100);
    worst = Math.max(worst, error(self));
  }
  // Without it, 100 ppm are 300 ms in these 3,000 s.
  t.true(worst < 60, `${worst} ms`);
});

const OTHERS = ['198.51.100.1', '198.51.100.2', '198.51.100.3'] as const;

/** A client of servers that are so many seconds off, or do something else, after a minute. */
function asked(...kinds: (Answer | number)[]): Town {
  const self = town();
  for (const [i, kind] of kinds.entries()) {
    const server = [SERVER, ...OTHERS][i] as string;
    self.servers.set(server, kind);
    self.ntp.add(server, address(server));
  }
  self.ntp.start();
  self.run(60);
  return self;
}

const logged = (self: Town): string[] => self.context.log.entries().map(({ text }) => text);

test.serial('the majority of the servers that answer decides', t => {
  for (const kinds of [
    [0.2, 'right'],
    ['silent', 'right'],
    [5000, 'right', 'right'],
    ['right', -86400, 0.3, 0.1],
    ['right', 'silent', 'refused', 'right'],
    ['DENY', 'right', 9000, 'right'],
  ] as (Answer | number)[][]) {
    const self = asked(...kinds);
    t.true(error(self) <= 310, `${kinds}: ${error(self)} ms`);
    t.is(new Set(self.asked.map(({ server }) => server)).size, kinds.length, 'all are asked');
  }
  for (const kinds of [
    [5000, 'right'],
    ['right', 'right', 5000, 5000],
    [-5000, 5000, 'right'],
  ] as (Answer | number)[][]) {
    const self = asked(...kinds);
    t.is(self.wallClock.milliseconds(), undefined, `${kinds}`);
    const doubts = logged(self).filter(text => /tells \S+ \S+ UTC, and no majority agrees$/.test(text));
    t.is(doubts.length, kinds.length, 'each is told once');
    self.run(200);
    t.is(logged(self).length, kinds.length, 'and only once');
  }
});

test.serial('who is outvoted is named once, and again after it was right', t => {
  const self = asked('right', 'right', 100);
  const doubts = () => logged(self).filter(text => text.includes('and the majority something else'));
  t.is(doubts().length, 1);
  self.run(600);
  t.is(doubts().length, 1);
  self.servers.set(OTHERS[1], 'right');
  self.run(600);
  self.servers.set(OTHERS[1], 100);
  self.run(1500);
  t.is(doubts().length, 2);
  t.true(error(self) <= 20);
});

test.serial('servers that agree again after a quarrel set the clock', t => {
  const self = asked(5000, 'right');
  self.servers.set(SERVER, 'right');
  self.run(200);
  t.true(error(self) <= 10, `${error(self)} ms`);
});

test.serial('RATE of one slows down all, and the others set the clock', t => {
  const self = asked('RATE', 'right');
  t.true(error(self) <= 10);
  t.true((self.ntp.nextIn() ?? 0) > 600 * TICKS_PER_SECOND);
});

test.serial('no time before the firmware was built or after 2100 is taken', t => {
  const end = Date.UTC(2100, 0, 1) / 1000;
  for (const [off, isTaken] of [
    [BUILT - START - 100, false],
    [BUILT - START + 100, true],
    [end - START - 100, true],
    [end - START, false],
    [end - START + 20 * 365 * 86400, false],
  ] as const) {
    const self = asked(off);
    t.is(self.wallClock.milliseconds() !== undefined, isTaken, `${off}`);
    const said = logged(self).filter(text => text.includes('which cannot be'));
    t.is(said.length, isTaken ? 0 : 1);
  }
  // It has no vote either.
  const self = asked(BUILT - START - 100, 'right');
  t.true(error(self) <= 10);
});

test.serial('a step of more than a day after the first setting is a warning', t => {
  const self = asked('right');
  self.servers.set(SERVER, 86400 - 5);
  self.run(200);
  self.servers.set(SERVER, 3 * 86400);
  self.run(600);
  const steps = self.context.log.entries().filter(({ text }) => text.includes('later than ours'));
  t.deepEqual(
    steps.map(({ level }) => level),
    [INFO, WARNING],
  );
});

test.serial('of a name all addresses are tried, and the one that answers is kept', t => {
  const self = town();
  self.servers.set(POOL[2] as string, 'right');
  self.ntp.add('pool.example', 0);
  self.ntp.start();
  self.run(40);
  t.deepEqual(
    self.asked.map(({ server }) => server),
    POOL.slice(0, 3),
  );
  t.true(error(self) <= 10);
  t.is(self.names.length, 1);
  self.run(400);
  t.true(self.asked.slice(3).every(({ server }) => server === POOL[2]));
  t.is(self.names.length, 1);
});

test.serial('addresses of a name that refuse or send away make way for its others', t => {
  const self = town();
  for (const [i, kind] of (['refused', 'DENY', 'RSTR', 'right'] as const).entries())
    self.servers.set(POOL[i] as string, kind);
  self.ntp.add('pool.example', 0);
  self.ntp.start();
  self.run(25);
  t.true(error(self) <= 10);
  t.deepEqual(self.ntp.listing(), ['pool.example']);
  // The one that answered falls silent: those that sent us away are not asked again.
  self.servers.set(POOL[3] as string, 'silent');
  self.servers.set(POOL[0] as string, 'right');
  self.run(200);
  const counts = POOL.map(one => self.asked.filter(({ server }) => server === one).length);
  t.deepEqual([counts[1], counts[2]], [1, 1]);
  t.true((counts[0] as number) >= 2);
  const denied = town();
  for (const one of POOL) denied.servers.set(one, 'DENY');
  denied.ntp.add('pool.example', 0);
  denied.ntp.start();
  denied.run(400);
  t.is(denied.asked.length, POOL.length, 'each once');
  t.deepEqual(denied.ntp.listing(), ['pool.example (denied)']);
});

/** Ticks since 15 s after the last request. */
const since15 = (self: Town): number =>
  self.clock.now() - (self.asked.at(-1)?.tick ?? 0) - 15 * TICKS_PER_SECOND;

test.serial(
  'what was asked in vain is asked again at once when the WAN has an address, but not in a circle',
  t => {
    const self = town();
    self.ntp.add(SERVER, address(SERVER));
    self.ntp.start();
    self.run(1200);
    self.servers.set(SERVER, 'right');
    while ((self.ntp.nextIn() ?? 0) < 60 * TICKS_PER_SECOND || since15(self) < 0) self.run(1);
    self.ntp.hurry();
    self.run(2);
    t.true(error(self) <= 10, 'within 2 s');
    const good = self.asked.length;
    for (let i = 0; i < 20; i++) {
      self.ntp.hurry();
      self.run(1);
    }
    t.is(self.asked.length, good, 'the time is known');
    const flapping = town();
    flapping.ntp.add(SERVER, address(SERVER));
    flapping.ntp.start();
    for (let i = 0; i < 60; i++) {
      flapping.ntp.hurry();
      flapping.run(1);
    }
    t.true(flapping.asked.length >= 3 && flapping.asked.length <= 5, `${flapping.asked.length}`);
  },
);
