// PPPoE's discovery against a concentrator that the test plays: what is said, when again, and which answers are believed.
// Not here: a real concentrator (pppoe-server), which wants an Ethernet.

import test from 'ava';
import { seeded } from '../../../tools/harness/random.ts';
import { PPPOE_PADI, PPPOE_PADO, PPPOE_PADR, PPPOE_PADS, PPPOE_PADT } from '../../wire/pppoe.ts';
import { Discovery, type DiscoveryWants, readTags, type SessionPlace, writeTags } from './discovery.ts';
import { bytesOf } from './packet.ts';
import { bytes, hex, PppTime } from './ppp-lab.ts';

const AC = bytes('02000000000a');
const OTHER = bytes('02000000000b');
const SERVICE = 0x0101;
const NAME = 0x0102;
const UNIQ = 0x0103;
const COOKIE = 0x0104;
const RELAY = 0x0110;
const PAYLOAD = 0x0120;
const SERVICE_ERROR = 0x0201;
const GENERIC_ERROR = 0x0203;

type TagList = [number, Uint8Array][];

class Lab {
  readonly time = new PppTime();
  readonly events: string[] = [];
  readonly sent: { tick: number; to: string; code: number; session: number; tags: Uint8Array }[] = [];
  readonly discovery: Discovery;
  place: SessionPlace | undefined;
  private seen = 0;

  constructor(wants: Partial<DiscoveryWants> = {}) {
    const chance = seeded(3);
    const { time, events, sent } = this;
    this.discovery = new Discovery(
      {
        clock: time.clock,
        random: () => (chance.fraction() * 2 ** 32) | 0,
        send: (station, code, session, tags) =>
          void sent.push({
            tick: time.now(),
            to: station === undefined ? 'all' : hex(station),
            code,
            session,
            tags,
          }),
        opened: (place, mru) => {
          this.place = place;
          events.push(`opened ${hex(place.station)} ${place.session} ${mru}`);
        },
        ended: reason => void events.push(`ended: ${reason}`),
        told: what => void events.push(what),
      },
      { service: '', concentrator: '', mru: 1492, ...wants },
    );
  }

  /** Codes and stations of what was sent since this was asked last. */
  said(): string[] {
    const all = this.sent.slice(this.seen);
    this.seen = this.sent.length;
    return all.map(({ code, to, session }) => `${code.toString(16)} ${to} ${session}`);
  }

  lastTags(): Map<number, Uint8Array> {
    return readTags(this.sent.at(-1)!.tags)!;
  }

  uniq(): Uint8Array {
    return this.lastTags().get(UNIQ)!;
  }

  answer(code: number, session: number, tags: TagList, station = AC, uniq = this.uniq()): void {
    this.discovery.input(station, code, session, writeTags([...tags, [UNIQ, uniq]]));
  }

  offer(name = 'ac', station = AC, more: TagList = [], service = ''): void {
    this.answer(PPPOE_PADO, 0, [[SERVICE, bytesOf(service)], [NAME, bytesOf(name)], ...more], station);
  }
}

test('a session is asked for, offered, requested with the cookie, and given; its end is said', t => {
  const lab = new Lab({ service: 'internet' });
  lab.discovery.start();
  t.deepEqual(lab.said(), ['9 all 0']);
  t.is(hex(lab.lastTags().get(SERVICE)!), hex(bytesOf('internet')));
  lab.offer(
    'ac',
    AC,
    [
      [COOKIE, bytes('0102')],
      [RELAY, bytes('03')],
    ],
    'internet',
  );
  t.deepEqual(lab.said(), ['19 02000000000a 0']);
  t.is(hex(lab.lastTags().get(COOKIE)!), '0102');
  t.is(hex(lab.lastTags().get(RELAY)!), '03');
  lab.answer(PPPOE_PADS, 7, [[SERVICE, bytesOf('internet')]]);
  t.deepEqual(lab.events, ['opened 02000000000a 7 1492']);
  t.is(lab.discovery.state, 'open');
  lab.time.seconds(300);
  t.deepEqual(lab.said(), []);
  lab.discovery.stop();
  t.deepEqual(lab.said(), ['a7 02000000000a 7']);
  t.is(lab.discovery.state, 'idle');
  lab.time.seconds(300);
  t.deepEqual(lab.said(), []);
});

