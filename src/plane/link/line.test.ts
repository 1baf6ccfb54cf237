import test from 'ava';
import { SERIAL_RX_HEAD, serialAt } from '../../../hal/serial/ns16550.ts';
import { address, echo, payload, read, SYN, tcp, udp } from '../../../test/packets.ts';
import { HOST, LAN, LAN_ADDRESS, type Router, SERVER, startRouter } from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import {
  HEADER_PPP,
  RECORD_CAPTURED,
  RECORD_DIRECTION,
  RECORD_HEADER,
  TERM_NOT,
  TERM_PROTOCOL,
} from '../../base/capture-record.ts';
import { LINES_BOUND_AT, NOW_AT, WAKE_AT, WORK_AT } from '../../base/cells.ts';
import { DROP_INTERFACE_DOWN, DROP_NO_BUFFER, DROP_PUNT_FULL } from '../../base/counters.ts';
import {
  DEVICE_SERIAL,
  IF_DEVICE,
  IF_QUEUE_LENGTH,
  IF_RX_ERRORS,
  IF_RX_PACKETS,
  IF_STATE,
  IF_TX_DROPPED,
  INTERFACE_ABSENT,
} from '../../base/interface.ts';
import { BUFFER_COUNT, INTERFACE_WAN, PUNT_LINK_LIMIT, TRANSMIT_QUEUE_LIMIT } from '../../base/limits.ts';
import { LINE_OWN_LIMIT } from '../../base/line-limits.ts';
import { LINE_ECHOED, LINE_PPP, LINE_REFUSED, LINE_SLIP, lineAt } from '../../base/line-record.ts';
import { i32at, puti32, u16at } from '../../base/memory.ts';
import {
  FLAG_FRAME,
  PACKET_FLAGS,
  PACKET_IN,
  PACKET_IP,
  PACKET_LENGTH,
  PACKET_PORTS,
} from '../../base/packet.ts';
import { PPP_IP, PPP_IPCP, PPP_LCP, PPP_VJ_COMPRESSED, PPP_VJ_UNCOMPRESSED } from '../../wire/ppp.ts';
import { type PointFrame, PortEnd, pppFrame, pppFrames, slipFrame, slipFrames } from './port-lab.ts';

