import test from 'ava';
import { HOST, HOST_2, Lab, SERVER, SERVER_2, WAN, WAN_2 } from '../../../test/masquerade-lab.ts';
import { address, echo, SYN, tcp, udp } from '../../../test/packets.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_NO_PORT } from '../../base/counters.ts';
import { configureInterface, INTERFACE_OUTSIDE } from '../../base/interface.ts';
import { INTERFACE_WAN } from '../../base/limits.ts';
import { PASS } from '../../base/packet.ts';
import { NAT_PROFILE, PORT_FIRST, PORT_LAST, PROFILE_CLASSIC } from '../../base/parameters.ts';
import { socketOpen } from '../local/sockets.ts';
import { PORT_MAPPED, portNoted } from './port-map.ts';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const lab = new Lab(build);
  const { plane } = build;
  const it = (title: string, body: (t: import('ava').ExecutionContext) => void) =>
    test.serial(`${build.name}: ${title}`, t => {
      lab.reset();
      body(t);
      t.is(plane.masqueradeCheck(), 0);
    });
  const from = (host: number, port: number) =>
    lab.outbound(udp({ source: `192.168.0.${host}`, destination: SERVER }, port, 53));

  it('the inside port is kept where it is free, from 1 to 65535', t => {
    for (const port of [1, 80, 1023, 1024, 5060, 61000, 65095, 65535])
      t.is(from(2, port).read.sourcePort, port);
  });

  it('a taken port: same parity, and the range below or above 1024 is kept (REQ-3a, REQ-4)', t => {
    for (const port of [22, 23, 1022, 1023, 1024, 1025, 65534, 65535]) {
      from(2, port);
      for (let host = 3; host < 20; host++) {
        const chosen = from(host, port).read.sourcePort;
        t.not(chosen, port);
        t.is(chosen & 1, port & 1);
        if (port < 1024) t.true(chosen >= 512 && chosen < 1024);
        else t.true(chosen >= 61000 && chosen <= 65095);
      }
    }
  });

  it('no port has two mappings, and each protocol has ports of its own', t => {
    const seen = new Set<number>();
    for (let host = 2; host < 200; host++) seen.add(from(host, 1043).read.sourcePort);
    t.is(seen.size, 198);
    const syn = tcp(
      { source: HOST_2, destination: SERVER },
      { sourcePort: 1043, destinationPort: 1, flags: SYN },
    );
    t.is(lab.outbound(syn).read.sourcePort, 1043);
    t.is(lab.outbound(echo({ source: HOST_2, destination: SERVER }, 8, 1043)).read.identifier, 1043);
  });

  it("the router's own ports are not handed out", t => {
    socketOpen(17, 1043, 2);
    t.not(from(2, 1043).read.sourcePort, 1043);
    lab.set(PORT_FIRST, 61000);
    lab.set(PORT_LAST, 61002);
    socketOpen(17, 61000, 2);
    from(3, 1042);
    t.is(from(4, 1042).read.sourcePort, 61002);
    const beyond = from(5, 1042).read.sourcePort;
    t.true(beyond >= 1024 && (beyond < 61000 || beyond > 61002), 'the range is used up');
    t.is(beyond & 1, 0);
  });

  it('when all of a parity are taken, one from elsewhere keeps parity (REQ-4) and is above 1023', t => {
    lab.set(PORT_FIRST, 61000);
    lab.set(PORT_LAST, 61009);
    from(2, 2000);
    const chosen = Array.from({ length: 200 }, (_, i) => from(3 + i, 2000).read.sourcePort);
    t.true(chosen.slice(0, 5).every(port => port >= 61000 && port <= 61009));
    t.true(chosen.slice(5).every(port => port >= 1024 && (port < 61000 || port > 61009 || port % 2 === 0)));
    t.true(chosen.every(port => port % 2 === 0));
    t.is(new Set(chosen).size, 200);
    t.is(from(3, 2000).verdict, PASS, 'who has one keeps it');
    t.is(from(20, 2001).read.sourcePort, 2001, 'and a free port is still kept');
  });

  it('one host gets half of the low ports of a parity, the next half of the rest, and nobody the last', t => {
    /** Ports of both parities that a host gets which asks for all even ones. */
    const taken = (host: number) => {
      const held = [0, 0];
      for (let port = 512; port < 1024; port += 2) {
        const chosen = from(host, port).read.sourcePort;
        if (chosen < 1024) held[chosen & 1]!++;
        else t.true(chosen >= 61000 && chosen <= 65095 && chosen % 2 === 0);
      }
      return held;
    };
    t.deepEqual(
      [2, 3, 4, 5].map(host => taken(host)),
      [128, 64, 32, 16].map(ports => [ports, ports]),
    );
    const newcomer = from(9, 700).read.sourcePort;
    t.true(newcomer >= 512 && newcomer < 1024 && newcomer % 2 === 0);
  });

  it('a host over its share of the upper range is served from elsewhere; others keep the range', t => {
    for (let port = 61000; port < 64500; port++) from(2, port);
    let held = 0;
    for (let port = 61000; port <= 65095; port++)
      if (plane.masqueradePortUsed(17, port, address(WAN)) !== 0) held++;
    t.is(held, 2048);
    for (let host = 3; host < 60; host++) {
      for (const port of [62000, 62001]) {
        const chosen = from(host, port).read.sourcePort;
        t.true(chosen >= 61000 && chosen <= 65095);
        t.is(chosen & 1, port & 1);
      }
    }
  });

  it('ports are given back with their mappings', t => {
    for (let round = 0; round < 3; round++) {
      for (let port = 512; port < 1024; port++) t.is(from(2, port).read.sourcePort < 1024, port < 768);
      lab.flush();
    }
  });

  it('a port of two outside addresses is free when both have let it go', t => {
    from(2, 1043);
    configureInterface(INTERFACE_WAN, INTERFACE_OUTSIDE, address(WAN_2), address('255.255.255.0'), 1500);
    t.is(lab.outbound(udp({ source: HOST, destination: SERVER_2 }, 1043, 53)).read.sourcePort, 1043);
    t.is(portNoted(17, 1043, PORT_MAPPED), 1);
    plane.masqueradeForgetAddress(address(WAN));
    lab.clearUp(1);
    t.is(portNoted(17, 1043, PORT_MAPPED), 1);
    plane.masqueradeForgetAddress(address(WAN_2));
    lab.clearUp(0);
    t.is(portNoted(17, 1043, PORT_MAPPED), 0);
  });

  it('port 0 is replaced, for nothing could answer to it', t => {
    const chosen = from(2, 0).read.sourcePort;
    t.true(chosen >= 61000 && chosen <= 65095);
  });

  it('profile classic hands out every port of the range, then none', t => {
    lab.set(NAT_PROFILE, PROFILE_CLASSIC);
    lab.set(PORT_LAST, 61099);
    const seen = new Set<number>();
    for (let i = 0; i < 100; i++) seen.add(from(2, 1000 + i).read.sourcePort);
    t.is(seen.size, 100);
    t.is(Math.min(...seen), 61000);
    t.is(Math.max(...seen), 61099);
    t.is(from(2, 2000).verdict, DROP_NO_PORT);
  });

  it('drawn ports cannot be guessed from those before (RFC 6056)', t => {
    lab.set(NAT_PROFILE, PROFILE_CLASSIC);
    const ports = Array.from({ length: 400 }, (_, i) => from(2, 1000 + i).read.sourcePort);
    const steps = ports.slice(1).map((port, i) => port - (ports[i] as number));
    const rising = steps.filter(step => step > 0).length;
    t.true(rising > 150 && rising < 250, `${rising} of 399 steps rise`);
    t.true(steps.filter(step => Math.abs(step) <= 2).length < 10);
    lab.reset();
    plane.stirEntropy(12345);
    lab.set(NAT_PROFILE, PROFILE_CLASSIC);
    const others = Array.from({ length: 400 }, (_, i) => from(2, 1000 + i).read.sourcePort);
    t.true(others.filter((port, i) => port === ports[i]).length < 5, 'another boot, other ports');
  });
}