test('a mute concentrator is asked for ever, each minute in the end', t => {
  const lab = new Lab();
  lab.discovery.start();
  lab.time.seconds(1800);
  const ticks = lab.sent.map(({ tick }) => tick);
  t.deepEqual(ticks.slice(0, 7), [0, 100, 300, 700, 1500, 3100, 6300]);
  t.deepEqual(
    ticks.slice(7, 10).map((tick, i) => tick - ticks[6 + i]!),
    [6000, 6000, 6000],
  );
  t.true(lab.sent.length < 40);
  lab.offer();
  lab.answer(PPPOE_PADS, 1, []);
  t.is(lab.discovery.state, 'open');
});

test('an offer that is not kept is given up after three requests, and another is taken before it', t => {
  const lab = new Lab();
  lab.discovery.start();
  lab.offer('deaf');
  lab.time.seconds(7.5);
  t.deepEqual(
    lab.said().map(line => line.split(' ')[0]),
    ['9', '19', '19', '19', '9'],
  );
  lab.offer('deaf');
  t.is(lab.discovery.state, 'asking');
  lab.offer('other', OTHER);
  t.deepEqual(lab.said(), ['19 02000000000b 0']);
  t.deepEqual(lab.events, ['deaf has offered a session and does not give it']);
});

test('the only one there is asked again, although it did not keep its offer', t => {
  const lab = new Lab();
  lab.discovery.start();
  lab.offer();
  lab.time.seconds(7.5);
  lab.offer();
  lab.time.seconds(1);
  lab.offer();
  t.is(lab.discovery.state, 'requesting');
});

test('refusals are told with their reasons, and it is not asked again at once', t => {
  const lab = new Lab({ service: 'x' });
  lab.discovery.start();
  lab.offer('ac', AC, [[SERVICE_ERROR, new Uint8Array(0)]], 'x');
  t.is(lab.discovery.state, 'asking');
  lab.offer('ac', AC, [], 'x');
  lab.answer(PPPOE_PADS, 0, [[GENERIC_ERROR, bytesOf('no more\u0007ports')]]);
  t.deepEqual(lab.events, [
    'ac offers nothing: it does not know the service',
    'ac refuses a session: no more?ports',
  ]);
  lab.said();
  lab.time.seconds(9);
  t.deepEqual(lab.said(), []);
  lab.offer('ac', AC, [], 'x');
  lab.time.seconds(1.5);
  t.deepEqual(lab.said(), ['9 all 0']);
});

test('names are exact: another service or concentrator is not taken', t => {
  const lab = new Lab({ service: 'a', concentrator: 'mine' });
  lab.discovery.start();
  lab.offer('mine', AC, [], 'b');
  lab.offer('other', AC, [], 'a');
  t.is(lab.discovery.state, 'asking');
  lab.offer('mine', AC, [], 'a');
  t.is(lab.discovery.state, 'requesting');
});

test('1,500 bytes where they are offered, and 1,492 where nobody speaks of it', t => {
  const lab = new Lab({ mru: 1500 });
  lab.discovery.start();
  t.is(hex(lab.lastTags().get(PAYLOAD)!), '05dc');
  lab.offer('ac', AC, [[PAYLOAD, bytes('05dc')]]);
  t.is(hex(lab.lastTags().get(PAYLOAD)!), '05dc');
  lab.answer(PPPOE_PADS, 2, [[PAYLOAD, bytes('05dc')]]);
  const without = new Lab({ mru: 1500 });
  without.discovery.start();
  without.offer();
  without.answer(PPPOE_PADS, 2, []);
  const short = new Lab({ mru: 1500 });
  short.discovery.start();
  short.offer();
  short.answer(PPPOE_PADS, 2, [[PAYLOAD, bytes('05d4')]]);
  t.deepEqual(
    [lab, without, short].map(({ events }) => events[0]!.split(' ')[3]),
    ['1500', '1492', '1492'],
  );
});

