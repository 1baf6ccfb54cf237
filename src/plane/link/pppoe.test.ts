// A link that is a PPPoE session, both builds: what goes out by the card below it, what comes in, and what is not believed.
// Not here: how a session is got (src/control/ppp/discovery.test.ts).

import test from 'ava';
import { address, concat, frame, mac, macText, payload, read, SYN, tcp, udp } from '../../../test/packets.ts';
import {
  GATEWAY_MAC,
  HOST,
  OTHER_MAC,
  type Router,
  SERVER,
  startRouter,
  WAN,
  WAN_MAC,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { LINES_BOUND_AT } from '../../base/cells.ts';
import {
  DROP_ETHERTYPE,
  DROP_FRAME_SHORT,
  DROP_INTERFACE_DOWN,
  DROP_NOT_FOR_US,
} from '../../base/counters.ts';
import {
  IF_ABOVE,
  IF_QUEUE_LENGTH,
  IF_RX_PACKETS,
  IF_TX_BYTES,
  IF_TX_PACKETS,
  IF_VLAN,
  interfaceAt,
} from '../../base/interface.ts';
import { SERIAL_COUNT } from '../../base/limits.ts';
import { LINE_OWN_LIMIT } from '../../base/line-limits.ts';
import { LINE_ECHOED, lineAt } from '../../base/line-record.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import {
  FLAG_FRAME,
  PACKET_FLAGS,
  PACKET_IN,
  PACKET_IP,
  PACKET_LENGTH,
  PACKET_PORTS,
  PACKET_STATION,
  PACKET_TO_STATION,
} from '../../base/packet.ts';
import { PPP_IP, PPP_LCP } from '../../wire/ppp.ts';

const LINK = 4;
const NUMBER = SERIAL_COUNT;
const OURS = '10.64.64.64';
const AC_MAC = '02:00:00:00:0a:0c';
const SESSION = 0x1234;
const DATA = 0x8864;
const DISCOVERY = 0x8863;
const WAN_LINE = 10;

interface Sent {
  to: string;
  from: string;
  type: number;
  vlan: number;
  code: number;
  session: number;
  protocol: number;
  bytes: Uint8Array;
}

/** A frame of PPPoE, read by the RFC's words. */
function parse(bytes: Uint8Array): Sent {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const tag = view.getUint16(12) === 0x8100 ? 4 : 0;
  const at = 14 + tag;
  const length = view.getUint16(at + 4);
  if (bytes[at] !== 0x11 || at + 6 + length !== bytes.length)
    throw new Error(Buffer.from(bytes).toString('hex'));
  return {
    to: macText(bytes),
    from: macText(bytes, 6),
    type: view.getUint16(12 + tag),
    vlan: tag === 0 ? 0 : view.getUint16(14),
    code: bytes[at + 1]!,
    session: view.getUint16(at + 2),
    protocol: view.getUint16(at + 6),
    bytes: bytes.slice(at + 8),
  };
}

