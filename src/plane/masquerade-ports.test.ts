import test from 'ava';
import { javascriptBuild, wasmBuild } from '../../test/builds.ts';
import { HOST, HOST_2, Lab, SERVER } from '../../test/masquerade-lab.ts';
import { echo, SYN, tcp, udp } from '../../test/packets.ts';
import { DROP_NO_PORT } from './counters.ts';
import { PASS } from './packet.ts';
import { NAT_PROFILE, PORT_FIRST, PORT_LAST, PROFILE_CLASSIC } from './parameters.ts';
import { socketOpen } from './sockets.ts';

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
    t.is(from(5, 1042).read.sourcePort, 61001, 'parity may go');
    t.is(from(6, 1042).verdict, DROP_NO_PORT);
  });

  it('when all of a parity are taken the other serves, then none (DROP_NO_PORT)', t => {
    lab.set(PORT_FIRST, 61000);
    lab.set(PORT_LAST, 61009);
    from(2, 2000);
    const chosen = Array.from({ length: 10 }, (_, i) => from(3 + i, 2000).read.sourcePort);
    t.true(chosen.slice(0, 5).every(port => port % 2 === 0));
    t.true(chosen.slice(5).every(port => port % 2 === 1));
    t.is(new Set(chosen).size, 10);
    const before = plane.masqueradeCount();
    t.is(from(20, 2000).verdict, DROP_NO_PORT);
    t.is(plane.masqueradeCount(), before);
    t.is(from(3, 2000).verdict, PASS, 'who has one keeps it');
    t.is(from(20, 2001).verdict, PASS, 'and a free port is still kept');
    const other = tcp(
      { source: HOST, destination: SERVER },
      { sourcePort: 9, destinationPort: 1, flags: SYN },
    );
    t.is(lab.outbound(other).verdict, PASS, 'other protocols have their own');
  });

  it('when all low ports are taken an upper one serves', t => {
    for (let port = 512; port < 1023; port++) from(2, port);
    t.is(from(3, 600).read.sourcePort, 1023, 'the last, though its parity is the other');
    for (const port of [600, 601]) {
      const chosen = from(4, port).read.sourcePort;
      t.true(chosen >= 61000 && chosen <= 65095);
      t.is(chosen & 1, port & 1);
    }
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