const LINK = 4;
const PORT = 1;
const OURS = '10.64.64.64';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, memory, name } = build;
  const line = lineAt(PORT);

  /** A router whose outside is a line, open unless it is said. */
  function start(kind = LINE_PPP, mtu = 1500, isOpen = 1): { router: Router; end: PortEnd } {
    const router = startRouter(build);
    plane.configureInterface(INTERFACE_WAN, 1, 0, 0, 1500);
    plane.routeRemove(0, 0);
    if (plane.lineBind(LINK, PORT, kind) !== 1) throw new Error('not bound');
    plane.configureInterface(LINK, 1, address(OURS), -1, mtu);
    plane.interfacesChanged();
    plane.routeAdd(0, 0, 0, LINK);
    plane.lineOpen(PORT, isOpen);
    return { router, end: new PortEnd(build, PORT) };
  }

  /** Lets the plane work and the wire carry away what it gives, for some ticks. */
  function sent(router: Router, end: PortEnd, ticks = 20): number[] {
    const bytes: number[] = [];
    for (let n = 0; n < ticks; n++) {
      router.ticks(1);
      bytes.push(...end.take());
    }
    return bytes;
  }

  /** A frame for control, as it is handed over. */
  function punted(): PointFrame | undefined {
    build.use();
    const packet = plane.puntTake();
    if (packet === 0) return undefined;
    const at = packet + PACKET_IP;
    const frame = {
      protocol: i32at(packet + PACKET_PORTS),
      bytes: [...memory.subarray(at, at + i32at(packet + PACKET_LENGTH))],
    };
    if ((i32at(packet + PACKET_FLAGS) & FLAG_FRAME) === 0 || i32at(packet + PACKET_IN) !== LINK)
      throw new Error('no frame of the link');
    plane.release(packet);
    return frame;
  }

  function send(protocol: number, bytes: ArrayLike<number>): number {
    build.use();
    const packet = plane.allocateForControl();
    memory.set(Array.from(bytes), packet + PACKET_IP);
    return plane.lineSendFrame(PORT, protocol, packet, bytes.length);
  }

  const question = (port = 1043, bytes = 9) =>
    udp({ source: HOST, destination: SERVER }, port, 53, payload(bytes));

  test.serial(
    `a host asks through a line of PPP and is answered, masqueraded by its address (${name})`,
    t => {
      const { router, end } = start();
      router.fromHost(question());
      const [frame] = pppFrames(sent(router, end));
      t.is(frame?.protocol, PPP_IP);
      t.like(read(Uint8Array.from(frame!.bytes)), { source: OURS, sourcePort: 1043, destination: SERVER });
      end.put(pppFrame(PPP_IP, udp({ source: SERVER, destination: OURS }, 53, 1043, payload(5))));
      router.ticks(1);
      t.like(read(router.toLan()[0] as Uint8Array), { destination: HOST, destinationPort: 1043 });
      t.is(router.interfaceField(LINK, IF_RX_PACKETS), 1);
      t.is(router.held(), 0, 'a buffer is taken when bytes come');
    },
  );

  test.serial(`the same by SLIP (${name})`, t => {
    const { router, end } = start(LINE_SLIP);
    router.fromHost(question());
    const [frame] = slipFrames(sent(router, end));
    t.like(read(Uint8Array.from(frame!)), { source: OURS, destination: SERVER });
    end.put(slipFrame(udp({ source: SERVER, destination: OURS }, 53, 1043, payload(5))));
    router.ticks(1);
    t.is(router.toLan().length, 1);
    t.is(send(PPP_LCP, [1, 1, 0, 4]), 0, 'SLIP has no frames of its own');
    t.is(router.held(), 0);
  });

  test.serial(`datagrams pass only while the line is open, and are counted (${name})`, t => {
    const { router, end } = start(LINE_PPP, 1500, 0);
    router.fromHost(question());
    t.deepEqual(sent(router, end), []);
    end.put(pppFrame(PPP_IP, udp({ source: SERVER, destination: OURS }, 53, 1043)));
    router.ticks(1);
    t.is(router.counter(DROP_INTERFACE_DOWN), 2);
    t.is(i32at(line + LINE_REFUSED), 2);
    t.is(plane.puntWaiting(), 0);
    t.is(router.interfaceField(LINK, IF_TX_DROPPED), 1);
    t.true(router.held() <= 1);
  });

  test.serial(
    `what the link says of itself goes to control, and control's frames before data (${name})`,
    t => {
      const { router, end } = start();
      const request = [1, 7, 0, 8, 1, 4, 5, 0xdc];
      end.put([
        ...pppFrame(PPP_LCP, request),
        ...pppFrame(PPP_IPCP, [1, 1, 0, 4]),
        ...pppFrame(0x80fd, [1, 2, 0, 4]),
      ]);
      router.ticks(1);
      t.deepEqual(punted(), { protocol: PPP_LCP, bytes: request });
      t.deepEqual(punted(), { protocol: PPP_IPCP, bytes: [1, 1, 0, 4] });
      t.deepEqual(punted(), { protocol: 0x80fd, bytes: [1, 2, 0, 4] });
      t.is(punted(), undefined);
      // A frame under way stays whole; then control's, then what has waited.
      for (let n = 0; n < 3; n++) router.fromHost(question(2000 + n, 400));
      t.is(send(PPP_LCP, [9, 1, 0, 8, 0, 0, 0, 0]), 1);
      t.is(send(PPP_IPCP, [1, 1, 0, 4]), 1);
      const protocols = pppFrames(sent(router, end)).map(frame => frame.protocol);
      t.deepEqual(protocols, [PPP_IP, PPP_LCP, PPP_IPCP, PPP_IP, PPP_IP]);
      for (let n = 0; n < LINE_OWN_LIMIT; n++) t.is(send(PPP_LCP, [11, n, 0, 4]), 1);
      t.is(send(PPP_LCP, [11, 9, 0, 4]), 0);
      t.is(pppFrames(sent(router, end)).length, LINE_OWN_LIMIT);
      t.true(router.held() <= 1);
    },
  );

  test.serial(`a flood of frames for control has its places, and others theirs (${name})`, t => {
    const { router, end } = start();
    plane.socketOpen(17, 53, 1 << LAN);
    for (let n = 0; n < 100; n++) {
      end.put(pppFrame(PPP_LCP, [11, n, 0, 4]));
      router.ticks(1);
    }
    t.is(plane.puntWaiting(), PUNT_LINK_LIMIT);
    t.is(router.counter(DROP_PUNT_FULL), 100 - PUNT_LINK_LIMIT);
    router.fromHost(udp({ source: HOST, destination: LAN_ADDRESS }, 1043, 53));
    t.is(plane.puntWaiting(), PUNT_LINK_LIMIT + 1);
    // The oldest of the link's, in order, are kept.
    const first: number[] = [];
    for (let n = 0; n < PUNT_LINK_LIMIT + 1; n++) {
      const packet = plane.puntTake();
      if ((i32at(packet + PACKET_FLAGS) & FLAG_FRAME) !== 0)
        first.push(memory[packet + PACKET_IP + 1] as number);
      plane.release(packet);
    }
    t.deepEqual(first, [0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test.serial(`echoes are answered without control, where it has said so (${name})`, t => {
    const { router, end } = start();
    const asked = [9, 3, 0, 10, 1, 2, 3, 4, 0xab, 0xcd];
    end.put(pppFrame(PPP_LCP, asked));
    t.deepEqual(sent(router, end), []);
    t.deepEqual(punted()?.bytes, asked);
    plane.lineEchoes(PORT, 1, 0x11223344);
    end.put(pppFrame(PPP_LCP, asked));
    t.deepEqual(pppFrames(sent(router, end)), [
      { protocol: PPP_LCP, bytes: [10, 3, 0, 10, 0x11, 0x22, 0x33, 0x44, 0xab, 0xcd] },
    ]);
    t.is(i32at(line + LINE_ECHOED), 1);
    t.is(plane.puntWaiting(), 0);
    t.true(router.held() <= 1);
  });

  test.serial(
    `a frame is begun only when little waits before it, and the queue keeps the rest (${name})`,
    t => {
      const { router, end } = start();
      for (let n = 0; n < 10; n++) router.fromHost(question(3000 + n, 1000));
      for (let n = 0; n < 50; n++) router.ticks(1);
      t.true(end.waiting > 1000 && end.waiting < 2200, `${end.waiting} bytes wait in the ring`);
      t.is(router.interfaceField(LINK, IF_QUEUE_LENGTH), 9);
      const bytes: number[] = [];
      for (let n = 0; n < 400; n++) {
        bytes.push(...end.take(33));
        router.ticks(1);
      }
      t.is(pppFrames(bytes).length, 10, 'at 33600 b/s nothing is missing');
      // More than the queue holds is dropped.
      for (let n = 0; n < TRANSMIT_QUEUE_LIMIT + 5; n++) router.fromHost(question(4000 + n, 20));
      // Two small ones are in the ring already.
      t.is(router.interfaceField(LINK, IF_TX_DROPPED), 3);
      t.is(pppFrames(sent(router, end, 60)).length, TRANSMIT_QUEUE_LIMIT + 2);
      t.true(router.held() <= 1);
    },
  );

  test.serial(`a datagram longer than the link's MTU is cut, and a SYN's MSS is lowered (${name})`, t => {
    const { router, end } = start(LINE_PPP, 576);
    router.fromHost(question(1050, 1200));
    const parts = pppFrames(sent(router, end));
    t.is(parts.length, 3);
    t.true(parts.every(({ bytes }) => bytes.length <= 576));
    router.fromHost(
      tcp(
        { source: HOST, destination: SERVER },
        { sourcePort: 1051, destinationPort: 80, flags: SYN, options: [2, 4, 5, 0xb4] },
      ),
    );
    const [syn] = pppFrames(sent(router, end));
    t.is(get16(syn!.bytes, 22 + 20), 576 - 40);
  });

  test.serial(`TCP's headers are compressed each way where it is agreed on (${name})`, t => {
    const { router, end } = start();
    plane.lineCompress(PORT, 16, 16, 0);
    const segment = (n: number) =>
      tcp(
        { source: HOST, destination: SERVER, id: 100 + n },
        {
          sourcePort: 1060,
          destinationPort: 80,
          flags: n === 0 ? SYN : 0x10,
          sequence: 1000 + n,
          acknowledgment: 5,
        },
        payload(n === 0 ? 0 : 1),
      );
    const protocols: number[] = [];
    const lengths: number[] = [];
    for (let n = 0; n < 4; n++) {
      router.fromHost(segment(n));
      for (const frame of pppFrames(sent(router, end, 3))) {
        protocols.push(frame.protocol);
        lengths.push(frame.bytes.length);
      }
    }
    t.deepEqual(protocols, [PPP_IP, PPP_VJ_UNCOMPRESSED, PPP_VJ_COMPRESSED, PPP_VJ_COMPRESSED]);
    t.true((lengths[3] as number) <= 6, `${lengths}`);
    // What we compress, another line of ours makes whole again: its own bytes come back as from the peer.
    const answer = (n: number) =>
      tcp(
        { source: SERVER, destination: OURS, id: 7 + n },
        {
          sourcePort: 80,
          destinationPort: 1060,
          flags: n === 0 ? SYN | 0x10 : 0x10,
          sequence: 5 + n,
          acknowledgment: 1001,
        },
        payload(n === 0 ? 0 : 1),
      );
    end.put(pppFrame(PPP_IP, answer(0)));
    router.ticks(1);
    const whole = answer(1);
    whole[9] = 3;
    end.put(pppFrame(PPP_VJ_UNCOMPRESSED, whole));
    end.put(pppFrame(PPP_VJ_COMPRESSED, [0x40 | (0x0b + 4), 3, 0, 0, ...payload(1)]));
    router.ticks(1);
    const got = router.toLan().map(read);
    t.is(got.length, 3);
    t.like(got[2], { destination: HOST, destinationPort: 1060 });
    // Behind a damaged frame one without its connection's number is thrown away.
    end.put([0x7e, 0x21, 0x45, 0x41, 0x42, 0x43, 0x7e, ...pppFrame(PPP_VJ_COMPRESSED, [0x0f, 0, 0, 1])]);
    router.ticks(1);
    t.is(router.toLan().length, 0);
    t.is(router.interfaceField(LINK, IF_RX_ERRORS), 2);
    // Without it, the protocol is one that we do not know.
    plane.lineCompress(PORT, 0, 0, 0);
    end.put(pppFrame(PPP_VJ_COMPRESSED, [0x0f, 0, 0, 1]));
    router.ticks(1);
    t.is(punted()?.protocol, PPP_VJ_COMPRESSED);
  });

  test.serial(
    `a capture has PPP's header before each packet, and its filter reads what is behind (${name})`,
    t => {
      const { router, end } = start();
      plane.lineEchoes(PORT, 1, 7);
      plane.captureStop();
      plane.captureTerm(TERM_PROTOCOL | TERM_NOT, 1, 0);
      plane.captureStart(1 << LINK, 1514);
      router.fromHost(question());
      const [out] = pppFrames(sent(router, end));
      end.put(pppFrame(PPP_IP, udp({ source: SERVER, destination: OURS }, 53, 1043)));
      end.put(pppFrame(PPP_IP, echo({ source: SERVER, destination: OURS }, 0, 5)));
      end.put(pppFrame(PPP_LCP, [9, 3, 0, 8, 1, 2, 3, 4]));
      sent(router, end);
      const seen: string[] = [];
      for (let at = plane.captureNext(); at !== 0; at = plane.captureNext()) {
        const bytes = memory.slice(at + 16, at + 16 + u16at(at + RECORD_CAPTURED));
        t.is(memory[at + RECORD_HEADER], HEADER_PPP);
        seen.push(`${memory[at + RECORD_DIRECTION]} ${Buffer.from(bytes.slice(0, 6)).toString('hex')}`);
        if (seen.length === 1) t.deepEqual([...bytes.slice(4)], out?.bytes);
        plane.captureDone();
      }
      t.deepEqual(seen, ['1 ff0300214500', '0 ff0300214500', '0 ff03c0210903', '1 ff03c0210a03']);
      plane.captureStop();
    },
  );

  test.serial(`without a buffer a frame is lost, and the line goes on (${name})`, t => {
    const { router, end } = start();
    const taken: number[] = [];
    for (let packet = plane.allocate(); packet !== 0; packet = plane.allocate()) taken.push(packet);
    const answer = pppFrame(PPP_LCP, [5, 1, 0, 4]);
    end.put(answer);
    router.ticks(1);
    t.is(router.counter(DROP_NO_BUFFER), 1);
    for (const packet of taken) plane.release(packet);
    end.put(answer);
    router.ticks(1);
    t.deepEqual(punted()?.bytes, [5, 1, 0, 4]);
  });

  test.serial(`a modem's last words are control's, and the peer's first are the line's (${name})`, t => {
    startRouter(build);
    const end = new PortEnd(build, PORT);
    end.put([1, 2, 3]);
    puti32(WAKE_AT, i32at(NOW_AT) + 1000);
    t.is(plane.wanted(), 0, 'nobody reads what comes by this port');
    plane.serialRead(PORT, 1);
    end.put([...Buffer.from('CONNECT\r\n'), ...pppFrame(PPP_LCP, [1, 1, 0, 4])]);
    t.is(plane.wanted(), 1);
    // Control has read the line of text.
    const head = serialAt(PORT) + SERIAL_RX_HEAD;
    puti32(head, i32at(head) + 9);
    t.is(plane.lineBind(LINK, PORT, LINE_PPP), 1);
    plane.tick(0);
    t.deepEqual(punted(), { protocol: PPP_LCP, bytes: [1, 1, 0, 4] });
    // Bytes of frames do not call control.
    puti32(WAKE_AT, i32at(NOW_AT) + 1000);
    end.put(pppFrame(PPP_IP, question()).slice(0, 20));
    t.is(plane.wanted(), 0);
    plane.tick(0);
    t.is(plane.wanted(), 0);
    plane.lineUnbind(PORT);
    end.put([0x41]);
    t.is(plane.wanted(), 1);
  });

  test.serial(
    `lineBind() takes a free port and a free link alone, and lineUnbind() lets all go (${name})`,
    t => {
      const { router, end } = start();
      t.is(plane.lineBind(LINK, 2, LINE_PPP), 0, 'the link has a port');
      t.is(plane.lineBind(LAN, 2, LINE_PPP), 0, 'the link has a card');
      t.is(plane.lineBind(5, PORT, LINE_PPP), 0, 'the port has a link');
      for (const [link, port, kind] of [
        [-1, 2, 1],
        [8, 2, 1],
        [5, 4, 1],
        [5, -1, 1],
        [5, 2, 3],
        [5, 2, 0],
      ] as const)
        t.is(plane.lineBind(link, port, kind), 0);
      t.is(router.interfaceField(LINK, IF_DEVICE), DEVICE_SERIAL);
      for (let n = 0; n < 10; n++) router.fromHost(question(5000 + n, 1400));
      send(PPP_LCP, [5, 1, 0, 4]);
      end.put(pppFrame(PPP_LCP, [5, 1, 0, 4]).slice(0, 9));
      router.ticks(1);
      t.true(end.waiting > 0);
      plane.lineUnbind(PORT);
      t.is(end.waiting, 0, 'what is half a frame is no word to a modem');
      plane.lineUnbind(PORT);
      t.is(router.held(), 0);
      t.is(router.interfaceField(LINK, IF_STATE), INTERFACE_ABSENT);
      t.is(i32at(LINES_BOUND_AT), 0);
      t.is(send(PPP_LCP, [5, 1, 0, 4]), 0);
      router.ticks(5);
      t.is(i32at(WORK_AT), 0);
      t.is(plane.poolFree(), BUFFER_COUNT);
      end.take();
      t.is(plane.lineBind(5, PORT, LINE_SLIP), 1);
    },
  );
}

function get16(bytes: readonly number[], at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}
