// The chains of ipchains and ipfwadm: what each sees, and what their targets do.

import test from 'ava';
import { address, faults, frame, payload, read, SYN, tcp, udp } from '../../../test/packets.ts';
import {
  HOST,
  HOST_MAC,
  LAN,
  LAN_ADDRESS,
  LAN_MAC,
  OTHER,
  OTHER_MAC,
  type Router,
  SERVER,
  startRouter,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import { addRule, countsOf, NAME_LAN, NAME_WAN, startRules } from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { E_IN_ROUTE, entryAt } from '../../base/flow-record.ts';
import { get8, i32at, put8, puti32, putu16 } from '../../base/memory.ts';
import { PACKET_IP, PACKET_LENGTH } from '../../base/packet.ts';
import { LOG_DATAGRAM, LOG_IN, LOG_LEVEL, LOG_OUT, logAt } from '../../base/rule-log-record.ts';
import {
  CHAIN_ACCOUNT_IN,
  CHAIN_ACCOUNT_OUT,
  CHAIN_OLD_FORWARD,
  CHAIN_OLD_INPUT,
  CHAIN_OLD_OUTPUT,
  OPERATION_BOTH,
  OPERATION_DO_LOG,
  OPERATION_DO_TOS,
  OPERATION_OLD,
  OPERATION_VIA,
  POLICY_DROP,
  POLICY_MASQUERADE,
  POLICY_REJECT,
  TARGET_ACCEPT,
  TARGET_DROP,
  TARGET_MASQUERADE,
  TARGET_REDIRECT,
} from '../../base/rule-record.ts';
import { LOG_WRITTEN_AT } from '../../base/rule-state.ts';

const UDP = 17;

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;
  const start = (): Router => {
    const router = startRouter(build);
    startRules(plane);
    return router;
  };
  const add = (chain: number, fields: Parameters<typeof addRule>[2]) => addRule(plane, chain, fields);
  const packets = (rule: number) => countsOf(plane, { rule })[0];
  const query = (port: number) => udp({ source: HOST, destination: SERVER }, 1043, port, payload(10));
  const answer = (port: number, to: number) =>
    udp({ source: SERVER, destination: WAN_ADDRESS }, port, to, payload(20));

  test.serial(`a masqueraded packet crosses all three chains, its answer not forward (${name})`, t => {
    const router = start();
    plane.chainPolicy(CHAIN_OLD_FORWARD, POLICY_DROP);
    const forward = add(CHAIN_OLD_FORWARD, {
      in: NAME_WAN,
      source: '192.168.0.0/24',
      target: TARGET_MASQUERADE,
    });
    const came = add(CHAIN_OLD_INPUT, { in: NAME_LAN, source: `${HOST}/32` });
    const back = add(CHAIN_OLD_INPUT, { in: NAME_WAN, destination: `${WAN_ADDRESS}/32` });
    const left = add(CHAIN_OLD_OUTPUT, { in: NAME_WAN, source: `${WAN_ADDRESS}/32` });
    const given = add(CHAIN_OLD_OUTPUT, { in: NAME_LAN, destination: `${HOST}/32` });
    router.ticks(2);
    router.fromHost(query(7000));
    const port = read(router.toWan()[0] as Uint8Array).sourcePort;
    for (let i = 0; i < 4; i++) {
      router.fromGateway(answer(7000, port));
      router.fromHost(query(7000));
    }
    t.is(router.toLan().length, 4);
    t.is(router.toWan().length, 4);
    t.not(i32at(entryAt(1) + E_IN_ROUTE), 0);
    t.deepEqual([forward, came, back, left, given].map(packets), [5, 5, 4, 5, 4]);
    // Another host is none of the rule's, and the policy has it.
    router.fromHost(udp({ source: '192.168.1.9', destination: SERVER }, 1, 2));
    t.is(router.toWan().length, 0);
  });

  test.serial(
    `a host that has no address yet is heard whatever input says, as dhcpd of the time heard it (${name})`,
    t => {
      const router = start();
      plane.chainPolicy(CHAIN_OLD_INPUT, POLICY_DROP);
      plane.socketOpen(UDP, 67, 1);
      const ask = (source: string, port: number) =>
        router.put(
          LAN,
          frame(
            'ff:ff:ff:ff:ff:ff',
            HOST_MAC,
            udp({ source, destination: '255.255.255.255' }, port, 67, payload(300)),
          ),
        );
      ask('0.0.0.0', 68);
      t.like(read(router.punted() as Uint8Array), { source: '0.0.0.0', destinationPort: 67 });
      t.is(countsOf(plane, { chain: CHAIN_OLD_INPUT })[0], 0);
      ask('0.0.0.0', 69);
      ask(HOST, 68);
      t.is(router.punted(), undefined);
      t.is(countsOf(plane, { chain: CHAIN_OLD_INPUT })[0], 2);
    },
  );

  test.serial(`policies: forward masquerades by itself, or tells who sent it (${name})`, t => {
    const router = start();
    plane.chainPolicy(CHAIN_OLD_FORWARD, POLICY_MASQUERADE);
    router.fromHost(query(1));
    t.is(read(router.toWan()[0] as Uint8Array).source, WAN_ADDRESS);
    plane.chainPolicy(CHAIN_OLD_FORWARD, POLICY_REJECT);
    router.fromHost(query(2));
    t.like(read(router.toLan()[0] as Uint8Array), {
      source: LAN_ADDRESS,
      destination: HOST,
      type: 3,
      code: 3,
    });
    plane.chainPolicy(CHAIN_OLD_FORWARD, POLICY_DROP);
    add(CHAIN_OLD_FORWARD, { target: TARGET_ACCEPT });
    router.fromHost(query(3));
    t.is(read(router.toWan()[0] as Uint8Array).source, HOST);
  });

  test.serial(`accounting counts what input and output have let pass, both ways by one rule (${name})`, t => {
    const router = start();
    const both = {
      operations: [
        {
          kind: OPERATION_BOTH,
          write: (at: number) => {
            puti32(at + 8, address(HOST));
            puti32(at + 12, -1);
            put8(at + 5, 1);
            putu16(at + 24, 7000);
          },
        },
      ],
    };
    const [came, left] = [add(CHAIN_ACCOUNT_IN, both), add(CHAIN_ACCOUNT_OUT, { protocol: UDP })];
    const [via, elsewhere] = [address(LAN_ADDRESS), address(WAN_ADDRESS)].map(where =>
      add(CHAIN_ACCOUNT_IN, {
        in: NAME_LAN,
        operations: [{ kind: OPERATION_VIA, write: (at: number) => puti32(at + 4, where) }],
      }),
    ) as [number, number];
    router.fromHost(query(7000));
    const port = read(router.toWan()[0] as Uint8Array).sourcePort;
    for (let i = 0; i < 3; i++) {
      router.fromGateway(answer(7000, port));
      router.fromHost(query(7000));
    }
    router.fromHost(query(7001));
    // What comes back is for our address while it is counted as input.
    t.deepEqual([came, left, via, elsewhere].map(packets), [4, 8, 5, 0]);
  });

  test.serial(`REDIRECT in input leads what hosts ask elsewhere to a port of the router (${name})`, t => {
    const router = start();
    plane.socketOpen(UDP, 5353, 1);
    const rule = add(CHAIN_OLD_INPUT, {
      in: NAME_LAN,
      protocol: UDP,
      ports: [53, 53],
      target: TARGET_REDIRECT,
      operations: [{ kind: OPERATION_OLD, write: at => putu16(at + 12, 5353) }],
    });
    for (let i = 0; i < 2; i++) {
      router.fromHost(query(53));
      t.like(read(router.punted() as Uint8Array), {
        source: HOST,
        destination: LAN_ADDRESS,
        destinationPort: 5353,
      });
    }
    const datagram = udp({ source: LAN_ADDRESS, destination: HOST }, 5353, 1043, payload(20));
    const packet = plane.allocateForControl();
    build.memory.set(datagram, packet + PACKET_IP);
    puti32(packet + PACKET_LENGTH, datagram.length);
    plane.localSend(packet);
    const [left] = router.toLan();
    t.like(read(left as Uint8Array), { source: SERVER, sourcePort: 53, destination: HOST });
    t.is(faults(left as Uint8Array), '');
    t.is(packets(rule), 2);
  });

  test.serial(`an answer is logged as it came, before the masquerade has had it (${name})`, t => {
    const router = start();
    add(CHAIN_OLD_INPUT, {
      in: NAME_WAN,
      protocol: UDP,
      target: TARGET_ACCEPT,
      operations: [{ kind: OPERATION_DO_LOG, write: at => put8(at + 4, 6) }],
    });
    // Of two hosts that use one port one gets another outside.
    router.put(
      LAN,
      frame(LAN_MAC, OTHER_MAC, udp({ source: OTHER, destination: SERVER }, 1043, 53, payload(10))),
    );
    router.fromHost(query(53));
    const port = read(router.toWan()[1] as Uint8Array).sourcePort;
    t.not(port, 1043);
    router.fromGateway(answer(53, port));
    t.like(read(router.toLan()[0] as Uint8Array), { destination: HOST, destinationPort: 1043 });
    const logged = build.memory.slice(logAt(0) + LOG_DATAGRAM, logAt(0) + LOG_DATAGRAM + 28);
    t.like(read(logged), { source: SERVER, destination: WAN_ADDRESS, sourcePort: 53, destinationPort: port });
  });

  test.serial(`a rule logs, and changes the type of service, beside its target (${name})`, t => {
    const router = start();
    add(CHAIN_OLD_INPUT, {
      protocol: UDP,
      ports: [9, 9],
      target: TARGET_DROP,
      operations: [{ kind: OPERATION_DO_LOG, write: at => put8(at + 4, 6) }],
    });
    add(CHAIN_OLD_OUTPUT, {
      in: NAME_WAN,
      target: TARGET_ACCEPT,
      operations: [
        {
          kind: OPERATION_DO_TOS,
          write: at => {
            put8(at + 4, 0x01);
            put8(at + 5, 0x10);
          },
        },
      ],
    });
    router.fromHost(query(9));
    t.is(router.toWan().length, 0);
    t.is(get8(LOG_WRITTEN_AT), 1);
    t.deepEqual(
      [LOG_LEVEL, LOG_IN, LOG_OUT].map(field => get8(logAt(0) + field)),
      [6, 0, 255],
    );
    router.fromHost(
      tcp({ source: HOST, destination: SERVER, tos: 9 }, { sourcePort: 1, destinationPort: 2, flags: SYN }),
    );
    const [left] = router.toWan();
    t.is((left as Uint8Array)[1], 0x11);
    t.is(faults(left as Uint8Array), '');
  });
}