test('strangers change nothing: wrong uniq, station, session, state', t => {
  const lab = new Lab();
  lab.discovery.start();
  const uniq = lab.uniq();
  lab.answer(
    PPPOE_PADO,
    0,
    [
      [SERVICE, new Uint8Array(0)],
      [NAME, bytesOf('evil')],
    ],
    AC,
    bytes('00'),
  );
  lab.discovery.input(AC, PPPOE_PADO, 0, writeTags([[SERVICE, new Uint8Array(0)]]));
  lab.answer(PPPOE_PADS, 9, []);
  lab.discovery.input(AC, PPPOE_PADT, 9, new Uint8Array(0));
  t.is(lab.discovery.state, 'asking');
  lab.offer();
  lab.answer(PPPOE_PADS, 9, [], OTHER);
  lab.answer(PPPOE_PADS, 9, [], AC, bytes('0102030405060708'));
  t.is(lab.discovery.state, 'requesting');
  lab.answer(PPPOE_PADS, 9, [], AC, uniq);
  t.is(lab.discovery.state, 'open');
  lab.discovery.input(OTHER, PPPOE_PADT, 9, new Uint8Array(0));
  lab.discovery.input(AC, PPPOE_PADT, 8, new Uint8Array(0));
  lab.answer(PPPOE_PADS, 10, [], AC, uniq);
  t.is(lab.discovery.state, 'open');
  lab.discovery.input(AC, PPPOE_PADT, 9, writeTags([[GENERIC_ERROR, bytesOf('maintenance')]]));
  t.deepEqual(lab.events.slice(-1), ['ended: The provider says: maintenance']);
  t.is(lab.discovery.state, 'idle');
});

test('the session of before a power cut is ended, and one of before a restart of control goes on', t => {
  const lab = new Lab();
  lab.discovery.end({ station: AC, session: 0x881 });
  t.deepEqual(lab.said(), ['a7 02000000000a 2177']);
  lab.discovery.resume({ station: AC, session: 4 });
  t.is(lab.discovery.state, 'open');
  lab.discovery.input(AC, PPPOE_PADT, 4, bytes('ffff'));
  t.deepEqual(lab.events, ['ended: The provider has ended it']);
});

test('readTags() takes nothing that does not end, and what comes behind the end', t => {
  t.is(readTags(bytes('0101 0004 010203')), undefined);
  t.is(readTags(bytes('0101 00')), undefined);
  t.is(readTags(bytes('01')), undefined);
  t.deepEqual([...readTags(bytes('0101 0000 0000 0000 0103 0001 07'))!.keys()], [0x0101]);
  t.is(hex(readTags(bytes('0101 0001 41 0101 0001 42'))!.get(0x0101)!), '41');
});

test('a cookie that no request has room for is no offer; whatever comes, it asks or is open', t => {
  const lab = new Lab();
  lab.discovery.start();
  lab.offer('ac', AC, [[COOKIE, new Uint8Array(1480)]]);
  t.is(lab.discovery.state, 'asking');
  const chance = seeded(11);
  const codes = [PPPOE_PADI, PPPOE_PADO, PPPOE_PADR, PPPOE_PADS, PPPOE_PADT, 0];
  for (let i = 0; i < 20_000; i++) {
    const random = Uint8Array.from({ length: chance.below(40) }, () => chance.below(256));
    const tags = writeTags([
      [[SERVICE, NAME, COOKIE, GENERIC_ERROR, PAYLOAD][chance.below(5)]!, random],
      [UNIQ, lab.uniq() ?? random],
    ]);
    const cut = chance.chance(0.3) ? tags.slice(0, chance.below(tags.length)) : tags;
    lab.discovery.input(chance.chance(0.5) ? AC : OTHER, codes[chance.below(6)]!, chance.below(3), cut);
    if (chance.chance(0.1)) lab.time.seconds(1);
    if (lab.discovery.state === 'idle') lab.discovery.start();
    if (lab.sent.at(-1)!.code === PPPOE_PADT) lab.discovery.stop();
    lab.sent.splice(0, lab.sent.length - 2);
  }
  t.not(lab.discovery.state, 'idle');
});
