// Rules and policies in a packet's way: through the router, to it and from it.

import test from 'ava';
import {
  ACK,
  address,
  echo,
  faults,
  frame,
  payload,
  RST,
  read,
  SYN,
  tcp,
  udp,
} from '../../../test/packets.ts';
import {
  HOST,
  LAN_ADDRESS,
  LAN_MAC,
  OTHER,
  OTHER_MAC,
  type Router,
  SERVER,
  startRouter,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import { addRule, countsOf, makeRule, NAME_LAN, NAME_WAN, startRules } from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_REJECTED, DROP_RULE, DROP_UNSOLICITED } from '../../base/counters.ts';
import { E_OUT_ROUTE, entryAt } from '../../base/flow-record.ts';
import { RULES_AT, RULES_BYTES } from '../../base/limits.ts';
import { fill, i32at, put8, puti32, putu16, u16at } from '../../base/memory.ts';
import { PACKET_IP, PACKET_LENGTH } from '../../base/packet.ts';
import {
  ADDRESSES_ADDRESS,
  ADDRESSES_PORTS,
  CHAIN_FORWARD,
  CHAIN_INPUT,
  CHAIN_NAT_POSTROUTING,
  CHAIN_NAT_PREROUTING,
  CHAIN_OUTPUT,
  LIMIT_COST,
  LIMIT_LEFT,
  LIMIT_MOST,
  LIMIT_REFILL,
  OPERATION_ADDRESSES,
  OPERATION_LIMIT,
  POLICY_ACCEPT,
  POLICY_DROP,
  POLICY_OPEN,
  REJECT_ADMIN,
  REJECT_RESET,
  STATE_BIT_ESTABLISHED,
  STATE_BIT_INVALID,
  STATE_BIT_NEW,
  STATE_BIT_RELATED,
  TABLE_FILTER,
  TARGET_ACCEPT,
  TARGET_DNAT,
  TARGET_DROP,
  TARGET_GOTO,
  TARGET_JUMP,
  TARGET_MASQUERADE,
  TARGET_REDIRECT,
  TARGET_REJECT,
  TARGET_RETURN,
} from '../../base/rule-record.ts';
import { CELLS_FREE_AT, RULES_USED_AT } from '../../base/rule-state.ts';

