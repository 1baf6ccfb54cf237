import test from 'ava';
import fc from 'fast-check';
import {
  ACK,
  address,
  FIN,
  frame,
  get16,
  payload,
  put16,
  RST,
  SYN,
  tcp,
  udp,
} from '../../../test/packets.ts';
import {
  HOST,
  HOST_MAC,
  introduce,
  LAN,
  LAN_MAC,
  OTHER,
  OTHER_MAC,
  type Router,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import { type Build, javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { ROUTE_GENERATION_AT } from '../../base/cells.ts';
import { E_IN_ROUTE, E_OUT_ROUTE, entryAt } from '../../base/flow-record.ts';
import { MASQUERADE_COUNT } from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { RFC_UDP } from '../../base/parameters.ts';

interface Step {
  readonly inbound: boolean;
  readonly host: number;
  readonly tcp: boolean;
  readonly port: number;
  readonly bytes: number;
  readonly ttl: number;
  readonly tos: number;
  readonly flags: number;
  /** What becomes of the transport's checksum: right, none, wrong by so much. */
  readonly damage: number;
  readonly ticks: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  inbound: fc.boolean(),
  host: fc.integer({ min: 0, max: 1 }),
  tcp: fc.boolean(),
  port: fc.integer({ min: 0, max: 2 }),
  bytes: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1300, max: 1480 })),
  ttl: fc.oneof(fc.constant(64), fc.integer({ min: 0, max: 255 })),
  tos: fc.integer({ min: 0, max: 255 }),
  flags: fc.oneof(
    { weight: 6, arbitrary: fc.constant(ACK) },
    fc.constantFrom(SYN, SYN | ACK, FIN | ACK, RST, ACK | 8),
  ),
  damage: fc.oneof(
    { weight: 4, arbitrary: fc.constant(0) },
    fc.integer({ min: 1, max: 0xffff }),
    fc.constant(-1),
  ),
  ticks: fc.oneof({ weight: 6, arbitrary: fc.constant(0) }, fc.integer({ min: 1, max: 40 })),
});

const HOSTS = [HOST, OTHER] as const;
const MACS = [HOST_MAC, OTHER_MAC] as const;

/** A step's datagram. Ports of hosts differ, so that each keeps its own outside. */
function datagram({ inbound, host, tcp: isTcp, port, bytes, ttl, tos, flags, damage }: Step): Uint8Array {
  const here = 2000 + 100 * host + port;
  const there = 7000 + port;
  const ip = {
    source: inbound ? SERVER : (HOSTS[host] as string),
    destination: inbound ? WAN_ADDRESS : SERVER,
    ttl,
    tos,
  };
  const [from, to] = inbound ? [there, here] : [here, there];
  const made = isTcp
    ? tcp(
        ip,
        { sourcePort: from, destinationPort: to, flags, acknowledgment: 1001 },
        payload(Math.min(bytes, 1460)),
      )
    : udp(ip, from, to, payload(Math.min(bytes, 1472)));
  const at = 20 + (isTcp ? 16 : 6);
  if (damage !== 0) put16(made, at, damage < 0 ? 0 : get16(made, at) ^ damage);
  return made;
}

/** All frames that leave, of a router that keeps routes or, `forgets`, of one that has none for any packet. */
function played(build: Build, steps: readonly Step[], forgets: boolean): string[] {
  const router = startRouter(build);
  const left: string[] = [];
  for (const each of steps) {
    if (forgets) router.plane.flushRoutes();
    if (each.inbound) router.fromGateway(datagram(each));
    else router.put(LAN, frame(LAN_MAC, MACS[each.host] as string, datagram(each)));
    for (const index of [LAN, WAN]) {
      for (const bytes of router.taken(index)) left.push(`${index} ${Buffer.from(bytes).toString('hex')}`);
    }
    router.ticks(each.ticks);
  }
  left.push(`sessions ${router.plane.masqueradeCount()}, check ${router.plane.masqueradeCheck()}`);
  return left;
}

/** Whether the packets of a session now go the short way: its route is kept and good. */
function isKept(n: number, field: number): boolean {
  const route = i32at(entryAt(n) + field);
  return route !== 0 && route >>> 16 === i32at(ROUTE_GENERATION_AT) >>> 16;
}

