import test from 'ava';
import {
  ACK,
  address,
  BROADCAST,
  echo,
  FIN,
  faults,
  fragments,
  frame,
  icmpError,
  ipv4,
  mac,
  payload,
  RST,
  read,
  SYN,
  tcp,
  udp,
} from '../../../test/packets.ts';
import {
  GATEWAY_MAC,
  HOST,
  LAN,
  LAN_ADDRESS,
  SERVER,
  startRouter,
  WAN,
  WAN_ADDRESS,
  WAN_MAC,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import {
  COUNT_ECHO_ANSWERED,
  DROP_BROADCAST,
  DROP_ICMP_CHECKSUM,
  DROP_INTERFACE_DOWN,
  DROP_LOCAL_CLOSED,
  DROP_TRANSMIT_FULL,
  DROP_TRANSPORT_HEADER,
  DROP_UNSOLICITED,
} from '../../base/counters.ts';
import { IF_QUEUE_LENGTH } from '../../base/interface.ts';
import { ECHO_QUEUE_LIMIT, ICMP_BURST } from '../../base/limits.ts';
import { WAN_PING } from '../../base/parameters.ts';

const TO_LAN = { source: HOST, destination: LAN_ADDRESS };
const TO_WAN = { source: SERVER, destination: WAN_ADDRESS };
const PORTS = { sourcePort: 4000, destinationPort: 23 };
const BOTH = 3;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name } = build;

  test.serial(`a socket hears only the interfaces of its mask (${name})`, t => {
    const router = startRouter(build);
    router.plane.socketOpen(17, 53, 1 << LAN);
    const query = udp(TO_LAN, 4000, 53);
    router.fromHost(query);
    t.deepEqual(router.punted(), query);
    router.fromGateway(udp(TO_WAN, 4000, 53));
    t.is(router.punted(), undefined);
    t.is(router.counter(DROP_UNSOLICITED), 1);
    router.plane.socketOpen(17, 53, BOTH);
    router.fromGateway(udp(TO_WAN, 4000, 53));
    t.like(read(router.punted() as Uint8Array), { source: SERVER, destinationPort: 53 });
    t.is(router.held(), 0);
  });

  test.serial(`a wrong transport checksum never reaches control (${name})`, t => {
    const router = startRouter(build);
    router.plane.socketOpen(17, 53, BOTH);
    router.plane.socketOpen(6, 23, BOTH);
    router.plane.socketOpen(1, 7, BOTH);
    router.fromHost(udp(TO_LAN, 4000, 53, payload(9), 0x1234));
    router.fromHost(tcp(TO_LAN, { ...PORTS, checksum: 0x1234 }));
    t.is(router.counter(DROP_TRANSPORT_HEADER), 2);
    const reply = echo(TO_LAN, 0, 7);
    reply[30] = (reply[30] as number) ^ 4;
    router.fromHost(reply);
    t.is(router.counter(DROP_ICMP_CHECKSUM), 1);
    t.is(router.punted(), undefined);
    router.fromHost(udp(TO_LAN, 4000, 53, payload(9), 0));
    t.truthy(router.punted(), 'UDP may leave its checksum out');
    router.plane.tcpOpen(address(HOST), (23 << 16) | 4000);
    router.fromHost(tcp(TO_LAN, PORTS, payload(3)));
    t.truthy(router.punted());
  });

  test.serial(`a closed UDP port says so inside, and nothing outside (${name})`, t => {
    const router = startRouter(build);
    const query = udp(TO_LAN, 4000, 53);
    router.fromHost(query);
    const [error] = router.toLan();
    t.like(read(error as Uint8Array), { source: LAN_ADDRESS, destination: HOST, type: 3, code: 3 });
    t.deepEqual((error as Uint8Array).slice(28), query);
    t.is(router.counter(DROP_LOCAL_CLOSED), 1);
    router.fromGateway(udp(TO_WAN, 4000, 53));
    router.fromGateway(ipv4(TO_WAN, 47, payload(20)));
    t.deepEqual(router.toWan(), []);
    t.is(router.counter(DROP_UNSOLICITED), 2);
    router.fromHost(ipv4(TO_LAN, 47, payload(20)));
    t.like(read(router.toLan()[0] as Uint8Array), { type: 3, code: 2 });
    t.is(router.held(), 0);
  });

  test.serial(`a closed TCP port answers with the reset of RFC 793, 3.4, inside alone (${name})`, t => {
    const router = startRouter(build);
    const reset = (flags: number, bytes: number) => {
      router.fromHost(
        tcp(TO_LAN, { ...PORTS, flags, sequence: 0xffffffff, acknowledgment: 77 }, payload(bytes)),
      );
      return router.toLan();
    };
    const [answer] = reset(SYN, 0);
    t.is(faults(answer as Uint8Array), '');
    t.like(read(answer as Uint8Array), {
      source: LAN_ADDRESS,
      destination: HOST,
      sourcePort: 23,
      destinationPort: 4000,
      tcpFlags: RST | ACK,
      sequence: 0,
      acknowledgment: 0,
      totalLength: 40,
    });
    t.like(read(reset(ACK, 100)[0] as Uint8Array), { tcpFlags: RST, sequence: 77, acknowledgment: 0 });
    t.like(read(reset(FIN, 10)[0] as Uint8Array), { tcpFlags: RST | ACK, acknowledgment: 10 });
    t.deepEqual(reset(RST, 0), []);
    t.deepEqual(reset(RST | ACK, 0), []);
    router.fromGateway(tcp(TO_WAN, { ...PORTS, flags: SYN }));
    t.deepEqual(router.toWan(), []);
    let sent = 0;
    for (let i = 0; i < 3 * ICMP_BURST; i++) sent += reset(SYN, 0).length;
    t.true(sent > ICMP_BURST / 2 && sent < 2 * ICMP_BURST, `${sent}`);
    t.is(router.held(), 0);
  });

  test.serial(`pings from outside are answered if WAN_PING says so (${name})`, t => {
    const router = startRouter(build);
    router.fromGateway(echo(TO_WAN, 8, 3));
    t.deepEqual(router.toWan(), []);
    t.is(router.counter(DROP_UNSOLICITED), 1);
    router.plane.setParameter(WAN_PING, 1);
    router.fromGateway(echo(TO_WAN, 8, 3));
    t.like(read(router.toWan()[0] as Uint8Array), { source: WAN_ADDRESS, destination: SERVER, type: 0 });
    for (const part of fragments(echo(TO_WAN, 8, 3, 1, payload(3000)), 1480)) router.fromGateway(part);
    t.is(router.toWan().length, 3);
    t.is(router.counter(COUNT_ECHO_ANSWERED), 2);
    // The inside address is not the outside's to ask.
    router.fromGateway(echo({ source: SERVER, destination: LAN_ADDRESS }, 8, 3));
    t.deepEqual(router.toWan(), []);
    t.is(router.counter(DROP_UNSOLICITED), 2);
  });

  test.serial(`what an ICMP error quotes decides whether control hears it (${name})`, t => {
    const router = startRouter(build);
    router.plane.socketOpen(17, 5353, BOTH);
    router.plane.socketOpen(1, 0x99, BOTH);
    const ours = udp({ source: WAN_ADDRESS, destination: SERVER }, 5353, 53);
    router.fromGateway(icmpError(TO_WAN, 3, 3, ours));
    t.like(read(router.punted() as Uint8Array), { type: 3, code: 3 });
    router.fromGateway(icmpError(TO_WAN, 11, 0, echo({ source: WAN_ADDRESS, destination: SERVER }, 8, 0x99)));
    t.like(read(router.punted() as Uint8Array), { type: 11 });
    router.fromGateway(icmpError(TO_WAN, 3, 3, udp({ source: WAN_ADDRESS, destination: SERVER }, 5354, 53)));
    for (let n = 0; n < 28; n++) router.fromGateway(icmpError(TO_WAN, 3, 3, ours, 0, n));
    for (let n = 0; n < 28; n++) router.fromHost(icmpError(TO_LAN, 3, 3, ours, 0, n));
    t.is(router.punted(), undefined);
    router.fromHost(icmpError(TO_LAN, 3, 3, udp({ source: LAN_ADDRESS, destination: HOST }, 5353, 9)));
    t.truthy(router.punted());
    t.is(router.held(), 0);
  });

  test.serial(`broadcasts go to an open UDP socket or nowhere (${name})`, t => {
    const router = startRouter(build);
    router.plane.socketOpen(17, 67, 1 << LAN);
    for (const destination of ['255.255.255.255', '192.168.0.255', '192.168.0.0', '224.0.0.1']) {
      router.fromHost(udp({ source: HOST, destination }, 68, 67));
      t.truthy(router.punted(), destination);
      router.fromHost(udp({ source: HOST, destination }, 68, 69));
      router.fromHost(echo({ source: HOST, destination }, 8, 1));
      router.fromGateway(udp({ source: SERVER, destination }, 68, 67));
    }
    t.is(router.counter(DROP_BROADCAST), 12);
    router.fromHost(
      fragments(udp({ source: HOST, destination: '255.255.255.255' }, 68, 67, payload(99)), 48)[0]!,
    );
    t.is(router.punted(), undefined);
    router.put(LAN, frame(BROADCAST, '02:00:00:00:00:02', echo(TO_LAN, 8, 1)));
    t.deepEqual([...router.taken(LAN), ...router.taken(WAN)], []);
    t.is(router.held(), 0);
  });

  test.serial(`an interface without an address hears DHCP and nothing else (${name})`, t => {
    const router = startRouter(build);
    build.use();
    router.plane.configureInterface(WAN, 1, 0, 0, 1500);
    router.plane.socketOpen(17, 68, 1 << WAN);
    router.plane.dhcpExpect(WAN, 77);
    const message = payload(300);
    message.set([2, 1, 6, 0, 0, 0, 0, 77]);
    message.set(mac(WAN_MAC), 28);
    const offer = udp({ source: '10.1.2.1', destination: '10.1.2.77' }, 67, 68, message);
    router.fromGateway(offer);
    t.deepEqual(router.punted(), offer);
    router.put(
      WAN,
      frame(
        BROADCAST,
        GATEWAY_MAC,
        udp({ source: '10.1.2.1', destination: '255.255.255.255' }, 67, 68, message),
      ),
    );
    t.truthy(router.punted());
    router.fromGateway(udp(TO_WAN, 67, 69));
    router.fromGateway(echo(TO_WAN, 8, 1));
    router.fromGateway(tcp(TO_WAN, PORTS));
    t.is(router.counter(DROP_INTERFACE_DOWN), 3);
    t.is(router.held(), 0);
  });

  test.serial(`fragments for us are dropped unless they are a ping (${name})`, t => {
    const router = startRouter(build);
    router.plane.socketOpen(17, 53, BOTH);
    for (const part of fragments(udp(TO_LAN, 4000, 53, payload(3000)), 1480)) router.fromHost(part);
    for (const part of fragments(echo({ ...TO_LAN, id: 5 }, 0, 9, 1, payload(3000)), 1480))
      router.fromHost(part);
    t.is(router.punted(), undefined);
    t.deepEqual(router.toLan(), []);
    t.is(router.counter(DROP_LOCAL_CLOSED), 6);
    t.is(router.held(), 0);
  });

  test.serial(`pings that fill the card's queue leave the rest of it to others (${name})`, t => {
    const router = startRouter(build);
    const queued = () => router.interfaceField(LAN, IF_QUEUE_LENGTH);
    for (let i = 0; i < 64; i++) router.fromHost(echo(TO_LAN, 8, 3, i, payload(900)));
    t.is(queued(), ECHO_QUEUE_LIMIT);
    for (const part of fragments(echo({ ...TO_LAN, id: 5 }, 8, 9, 1, payload(3000)), 1480))
      router.fromHost(part);
    t.is(queued(), ECHO_QUEUE_LIMIT);
    t.true(router.counter(DROP_TRANSMIT_FULL) > 20);
    router.fromHost(udp(TO_LAN, 4000, 53));
    t.is(queued(), ECHO_QUEUE_LIMIT + 1, 'another answer has its place');
    router.toLan();
    router.fromHost(echo(TO_LAN, 8, 3));
    t.is(router.toLan().length, 1);
    t.is(router.held(), 0);
  });
}