/** Such a frame of the concentrator's, with padding behind it. */
function pppoe(
  protocol: number,
  bytes: Uint8Array,
  { session = SESSION, from = AC_MAC, to = WAN_MAC, type = DATA, code = 0, length = bytes.length + 2 } = {},
): Uint8Array {
  const head = [
    0x11,
    code,
    session >> 8,
    session & 255,
    length >> 8,
    length & 255,
    protocol >> 8,
    protocol & 255,
  ];
  return concat(mac(to), mac(from), [type >> 8, type & 255], head, bytes, new Uint8Array(10));
}

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, memory, name } = build;
  const line = lineAt(NUMBER);

  /** A router whose outside is a session on the card of the outside, with nothing else there. */
  function start({ isOpen = true, mtu = 1492, vlan = 0 } = {}): Router {
    const router = startRouter(build);
    plane.configureInterface(WAN, 1, 0, 0, 1500);
    puti32(interfaceAt(WAN) + IF_VLAN, vlan);
    plane.routeRemove(0, 0);
    if (plane.pppoeBind(LINK, NUMBER, WAN) !== 1) throw new Error('not bound');
    const packet = plane.allocate();
    memory.set(mac(AC_MAC), packet + PACKET_IP);
    plane.pppoeSession(NUMBER, SESSION, packet + PACKET_IP);
    plane.release(packet);
    plane.configureInterface(LINK, 1, address(OURS), -1, mtu);
    plane.interfacesChanged();
    plane.routeAdd(0, 0, 0, LINK);
    plane.lineOpen(NUMBER, isOpen ? 1 : 0);
    router.taken(WAN);
    return router;
  }

  const question = (port = 1043, bytes = 9) =>
    udp({ source: HOST, destination: SERVER }, port, 53, payload(bytes));
  const answer = (port = 1043) => udp({ source: SERVER, destination: OURS }, 53, port, payload(5));

  /** A frame for control: its protocol, its link and its information. */
  function punted(): { protocol: number; link: number; bytes: number[]; from: string } | undefined {
    build.use();
    const packet = plane.puntTake();
    if (packet === 0) return undefined;
    const at = packet + PACKET_IP;
    if ((i32at(packet + PACKET_FLAGS) & FLAG_FRAME) === 0) throw new Error('no frame');
    const bytes = [...memory.subarray(at, at + i32at(packet + PACKET_LENGTH))];
    const from = macText(memory.slice(packet + PACKET_STATION, packet + PACKET_STATION + 6));
    plane.release(packet);
    return { protocol: i32at(packet + PACKET_PORTS), link: i32at(packet + PACKET_IN), bytes, from };
  }

  function send(protocol: number, bytes: ArrayLike<number>): number {
    build.use();
    const packet = plane.allocateForControl();
    memory.set(Array.from(bytes), packet + PACKET_IP);
    const isTaken = plane.lineSendFrame(NUMBER, protocol, packet, bytes.length);
    plane.interrupt(WAN_LINE, 0);
    return isTaken;
  }

  test.serial(
    `a host asks through a session and is answered, the second time by the short way (${name})`,
    t => {
      const router = start();
      for (let n = 0; n < 2; n++) {
        router.fromHost(question());
        const [sent] = router.taken(WAN).map(parse);
        t.like(sent, {
          to: AC_MAC,
          from: WAN_MAC,
          type: DATA,
          vlan: 0,
          code: 0,
          session: SESSION,
          protocol: PPP_IP,
        });
        t.like(read(sent!.bytes), { source: OURS, sourcePort: 1043, destination: SERVER });
        router.put(WAN, pppoe(PPP_IP, answer()));
        t.like(read(router.toLan()[0]!), { destination: HOST, destinationPort: 1043 });
      }
      t.is(router.interfaceField(LINK, IF_RX_PACKETS), 2);
      t.is(router.interfaceField(LINK, IF_TX_PACKETS), 2);
      t.is(router.interfaceField(LINK, IF_TX_BYTES), 2 * 37);
      t.is(router.held(), 0);
    },
  );

  test.serial(`a session in a VLAN has the tag, both ways (${name})`, t => {
    const router = start({ vlan: 7 });
    router.fromHost(question());
    t.like(router.taken(WAN).map(parse)[0], {
      vlan: 7,
      type: DATA,
      session: SESSION,
      to: AC_MAC,
      from: WAN_MAC,
    });
    const bytes = pppoe(PPP_IP, answer());
    router.put(WAN, concat(bytes.slice(0, 12), [0x81, 0, 0, 7], bytes.slice(12)));
    t.is(router.toLan().length, 1);
    router.put(WAN, bytes);
    t.is(router.toLan().length, 0);
    t.is(router.held(), 0);
  });

  test.serial(`a datagram longer than the session's MTU is cut, and a SYN's MSS is lowered (${name})`, t => {
    const router = start();
    router.fromHost(question(1050, 1472));
    router.ticks(1);
    const parts = router.taken(WAN).map(parse);
    t.deepEqual(
      parts.map(({ bytes }) => bytes.length),
      [1492, 28],
    );
    router.fromHost(
      tcp(
        { source: HOST, destination: SERVER },
        { sourcePort: 1051, destinationPort: 80, flags: SYN, options: [2, 4, 5, 0xb4] },
      ),
    );
    const [syn] = router.taken(WAN).map(parse);
    t.is((syn!.bytes[42]! << 8) | syn!.bytes[43]!, 1452);
    t.is(router.held(), 0);
  });

  test.serial(
    `what control says and hears of PPP goes at once, and echoes are answered without it (${name})`,
    t => {
      const router = start({ isOpen: false });
      t.is(send(PPP_LCP, [1, 1, 0, 4]), 1);
      t.like(router.taken(WAN).map(parse)[0], { protocol: PPP_LCP, session: SESSION });
      router.put(WAN, pppoe(PPP_LCP, Uint8Array.of(2, 1, 0, 4)));
      t.deepEqual(punted(), { protocol: PPP_LCP, link: LINK, bytes: [2, 1, 0, 4], from: AC_MAC });
      plane.lineEchoes(NUMBER, 1, 0x11223344);
      router.put(WAN, pppoe(PPP_LCP, Uint8Array.of(9, 3, 0, 8, 1, 2, 3, 4)));
      plane.interrupt(WAN_LINE, 0);
      const [echo] = router.taken(WAN).map(parse);
      t.deepEqual([...echo!.bytes], [10, 3, 0, 8, 0x11, 0x22, 0x33, 0x44]);
      t.is(i32at(line + LINE_ECHOED), 1);
      t.is(router.held(), 0);
    },
  );

  test.serial(`datagrams pass only while the line is open (${name})`, t => {
    const router = start({ isOpen: false });
    router.fromHost(question());
    t.deepEqual(router.taken(WAN), []);
    router.put(WAN, pppoe(PPP_IP, answer()));
    t.deepEqual(router.toLan(), []);
    t.is(router.counter(DROP_INTERFACE_DOWN), 2);
    t.is(router.held(), 0);
  });

  test.serial(`strangers' frames are dropped: station, session, link, version, length (${name})`, t => {
    const router = start();
    router.fromHost(question());
    router.taken(WAN);
    router.put(WAN, pppoe(PPP_IP, answer(), { from: OTHER_MAC }));
    router.put(WAN, pppoe(PPP_IP, answer(), { session: SESSION + 1 }));
    router.put(WAN, pppoe(PPP_IP, answer(), { session: 0 }));
    router.put(WAN, pppoe(PPP_IP, answer(), { to: 'ff:ff:ff:ff:ff:ff' }));
    t.is(router.counter(DROP_NOT_FOR_US), 4);
    const version = pppoe(PPP_IP, answer());
    version[14] = 0x12;
    router.put(WAN, version);
    router.put(WAN, pppoe(PPP_IP, answer(), { length: 1 }));
    router.put(WAN, pppoe(PPP_IP, answer(), { length: 500 }));
    router.put(WAN, pppoe(PPP_IP, answer(), { code: 9 }));
    router.put(WAN, pppoe(PPP_IP, answer()).slice(0, 18));
    t.is(router.counter(DROP_FRAME_SHORT), 5);
    router.put(0, pppoe(PPP_IP, answer(), { to: '02:4d:42:00:00:01' }));
    t.is(router.counter(DROP_ETHERTYPE), 1, 'a link without sessions knows no such type');
    t.deepEqual(router.toLan(), []);
    t.is(plane.puntWaiting(), 0);
    // All lengths of what a frame may say, and none goes beyond it.
    for (let length = 0; length < 80; length++)
      router.put(WAN, pppoe(PPP_IP, new Uint8Array(20), { length }));
    t.is(router.held(), plane.puntWaiting());
  });

  test.serial(`discovery goes both ways, of the link below (${name})`, t => {
    const router = start({ vlan: 7 });
    build.use();
    const packet = plane.allocateForControl();
    memory.set(mac('ff:ff:ff:ff:ff:ff'), packet + PACKET_TO_STATION);
    memory.set([0x11, 9, 0, 0, 0, 4, 1, 1, 0, 0], packet + PACKET_IP);
    plane.pppoeDiscover(NUMBER, packet, 10);
    t.like(router.taken(WAN).map(parse)[0], {
      to: 'ff:ff:ff:ff:ff:ff',
      type: DISCOVERY,
      code: 9,
      session: 0,
      vlan: 7,
    });
    const offer = pppoe(0x0101, Uint8Array.of(0, 0), { type: DISCOVERY, code: 7, session: 0 });
    const tagged = concat(offer.slice(0, 12), [0x81, 0, 0, 7], offer.slice(12));
    router.put(WAN, tagged);
    t.is(punted(), undefined, 'who has a session waits for no offer');
    build.use();
    plane.pppoeSession(NUMBER, 0, 0);
    router.put(WAN, tagged);
    t.deepEqual(punted(), {
      ...{ protocol: DISCOVERY, link: WAN, from: AC_MAC },
      bytes: [0x11, 7, 0, 0, 0, 4, 1, 1, 0, 0],
    });
    t.is(router.held(), 0);
  });

  test.serial(`of a flood of discovery packets control gets what somebody waits for (${name})`, t => {
    const router = start();
    const discovery = (code: number, session = 0, from = AC_MAC) =>
      pppoe(0x0101, Uint8Array.of(0, 0), { type: DISCOVERY, code, session, from });
    const before = router.counter(DROP_NOT_FOR_US);
    for (const code of [7, 0x65, 9, 0x19, 0xff]) router.put(WAN, discovery(code));
    router.put(WAN, discovery(0xa7, SESSION + 1));
    router.put(WAN, discovery(0xa7, SESSION, GATEWAY_MAC));
    router.put(WAN, discovery(0xa7, 0));
    t.is(plane.puntWaiting(), 0);
    t.is(router.counter(DROP_NOT_FOR_US) - before, 8);
    router.put(WAN, discovery(0xa7, SESSION));
    t.is(punted()?.bytes[1], 0xa7);
    build.use();
    plane.pppoeSession(NUMBER, 0, 0);
    for (const code of [9, 0x19]) router.put(WAN, discovery(code));
    t.is(plane.puntWaiting(), 0);
    const all = [7, 0x65, 0xa7];
    for (const code of all) router.put(WAN, discovery(code));
    t.deepEqual(
      all.map(() => punted()?.bytes[1]),
      all,
    );
    t.is(router.held(), 0);
  });

  test.serial(`while the card is busy frames wait, its own first, and go when it is free (${name})`, t => {
    const router = start();
    let n = 0;
    while (router.interfaceField(LINK, IF_QUEUE_LENGTH) < 3 && n < 100) router.fromHost(question(2000 + n++));
    t.is(router.interfaceField(LINK, IF_QUEUE_LENGTH), 3);
    for (let i = 0; i < LINE_OWN_LIMIT; i++) t.is(send(PPP_LCP, [11, i, 0, 4]), 1);
    t.is(send(PPP_LCP, [11, 9, 0, 4]), 0);
    const protocols = router.taken(WAN).map(bytes => parse(bytes).protocol);
    t.is(protocols.length, n + LINE_OWN_LIMIT);
    t.deepEqual(protocols.slice(n - 3), [PPP_LCP, PPP_LCP, PPP_LCP, PPP_LCP, PPP_IP, PPP_IP, PPP_IP]);
    t.is(router.held(), 0);
  });

  test.serial(`a session that ends or is taken away leaves nothing behind (${name})`, t => {
    const router = start();
    plane.pppoeSession(NUMBER, 0, 0);
    router.fromHost(question());
    t.is(send(PPP_LCP, [1, 1, 0, 4]), 1);
    t.deepEqual(router.taken(WAN), []);
    t.is(router.held(), 0);
    plane.lineUnbind(NUMBER);
    t.is(router.interfaceField(WAN, IF_ABOVE), 0);
    t.is(i32at(LINES_BOUND_AT), 0);
    router.put(WAN, pppoe(PPP_IP, answer()));
    t.is(router.counter(DROP_ETHERTYPE), 1);
    t.is(plane.pppoeBind(LINK, NUMBER, LINK), 0);
    t.is(plane.pppoeBind(LINK, 0, WAN), 0);
    t.is(plane.pppoeBind(WAN, NUMBER, 0), 0);
    t.is(plane.pppoeBind(LINK, NUMBER, WAN), 1);
    t.is(plane.pppoeBind(5, NUMBER, WAN), 0);
    router.put(WAN, frame(WAN_MAC, GATEWAY_MAC, question()));
    t.is(router.held(), 0);
  });
}