const out = { source: HOST, destination: SERVER };
const back = { source: SERVER, destination: WAN_ADDRESS };
const TCP = 6;
const UDP = 17;
const ICMP = 1;
const KNOWN = STATE_BIT_ESTABLISHED | STATE_BIT_RELATED;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;
  const start = (): Router => {
    const router = startRouter(build);
    startRules(plane);
    return router;
  };
  const add = (chain: number, fields: Parameters<typeof addRule>[2]) => addRule(plane, chain, fields);
  const packets = (rule: number) => countsOf(plane, { rule })[0];
  const query = (port: number, to = SERVER) =>
    udp({ source: HOST, destination: to }, 1043, port, payload(10));
  const answer = (port: number, to: number) => udp(back, port, to, payload(20));
  /** The port by which the last datagram left. */
  const portOf = (router: Router) => read(router.toWan().at(-1) as Uint8Array).sourcePort as number;

  test.serial(`a rule refuses what it says and lets the rest pass, both counted to the byte (${name})`, t => {
    const router = start();
    const dns = add(CHAIN_FORWARD, { protocol: UDP, ports: [53, 53], out: NAME_WAN, target: TARGET_DROP });
    const all = add(CHAIN_FORWARD, { source: '192.168.0.0/24' });
    router.fromHost(query(53));
    router.fromHost(query(53));
    router.fromHost(query(54));
    t.is(router.toWan().length, 1);
    t.deepEqual(countsOf(plane, { rule: dns }), [2, 76]);
    t.deepEqual(countsOf(plane, { rule: all }), [1, 38]);
    t.deepEqual(countsOf(plane, { chain: CHAIN_FORWARD }), [1, 38]);
    t.is(router.counter(DROP_RULE), 2);
    t.is(router.toLan().length, 0);
  });

  test.serial(`packets that go the short way count for the rules that they would meet (${name})`, t => {
    const router = start();
    const known = add(CHAIN_FORWARD, { states: KNOWN, target: TARGET_ACCEPT });
    const fresh = add(CHAIN_FORWARD, { in: NAME_LAN, states: STATE_BIT_NEW, target: TARGET_ACCEPT });
    plane.chainPolicy(CHAIN_FORWARD, POLICY_DROP);
    router.ticks(2);
    router.fromHost(query(7000));
    const port = portOf(router);
    for (let i = 0; i < 10; i++) {
      router.fromGateway(answer(7000, port));
      router.fromHost(query(7000));
    }
    t.is(router.toWan().length, 10);
    t.is(router.toLan().length, 10);
    t.not(i32at(entryAt(1) + E_OUT_ROUTE), 0);
    t.deepEqual(countsOf(plane, { rule: fresh }), [1, 38]);
    t.deepEqual(countsOf(plane, { rule: known }), [20, 10 * 38 + 10 * 48]);
    t.deepEqual(countsOf(plane, { chain: CHAIN_FORWARD }), [0, 0]);
    // A rule in front of them takes what comes from now on, and the flow finds that out.
    const first = makeRule(plane, { protocol: UDP });
    plane.ruleInsert(CHAIN_FORWARD, 0, first);
    for (let i = 0; i < 5; i++) router.fromHost(query(7000));
    t.is(packets(first), 5);
    t.is(packets(known), 25);
    plane.ruleDelete(CHAIN_FORWARD, 0);
    router.fromHost(query(7000));
    t.is(packets(known), 26);
    plane.masqueradeFlush();
    router.ticks(200);
    t.is(packets(known), 26);
  });

  test.serial(
    `what no flow knows does not come in by a policy that accepts, but by a rule or one that is open (${name})`,
    t => {
      const router = start();
      const stranger = udp({ source: SERVER, destination: HOST }, 9, 9);
      plane.chainPolicy(CHAIN_FORWARD, POLICY_ACCEPT);
      router.fromGateway(stranger);
      t.is(router.toLan().length, 0);
      t.is(router.counter(DROP_UNSOLICITED), 1);
      const rule = add(CHAIN_FORWARD, { in: NAME_WAN, destination: `${HOST}/32`, target: TARGET_ACCEPT });
      router.fromGateway(stranger);
      t.is(router.toLan().length, 1);
      t.is(packets(rule), 1);
      // Its answer is of that flow, and leaves as it is.
      router.fromHost(udp({ source: HOST, destination: SERVER }, 9, 9));
      t.is(read(router.toWan()[0] as Uint8Array).source, HOST);
      plane.ruleDelete(CHAIN_FORWARD, 0);
      plane.chainPolicy(CHAIN_FORWARD, POLICY_OPEN);
      router.fromGateway(udp({ source: SERVER, destination: OTHER }, 9, 9));
      t.is(router.toLan().length, 1);
    },
  );

  test.serial(`chains: jump, return, goto, and back behind the jump (${name})`, t => {
    const router = start();
    const [inner, further] = [plane.chainNew(TABLE_FILTER), plane.chainNew(TABLE_FILTER)];
    const jump = add(CHAIN_FORWARD, { protocol: UDP, target: TARGET_JUMP, argument: inner });
    const behind = add(CHAIN_FORWARD, { target: TARGET_DROP });
    add(inner, { ports: [1, 1], target: TARGET_RETURN });
    add(inner, { ports: [2, 2], target: TARGET_GOTO, argument: further });
    add(inner, { ports: [3, 3], target: TARGET_ACCEPT });
    const gone = add(further, { ports: [2, 2] });
    for (const port of [1, 2, 3, 4]) router.fromHost(query(port));
    t.deepEqual(
      router.toWan().map(datagram => read(datagram).destinationPort),
      [3],
    );
    t.deepEqual([packets(jump), packets(behind), packets(gone)], [4, 3, 1]);
  });

  test.serial(`a rejected packet's sender is told as the rule says, also a stranger (${name})`, t => {
    const router = start();
    add(CHAIN_FORWARD, { protocol: UDP, target: TARGET_REJECT, argument: REJECT_ADMIN });
    add(CHAIN_FORWARD, { protocol: TCP, target: TARGET_REJECT, argument: REJECT_RESET });
    add(CHAIN_INPUT, { protocol: TCP, in: NAME_WAN, target: TARGET_REJECT, argument: REJECT_RESET });
    router.fromHost(query(80));
    router.fromHost(tcp(out, { sourcePort: 1043, destinationPort: 80, flags: SYN, sequence: 77 }));
    const [error, reset] = router.toLan().map(datagram => read(datagram));
    t.like(error, { source: LAN_ADDRESS, destination: HOST, protocol: ICMP, type: 3, code: 13 });
    t.like(reset, {
      source: SERVER,
      destination: HOST,
      sourcePort: 80,
      tcpFlags: RST | ACK,
      acknowledgment: 78,
    });
    router.fromGateway(tcp(back, { sourcePort: 5, destinationPort: 23, flags: SYN }));
    t.like(read(router.toWan()[0] as Uint8Array), {
      source: WAN_ADDRESS,
      destination: SERVER,
      tcpFlags: RST | ACK,
    });
    t.is(router.counter(DROP_REJECTED), 3);
    t.is(plane.masqueradeCount(), 0);
  });

  test.serial(
    `a box that lets in answers alone hears answers to pings, and its hosts' questions no more (${name})`,
    t => {
      const router = start();
      plane.chainPolicy(CHAIN_INPUT, POLICY_DROP);
      add(CHAIN_INPUT, { states: KNOWN, target: TARGET_ACCEPT });
      const ping = echo({ source: HOST, destination: LAN_ADDRESS }, 8, 1);
      router.fromHost(ping);
      t.is(router.toLan().length, 0);
      plane.socketOpen(ICMP, 7, 3);
      const datagram = echo({ source: '0.0.0.0', destination: SERVER }, 8, 7);
      const packet = plane.allocateForControl();
      build.memory.set(datagram, packet + PACKET_IP);
      puti32(packet + PACKET_LENGTH, datagram.length);
      t.is(plane.localSend(packet), 0);
      t.is(router.toWan().length, 1);
      router.fromGateway(echo(back, 0, 7));
      t.truthy(router.punted());
      router.fromGateway(echo(back, 0, 8));
      t.is(router.punted(), undefined);
      add(CHAIN_INPUT, { protocol: ICMP, icmp: 8, in: NAME_LAN, target: TARGET_ACCEPT });
      router.fromHost(ping);
      t.is(router.toLan().length, 1);
      // Its answer is of the flow that the ping began.
      plane.chainPolicy(CHAIN_OUTPUT, POLICY_DROP);
      router.fromHost(ping);
      t.is(router.toLan().length, 0);
      const rule = add(CHAIN_OUTPUT, { states: STATE_BIT_ESTABLISHED, target: TARGET_ACCEPT });
      router.fromHost(ping);
      t.is(router.toLan().length, 1);
      t.is(packets(rule), 1);
    },
  );

  test.serial(`a segment that can begin nothing is invalid (${name})`, t => {
    const router = start();
    const rule = add(CHAIN_FORWARD, { states: STATE_BIT_INVALID, target: TARGET_DROP });
    for (const flags of [0, RST, SYN | ACK, 1, 3]) {
      router.fromHost(tcp(out, { sourcePort: 1043, destinationPort: 80, flags }));
    }
    router.fromHost(echo(out, 0, 9));
    t.is(packets(rule), 6);
    t.is(router.toWan().length, 0);
    router.fromHost(tcp(out, { sourcePort: 1043, destinationPort: 80, flags: ACK }));
    t.is(router.toWan().length, 1);
  });

  test.serial(`a limit's tokens are taken packet by packet, also of a known flow (${name})`, t => {
    const router = start();
    const limited = add(CHAIN_FORWARD, {
      protocol: UDP,
      target: TARGET_ACCEPT,
      operations: [
        {
          kind: OPERATION_LIMIT,
          write: at => {
            puti32(at + LIMIT_COST, 1000);
            puti32(at + LIMIT_MOST, 3000);
            puti32(at + LIMIT_LEFT, 3000);
            puti32(at + LIMIT_REFILL, 100);
          },
        },
      ],
    });
    const rest = add(CHAIN_FORWARD, { protocol: UDP, target: TARGET_DROP });
    router.fromHost(query(7000));
    const port = portOf(router);
    router.fromGateway(answer(7000, port));
    for (let i = 0; i < 5; i++) router.fromHost(query(7000));
    t.deepEqual([packets(limited), packets(rest)], [3, 4]);
    router.ticks(10);
    router.fromHost(query(7000));
    router.fromHost(query(7000));
    t.deepEqual([packets(limited), packets(rest)], [4, 5]);
  });

  test.serial(`nat's rules say what is masqueraded, and other flows leave as they are (${name})`, t => {
    const router = start();
    const rule = add(CHAIN_NAT_POSTROUTING, {
      out: NAME_WAN,
      source: `${HOST}/32`,
      target: TARGET_MASQUERADE,
    });
    router.fromHost(query(53));
    const other = udp({ source: OTHER, destination: SERVER }, 4, 53);
    router.put(0, Uint8Array.of());
    router.fromHost(query(53));
    t.deepEqual(
      router.toWan().map(datagram => read(datagram).source),
      [WAN_ADDRESS, WAN_ADDRESS],
    );
    router.fromHost(other);
    t.deepEqual(
      router.toWan().map(datagram => read(datagram).source),
      [OTHER],
    );
    t.is(packets(rule), 1);
  });

  test.serial(`rules that are gone are free again, when every flow has forgotten them (${name})`, t => {
    const router = start();
    const free = u16at(CELLS_FREE_AT);
    for (let i = 0; i < 300; i++) add(CHAIN_FORWARD, { ports: [i, i] });
    t.is(u16at(RULES_USED_AT), 300);
    router.fromHost(query(7000));
    router.fromGateway(answer(7000, portOf(router)));
    router.fromHost(query(7000));
    plane.chainFlush(CHAIN_FORWARD);
    t.is(u16at(RULES_USED_AT), 0);
    t.is(u16at(CELLS_FREE_AT), free - 300);
    router.ticks(10);
    t.is(u16at(CELLS_FREE_AT), free);
    router.fromHost(query(7000));
    t.is(router.toWan().length, 2);
  });

  /** Says to whom a flow goes: an address, a port, or both. */
  const to = (host: string | undefined, port: number | undefined) => ({
    kind: OPERATION_ADDRESSES,
    write: (at: number) => {
      put8(at + 4, (host === undefined ? 0 : ADDRESSES_ADDRESS) | (port === undefined ? 0 : ADDRESSES_PORTS));
      for (const field of [8, 12]) puti32(at + field, address(host ?? '0.0.0.0'));
      for (const field of [16, 18]) putu16(at + field, port ?? 0);
    },
  });

  test.serial(
    `DNAT lets strangers in to a host inside, and its answers leave by our address (${name})`,
    t => {
      const router = start();
      const web = { in: NAME_WAN, protocol: TCP, ports: [80, 80] as [number, number] };
      const rule = add(CHAIN_NAT_PREROUTING, { ...web, target: TARGET_DNAT, operations: [to(HOST, 8080)] });
      const syn = tcp(back, { sourcePort: 5000, destinationPort: 80, flags: SYN, sequence: 1 });
      plane.chainPolicy(CHAIN_FORWARD, POLICY_DROP);
      router.fromGateway(syn);
      t.is(router.toLan().length, 0);
      t.is(plane.masqueradeCount(), 0);
      const seen = add(CHAIN_FORWARD, {
        in: NAME_WAN,
        destination: `${HOST}/32`,
        protocol: TCP,
        ports: [8080, 8080],
        target: TARGET_ACCEPT,
      });
      const answers = add(CHAIN_FORWARD, { states: KNOWN, target: TARGET_ACCEPT });
      router.fromGateway(syn);
      t.like(read(router.toLan()[0] as Uint8Array), {
        source: SERVER,
        destination: HOST,
        destinationPort: 8080,
      });
      router.fromHost(
        tcp(
          { source: HOST, destination: SERVER },
          { sourcePort: 8080, destinationPort: 5000, flags: SYN | ACK, sequence: 9, acknowledgment: 2 },
        ),
      );
      t.like(read(router.toWan()[0] as Uint8Array), {
        source: WAN_ADDRESS,
        sourcePort: 80,
        destinationPort: 5000,
      });
      router.fromGateway(
        tcp(back, { sourcePort: 5000, destinationPort: 80, flags: ACK, sequence: 2, acknowledgment: 10 }),
      );
      t.is(router.toLan().length, 1);
      t.deepEqual([packets(rule), packets(seen), packets(answers)], [2, 2, 1]);
    },
  );

  test.serial(
    `traffic is led to a proxy on the client's own link, and both think that they are directly connected (${name})`,
    t => {
      const router = start();
      add(CHAIN_NAT_PREROUTING, {
        in: NAME_LAN,
        source: `!${OTHER}/32`,
        protocol: TCP,
        ports: [80, 80],
        target: TARGET_DNAT,
        operations: [to(OTHER, 3128)],
      });
      const first = tcp(out, { sourcePort: 1043, destinationPort: 80, flags: SYN, sequence: 1 });
      router.fromHost(first);
      const asked = read(router.toLan()[0] as Uint8Array);
      t.like(asked, { source: LAN_ADDRESS, sourcePort: 1043, destination: OTHER, destinationPort: 3128 });
      const fromProxy = (flags: number) =>
        router.put(
          0,
          frame(
            LAN_MAC,
            OTHER_MAC,
            tcp(
              { source: OTHER, destination: LAN_ADDRESS },
              { sourcePort: 3128, destinationPort: 1043, flags, sequence: 7, acknowledgment: 2 },
            ),
          ),
        );
      fromProxy(SYN | ACK);
      t.like(read(router.toLan()[0] as Uint8Array), { source: SERVER, sourcePort: 80, destination: HOST });
      for (let i = 0; i < 3; i++) {
        router.fromHost(
          tcp(out, { sourcePort: 1043, destinationPort: 80, flags: ACK, sequence: 2, acknowledgment: 8 }),
        );
        fromProxy(ACK);
      }
      t.is(router.toLan().length, 6);
      t.not(i32at(entryAt(1) + E_OUT_ROUTE), 0);
      t.is(router.toWan().length, 0);
      t.is(plane.masqueradeCheck(), 0);
    },
  );

  test.serial(
    `REDIRECT leads what hosts ask elsewhere to the router, which answers as whom they asked (${name})`,
    t => {
      const router = start();
      plane.socketOpen(UDP, 53, 1);
      const rule = add(CHAIN_NAT_PREROUTING, {
        in: NAME_LAN,
        protocol: UDP,
        ports: [53, 53],
        target: TARGET_REDIRECT,
        operations: [to(undefined, 53)],
      });
      router.fromHost(query(53));
      t.like(read(router.punted() as Uint8Array), {
        source: HOST,
        destination: LAN_ADDRESS,
        destinationPort: 53,
      });
      const datagram = udp({ source: LAN_ADDRESS, destination: HOST }, 53, 1043, payload(20));
      const packet = plane.allocateForControl();
      build.memory.set(datagram, packet + PACKET_IP);
      puti32(packet + PACKET_LENGTH, datagram.length);
      t.is(plane.localSend(packet), 0);
      const [left] = router.toLan();
      t.like(read(left as Uint8Array), {
        source: SERVER,
        sourcePort: 53,
        destination: HOST,
        destinationPort: 1043,
      });
      t.is(faults(left as Uint8Array), '');
      router.fromHost(query(53));
      t.truthy(router.punted());
      t.is(packets(rule), 1);
      t.is(router.toWan().length, 0);
    },
  );

  test.serial(`without rules their memory, which is not there on a board, is left alone (${name})`, t => {
    const router = startRouter(build);
    fill(RULES_AT, 0xa5, RULES_BYTES);
    router.fromHost(query(7000));
    const port = portOf(router);
    for (const datagram of [answer(7000, port), answer(7001, port), answer(7000, 9)])
      router.fromGateway(datagram);
    // By our outside address to another host, to nobody, and to the router; what is refused, and told.
    for (const to of [port, 9]) router.fromHost(udp({ source: HOST, destination: WAN_ADDRESS }, 1044, to));
    router.fromHost(
      tcp({ source: HOST, destination: LAN_ADDRESS }, { sourcePort: 1, destinationPort: 2, flags: SYN }),
    );
    router.fromHost(echo({ source: HOST, destination: LAN_ADDRESS }, 8, 1));
    router.fromHost(udp({ source: HOST, destination: SERVER, ttl: 1 }, 1, 2));
    router.ticks(300);
    plane.masqueradeFlush();
    router.ticks(300);
    t.true(build.memory.subarray(RULES_AT, RULES_AT + RULES_BYTES).every(byte => byte === 0xa5));
  });
}
