import test from 'ava';
import { address, arpFrame, frame, payload, SYN, tcp, udp } from '../../../test/packets.ts';
import {
  HOST,
  HOST_MAC,
  LAN,
  LAN_ADDRESS,
  LAN_MAC,
  OTHER,
  SERVER,
  startRouter,
  WAN,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import {
  CAPTURE_DROPPED_AT,
  CAPTURE_IN,
  CAPTURE_OUT,
  RECORD_CAPTURED,
  RECORD_DIRECTION,
  RECORD_INTERFACE,
  RECORD_LENGTH,
  TERM_ADDRESS,
  TERM_DESTINATION,
  TERM_DIRECTION,
  TERM_ETHERTYPE,
  TERM_NOT,
  TERM_PORT,
  TERM_PROTOCOL,
  TERM_SOURCE,
} from '../../base/capture-record.ts';
import { CAPTURE_BYTES, CAPTURE_RECORD_BYTES, CAPTURE_TERM_COUNT, FRAME_MAX } from '../../base/limits.ts';
import { get8, i32at, u16at } from '../../base/memory.ts';
import { CAPTURE_MATCHED_AT } from './capture.ts';

const BOTH = (1 << LAN) | (1 << WAN);

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name, memory } = build;

  interface Copy {
    index: number;
    direction: number;
    length: number;
    bytes: Uint8Array;
  }

  /** The copies in the ring, which is empty afterwards. */
  function copies(): Copy[] {
    build.use();
    const all: Copy[] = [];
    for (let at = plane.captureNext(); at !== 0; at = plane.captureNext()) {
      const start = at + CAPTURE_RECORD_BYTES;
      all.push({
        index: get8(at + RECORD_INTERFACE),
        direction: get8(at + RECORD_DIRECTION),
        length: u16at(at + RECORD_LENGTH),
        bytes: memory.slice(start, start + u16at(at + RECORD_CAPTURED)),
      });
      plane.captureDone();
    }
    return all;
  }

  const out = udp({ source: HOST, destination: SERVER }, 5000, 53, payload(40));

  test.serial(`capture() copies a forwarded frame as it comes and as it goes (${name})`, t => {
    const router = startRouter(build);
    router.fromHost(out);
    t.deepEqual(copies(), [], 'off');
    plane.captureStart(BOTH, FRAME_MAX);
    router.fromHost(out);
    const [came, went, ...more] = copies();
    t.is(more.length, 0);
    t.deepEqual([came?.index, came?.direction, came?.length], [LAN, CAPTURE_IN, 82]);
    t.deepEqual(came?.bytes, frame(LAN_MAC, HOST_MAC, out));
    t.deepEqual([went?.index, went?.direction, went?.length], [WAN, CAPTURE_OUT, 82]);
    t.deepEqual(router.toWan().at(-1), went?.bytes.slice(14));
    plane.captureStop();
    router.fromHost(out);
    t.deepEqual(copies(), []);
  });

  test.serial(`capture() keeps to its interface and its snap length (${name})`, t => {
    const router = startRouter(build);
    plane.captureStart(1 << WAN, 20);
    router.fromHost(out);
    const all = copies();
    t.deepEqual(
      all.map(({ index, length, bytes }) => [index, length, bytes.length]),
      [[WAN, 82, 20]],
    );
  });

  test.serial(
    `a filter holds by type, protocol, address, port, direction and their negations (${name})`,
    t => {
      const segment = tcp(
        { source: HOST, destination: SERVER },
        { sourcePort: 6000, destinationPort: 80, flags: SYN },
      );
      const arp = arpFrame(LAN_MAC, {
        ...{ operation: 1, senderMac: HOST_MAC, senderAddress: HOST, targetAddress: LAN_ADDRESS },
      });
      const server = address(SERVER);
      const host = address(HOST);
      // UDP, TCP, ARP: which of them the term lets pass, coming in by the LAN.
      const cases: [number, number, number, string][] = [
        [TERM_ETHERTYPE, 0x0806, 0, 'a'],
        [TERM_ETHERTYPE | TERM_NOT, 0x0806, 0, 'ut'],
        [TERM_PROTOCOL, 17, 0, 'u'],
        [TERM_PROTOCOL | TERM_NOT, 17, 0, 'ta'],
        [TERM_ADDRESS, host, -1, 'uta'],
        [TERM_ADDRESS, host & -256, -256, 'uta'],
        [TERM_ADDRESS | TERM_DESTINATION, host, -1, ''],
        [TERM_ADDRESS | TERM_DESTINATION, server, -1, 'ut'],
        [TERM_ADDRESS | TERM_SOURCE, server, -1, ''],
        [TERM_ADDRESS, address(OTHER), -1, ''],
        [TERM_PORT, 53, 0, 'u'],
        [TERM_PORT | TERM_SOURCE, 53, 0, ''],
        [TERM_PORT | TERM_SOURCE, 6000, 0, 't'],
        [TERM_PORT | TERM_NOT, 53, 0, 'ta'],
        [TERM_DIRECTION, CAPTURE_IN, 0, 'uta'],
        [TERM_DIRECTION | TERM_NOT, CAPTURE_IN, 0, ''],
      ];
      for (const [kind, value, mask, expected] of cases) {
        const router = startRouter(build);
        plane.captureStop();
        plane.captureTerm(kind, value, mask);
        plane.captureStart(1 << LAN, FRAME_MAX);
        let passed = '';
        for (const [letter, bytes] of [
          ['u', frame(LAN_MAC, HOST_MAC, out)],
          ['t', frame(LAN_MAC, HOST_MAC, segment)],
          ['a', arp],
        ] as const) {
          router.put(LAN, bytes);
          if (copies().some(({ direction }) => direction === CAPTURE_IN)) passed += letter;
        }
        t.is(passed, expected, `kind ${kind} value ${value}`);
      }
    },
  );

  test.serial(`all terms of a filter must hold, and there is room for ${CAPTURE_TERM_COUNT} (${name})`, t => {
    const router = startRouter(build);
    for (let i = 0; i < CAPTURE_TERM_COUNT - 1; i++) t.is(plane.captureTerm(TERM_PROTOCOL, 17, 0), 1);
    t.is(plane.captureTerm(TERM_PORT, 54, 0), 1);
    t.is(plane.captureTerm(TERM_PROTOCOL, 17, 0), 0);
    plane.captureStart(BOTH, FRAME_MAX);
    router.fromHost(out);
    t.deepEqual(copies(), []);
    build.use();
    t.is(i32at(CAPTURE_MATCHED_AT), 0);
  });

  test.serial(
    `a frame cut at any length is copied whole, and no field behind its end is read (${name})`,
    t => {
      const whole = frame(LAN_MAC, HOST_MAC, out);
      for (let length = 1; length < whole.length; length++) {
        const router = startRouter(build);
        plane.captureTerm(TERM_PORT | TERM_NOT, 53, 0);
        plane.captureStart(1 << LAN, FRAME_MAX);
        router.put(LAN, whole.slice(0, length));
        const came = copies().filter(({ direction }) => direction === CAPTURE_IN);
        t.is(came.length, length < 38 ? 1 : 0, `${length} bytes`);
        if (length < 38) t.deepEqual(came[0]?.bytes, whole.slice(0, length));
      }
    },
  );

  test.serial(
    `the ring wraps and keeps every copy as it was; when it is full, copies are counted (${name})`,
    t => {
      const router = startRouter(build);
      plane.captureStart(1 << LAN, FRAME_MAX);
      const datagram = (i: number) =>
        udp({ source: HOST, destination: SERVER }, 5000, 53, payload((i * 97) % 1400));
      for (let i = 0; i < 200; i++) {
        router.fromHost(datagram(i));
        router.toWan();
        if (i % 3 !== 2) continue;
        const all = copies();
        t.deepEqual(
          all.map(({ bytes }) => bytes),
          [i - 2, i - 1, i].map(n => frame(LAN_MAC, HOST_MAC, datagram(n))),
        );
      }
      build.use();
      copies();
      t.is(i32at(CAPTURE_DROPPED_AT), 0);
      let sent = 0;
      const large = udp({ source: HOST, destination: SERVER }, 5000, 53, payload(1400));
      while (i32at(CAPTURE_DROPPED_AT) === 0 && sent < 50) {
        router.fromHost(large);
        router.toWan();
        build.use();
        sent++;
      }
      const record = (CAPTURE_RECORD_BYTES + 14 + 28 + 1400 + 3) & ~3;
      t.true(sent - 1 >= Math.floor(CAPTURE_BYTES / record) - 2, `${sent} fit`);
      t.is(copies().length, sent - 1);
      router.fromHost(large);
      t.is(copies().length, 1, 'there is room again');
    },
  );
}
