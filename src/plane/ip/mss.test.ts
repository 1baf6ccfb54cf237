import test from 'ava';
import { ACK, faults, get16, mssOption, SYN, tcp } from '../../../test/packets.ts';
import { HOST, SERVER, startRouter, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { COUNT_MSS_CLAMPED } from '../../base/counters.ts';
import { MSS_CLAMP } from '../../base/parameters.ts';

const OUT = { source: HOST, destination: SERVER };
const PORTS = { sourcePort: 1043, destinationPort: 80 };

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name } = build;

  /** The options of a SYN with these ones, after it went through a router with an MTU of 1400 outside. */
  const through = (options: number[], flags = SYN) => {
    const router = startRouter(build, { wanMtu: 1400 });
    if ((flags & SYN) === 0) {
      router.fromHost(tcp(OUT, { ...PORTS, flags: SYN }));
      router.toWan();
    }
    router.fromHost(tcp(OUT, { ...PORTS, flags, options }));
    const out = router.toWan()[0] as Uint8Array;
    return { fault: faults(out), options: [...out.slice(40)], clamped: router.counter(COUNT_MSS_CLAMPED) };
  };

  test.serial(`a larger MSS becomes the MTU minus 40, at even and odd places (${name})`, t => {
    for (const before of [[], [1], [1, 1], [1, 1, 1], [3, 3, 7], [8, 10, 1, 2, 3, 4, 5, 6, 7, 8]]) {
      const pad = Array(3 - ((before.length + 3) % 4)).fill(0);
      const result = through([...before, ...mssOption(1460), ...pad]);
      t.is(result.fault, '');
      t.deepEqual(result.options, [...before, ...mssOption(1360), ...pad]);
      t.is(result.clamped, 1);
    }
  });

  test.serial(`an MSS that fits stays, and so does a segment without SYN (${name})`, t => {
    for (const mss of [0, 536, 1360]) t.deepEqual(through(mssOption(mss)).options, mssOption(mss));
    t.deepEqual(through(mssOption(1361)).options, mssOption(1360));
    t.deepEqual(through(mssOption(65535)).options, mssOption(1360));
    t.deepEqual(through(mssOption(1460), ACK).options, mssOption(1460));
  });

  test.serial(`options that lie end the search (${name})`, t => {
    const lies = [
      [5, 0, 2, 4, 5, 180, 0, 0],
      [5, 1, 2, 4, 5, 180, 0, 0],
      [5, 99, 2, 4, 5, 180, 0, 0],
      [0, 0, 2, 4, 5, 180, 0, 0],
      [1, 1, 1, 2],
      [1, 2, 4, 5],
      [2, 3, 5, 1],
      [1, 1, 1, 1, 2, 6, 255, 255],
    ];
    for (const lie of lies) {
      const result = through(lie);
      t.deepEqual(result.options, lie);
      t.is(result.fault, '');
      t.is(result.clamped, 0);
    }
  });

  test.serial(`a SYN-ACK from outside is clamped to the smaller MTU of the two (${name})`, t => {
    const router = startRouter(build, { wanMtu: 1400 });
    router.fromHost(tcp(OUT, { ...PORTS, flags: SYN, sequence: 9 }));
    router.toWan();
    const answer = { sourcePort: 80, destinationPort: 1043, flags: SYN | ACK, acknowledgment: 10 };
    router.fromGateway(
      tcp({ source: SERVER, destination: WAN_ADDRESS }, { ...answer, options: mssOption(1460) }),
    );
    const received = router.toLan()[0] as Uint8Array;
    t.is(faults(received), '');
    t.is(get16(received, 42), 1360);
  });

  test.serial(`the parameter turns clamping off (${name})`, t => {
    const router = startRouter(build, { wanMtu: 1400 });
    router.plane.setParameter(MSS_CLAMP, 0);
    router.fromHost(tcp(OUT, { ...PORTS, flags: SYN, options: mssOption(1460) }));
    t.is(get16(router.toWan()[0] as Uint8Array, 42), 1460);
  });
}
