import test from 'ava';
import { ACK, faults, get16, mssOption, payload, SYN, tcp } from '../../../test/packets.ts';
import { HOST, SERVER, startRouter, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { addRule, countsOf, startRules } from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { COUNT_MSS_CLAMPED } from '../../base/counters.ts';
import { MSS_CLAMP } from '../../base/parameters.ts';
import { CHAIN_MANGLE_FORWARD, TARGET_TCPMSS } from '../../base/rule-record.ts';

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

  /** A SYN with these options and data, sent on under a rule that sets the size, by links of so many bytes. */
  const ruled = (size: number, options: number[], data = 0, wanMtu = 1500) => {
    const router = startRouter(build, { wanMtu });
    startRules(build.plane);
    const after = { protocol: 6, tcp: [SYN, SYN] as [number, number] };
    addRule(build.plane, CHAIN_MANGLE_FORWARD, { ...after, target: TARGET_TCPMSS, value: size });
    const counted = addRule(build.plane, CHAIN_MANGLE_FORWARD, after);
    router.fromHost(tcp(OUT, { ...PORTS, flags: SYN, options }, payload(data)));
    const out = router.toWan()[0] as Uint8Array;
    t0 = countsOf(build.plane, { rule: counted });
    return { fault: faults(out), options: [...out.slice(40)], bytes: out.length };
  };
  let t0: [number, number] = [0, 0];

  test.serial(
    `a rule gives a SYN the option that has none, and then counts what it is by now (${name})`,
    t => {
      const others = [1, 3, 3, 2, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 1];
      for (const options of [[], [1, 1, 1, 1], others, Array(36).fill(1)]) {
        t.deepEqual(ruled(1400, options), {
          fault: '',
          options: [...mssOption(536), ...options],
          bytes: 44 + options.length,
        });
        t.deepEqual(t0, [1, 44 + options.length]);
      }
      t.deepEqual(ruled(400, []).options, mssOption(400));
      t.deepEqual(ruled(0, []).options, mssOption(536));
      t.deepEqual(ruled(0, [], 0, 100).options, mssOption(60));
      t.deepEqual(ruled(1400, mssOption(1460)).options, mssOption(1400));
      t.deepEqual(ruled(1400, mssOption(1000)).options, mssOption(1000));
    },
  );

  test.serial(`a SYN with data, with a full header, or that fills the link stays as it is (${name})`, t => {
    t.is(ruled(1400, [], 1).bytes, 41);
    const full = Array(40).fill(1);
    t.deepEqual(ruled(1400, full), { fault: '', options: full, bytes: 80 });
    const most = Array(28).fill(1);
    t.is(ruled(1400, most, 0, 68).bytes, 68);
    t.is(ruled(1400, most, 0, 72).bytes, 72);
    t.is(ruled(1400, most, 0, 71).bytes, 68);
  });

  test.serial(`the parameter turns clamping off (${name})`, t => {
    const router = startRouter(build, { wanMtu: 1400 });
    router.plane.setParameter(MSS_CLAMP, 0);
    router.fromHost(tcp(OUT, { ...PORTS, flags: SYN, options: mssOption(1460) }));
    t.is(get16(router.toWan()[0] as Uint8Array, 42), 1460);
  });
}