function open(router: Router): void {
  router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 53, payload(8)));
  router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, 1043, payload(8)));
  router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 53, payload(8)));
  router.toLan();
  router.toWan();
}

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name } = build;

  test.serial(`a session keeps its routes once both sides have sent (${name})`, t => {
    const router = startRouter(build);
    router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 53, payload(8)));
    t.false(isKept(1, E_OUT_ROUTE));
    router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, 1043, payload(8)));
    t.true(isKept(1, E_IN_ROUTE));
    t.false(isKept(1, E_OUT_ROUTE));
    router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 53, payload(8)));
    t.true(isKept(1, E_OUT_ROUTE));
  });

  for (const [what, change] of [
    ['a route', router => router.plane.routeAdd(address('198.51.100.0'), -256, address('10.1.2.9'), WAN)],
    [
      'an address',
      router => {
        router.plane.configureInterface(WAN, 1, address('10.1.2.77'), -256, 1500);
        router.plane.interfacesChanged();
      },
    ],
    ['its neighbours', router => router.plane.forgetNeighbours(LAN)],
    ['its sessions', router => router.plane.masqueradeFlush()],
  ] as [string, (router: Router) => void][]) {
    test.serial(`it forgets them when ${what} changes (${name})`, t => {
      const router = startRouter(build);
      open(router);
      t.true(isKept(1, E_OUT_ROUTE));
      change(router);
      t.false(isKept(1, E_OUT_ROUTE));
      t.false(isKept(1, E_IN_ROUTE));
    });
  }

  test.serial(`a kept route that leads to a route's old gateway is not taken (${name})`, t => {
    const router = startRouter(build);
    open(router);
    const other = '02:00:00:00:01:09';
    introduce(router, WAN, other, '10.1.2.9', WAN_ADDRESS);
    router.plane.routeAdd(address(SERVER), -1, address('10.1.2.9'), WAN);
    router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 53, payload(8)));
    const [sent] = router.taken(WAN);
    t.is(Buffer.from((sent as Uint8Array).subarray(0, 6)).toString('hex'), other.replaceAll(':', ''));
  });

  test.serial(`generations that have come round do not bring an old route back (${name})`, t => {
    const router = startRouter(build);
    open(router);
    for (const n of [1, MASQUERADE_COUNT]) {
      puti32(ROUTE_GENERATION_AT, -0x10000 * n);
      const kept = i32at(ROUTE_GENERATION_AT) | 1;
      for (let each = 1; each <= MASQUERADE_COUNT; each++) {
        puti32(entryAt(each) + E_OUT_ROUTE, kept);
        puti32(entryAt(each) + E_IN_ROUTE, kept);
      }
      // By a call of the build's own, as the change of a route makes it; half as often as it takes to come round.
      for (let change = 0; change < 0x8000; change++) {
        router.plane.flushRoutes();
        if (i32at(ROUTE_GENERATION_AT) >>> 16 === 0) t.fail(`generation 0, change ${change}`);
      }
      for (let each = 1; each <= MASQUERADE_COUNT; each++) {
        if (i32at(entryAt(each) + E_OUT_ROUTE) !== 0 || i32at(entryAt(each) + E_IN_ROUTE) !== 0)
          t.fail(`session ${each}`);
      }
      t.is(i32at(ROUTE_GENERATION_AT) & 0xffff, 0);
    }
  });

  test.serial(`the short way leads to the same bytes as the long one (${name})`, t => {
    const opened: Step[] = [];
    const plain = { bytes: 9, ttl: 64, tos: 0, damage: 0, ticks: 0, flags: ACK, tcp: false, inbound: false };
    for (const host of [0, 1]) {
      for (const port of [0, 1, 2]) {
        opened.push(
          { ...plain, host, port },
          { ...plain, host, port, inbound: true },
          { ...plain, host, port },
        );
        const steps = { ...plain, host, port, tcp: true };
        opened.push({ ...steps, flags: SYN }, { ...steps, flags: SYN | ACK, inbound: true }, steps, steps);
      }
    }
    let short = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), steps => {
        const all = [...opened, ...steps];
        const kept = played(build, all, false);
        for (let n = 1; n <= 12; n++) if (isKept(n, E_OUT_ROUTE)) short++;
        t.deepEqual(kept, played(build, all, true));
      }),
      { numRuns: 60 },
    );
    t.true(short > 300, `${short} kept routes`);
  });

  test.serial(`the short way keeps a session alive as the long one does (${name})`, t => {
    const router = startRouter(build);
    open(router);
    router.plane.setParameter(RFC_UDP, 300);
    for (let i = 0; i < 10; i++) {
      router.ticks(200);
      router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 53, payload(8)));
      t.is(router.toWan().length, 1);
    }
    t.is(router.plane.masqueradeCount(), 1);
    router.ticks(500);
    t.is(router.plane.masqueradeCount(), 0);
  });
}
