import test from 'ava';
import fc from 'fast-check';
import { Lab } from '../../../test/masquerade-lab.ts';
import { addressText, echo, icmpError, ipv4, payload, tcp, udp } from '../../../test/packets.ts';
import { type Build, javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { COUNTS_BYTES, E_COUNTS, E_TUPLE_NEXT, entryAt } from '../../base/flow-record.ts';
import { configureInterface, INTERFACE_OUTSIDE } from '../../base/interface.ts';
import {
  INTERFACE_WAN,
  MASQUERADE_AT,
  MASQUERADE_BUCKETS,
  MASQUERADE_BYTES,
  MASQUERADE_CHAIN_LIMIT,
  MASQUERADE_COUNT,
  TUPLE_BUCKETS,
  TUPLE_HEADS_AT,
} from '../../base/limits.ts';
import { u16at } from '../../base/memory.ts';
import { NAT_FILTER, NAT_PROFILE, PORT_FIRST, PORT_LAST } from '../../base/parameters.ts';
import { hash, numberOf } from './flow-table.ts';

const javascript = javascriptBuild();
const wasm = await wasmBuild();

type Step = [kind: number, host: number, port: number, remote: number, remotePort: number, more: number];

/** A small world, so that steps meet: few hosts, ports and servers. */
const step: fc.Arbitrary<Step> = fc.tuple(
  fc.integer({ min: 0, max: 23 }),
  fc.integer({ min: 2, max: 5 }),
  fc.integer({ min: 1000, max: 1003 }),
  fc.integer({ min: 0, max: 2 }),
  fc.integer({ min: 80, max: 83 }),
  fc.integer({ min: 0, max: 0x3f }),
);

function play(lab: Lab, [kind, hostByte, port, server, remotePort, more]: Step): number {
  const { plane } = lab.build;
  const host = `192.168.0.${hostByte}`;
  const wan = (more & 32) !== 0 ? '10.1.2.4' : '10.1.2.3';
  const remote = `198.51.100.${server + 1}`;
  const out = { source: host, destination: remote };
  const back = { source: remote, destination: wan };
  const segment = { sourcePort: port, destinationPort: remotePort, flags: more };
  const reply = { sourcePort: remotePort, destinationPort: port, flags: more };
  if (kind < 5) return lab.outbound(udp(out, port, remotePort)).verdict;
  if (kind < 8) return lab.outbound(tcp(out, segment, payload(more & 1))).verdict;
  if (kind < 10) return lab.outbound(echo(out, 8, port)).verdict;
  if (kind === 10) return lab.outbound(ipv4(out, 47, payload(8))).verdict;
  if (kind < 13) return lab.inbound(udp(back, remotePort, port)).verdict;
  if (kind < 16) return lab.inbound(tcp(back, reply, payload(more & 1))).verdict;
  if (kind === 16) return lab.inbound(echo(back, 0, port)).verdict;
  if (kind === 17)
    return lab.hairpin(udp({ source: host, destination: wan }, port, 1000 + (more & 3))).verdict;
  if (kind === 18)
    return lab.hairpin(
      tcp({ source: host, destination: wan }, { ...segment, destinationPort: 1000 + server }),
    ).verdict;
  if (kind === 19) {
    const quoted = udp({ source: wan, destination: remote }, port, remotePort);
    return lab.inbound(icmpError(back, 3, 3, quoted)).verdict;
  }
  if (kind === 20) lab.seconds(more < 48 ? more : 300);
  else if (kind === 21) lab.set(more & 1 ? NAT_PROFILE : NAT_FILTER, (more >> 1) % (more & 1 ? 2 : 3));
  else if (kind === 22 && more < 6) plane.masqueradeForgetAddress((10 << 24) | 0x010203);
  else if (kind === 22) {
    configureInterface(INTERFACE_WAN, INTERFACE_OUTSIDE, (10 << 24) | (0x010203 + (more & 1)), -256, 1500);
  } else if (more < 3) plane.masqueradeFlush();
  return 0;
}

test.serial('after any sequence of steps the table is consistent, and both builds hold the same bytes', t => {
  const labs = [new Lab(javascript), new Lab(wasm)];
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 150, size: 'max' }), steps => {
      const verdicts = labs.map((lab: Lab) => {
        lab.reset();
        // Few ports, so that they run out.
        lab.set(PORT_FIRST, 1001);
        lab.set(PORT_LAST, 1006);
        return steps.map(one => {
          const verdict = play(lab, one);
          const code = lab.build.plane.masqueradeCheck();
          if (code !== 0) throw new Error(`inconsistent: ${code} after ${one}`);
          return verdict;
        });
      });
      t.deepEqual(verdicts[0], verdicts[1] as number[]);
      if (Buffer.compare(memoryOf(javascript), memoryOf(wasm)) !== 0) throw new Error('memories differ');
    }),
    { numRuns: 60, seed: 7 },
  );
});

test.serial('a table that is full for long stays consistent in both builds', t => {
  const random = generator(99);
  const steps = Array.from({ length: 12_000 }, () => {
    const host = `192.168.${random(3)}.${1 + random(250)}`;
    const remote = addressText((11 << 24) | random(0xffff));
    return [random(10), host, 1024 + random(2000), remote, 1 + random(3)] as const;
  });
  const verdicts = [javascript, wasm].map(build => {
    const lab = new Lab(build);
    lab.verify = false;
    return steps.map(([kind, host, port, remote, remotePort], i) => {
      if (i % 100 === 0) lab.ticks(20);
      const out = { source: host, destination: remote };
      const back = { source: remote, destination: '10.1.2.3' };
      if (kind < 5) {
        const sent = lab.outbound(udp(out, port, remotePort));
        if (sent.verdict === 0 && kind < 3) lab.inbound(udp(back, remotePort, sent.read.sourcePort));
        return sent.verdict;
      }
      const sent = lab.outbound(tcp(out, { sourcePort: port, destinationPort: remotePort, flags: 2 }));
      if (sent.verdict !== 0 || kind < 7) return sent.verdict;
      const mapped = sent.read.sourcePort;
      lab.inbound(tcp(back, { sourcePort: remotePort, destinationPort: mapped, flags: 18 }));
      if (kind === 9) lab.inbound(tcp(back, { sourcePort: remotePort, destinationPort: mapped, flags: 4 }));
      return lab.outbound(tcp(out, { sourcePort: port, destinationPort: remotePort, flags: 16 })).verdict;
    });
  });
  t.deepEqual(verdicts[0], verdicts[1] as number[]);
  t.is(Buffer.compare(memoryOf(javascript), memoryOf(wasm)), 0);
  for (const build of [javascript, wasm]) {
    build.use();
    t.is(build.plane.masqueradeCheck(), 0);
    t.true(build.plane.masqueradeCount() > MASQUERADE_COUNT - 300);
  }
});

test.serial('chains stay short, whatever pattern the addresses have', t => {
  const lab = new Lab(javascript);
  lab.verify = false;
  const patterns: Record<string, (i: number) => [string, number, string, number]> = {
    'ports in sequence': i => ['192.168.0.2', 1024 + i, '1.2.3.4', 80],
    'ports 16 apart': i => ['192.168.0.2', (1 + i * 16) & 0xffff, '1.2.3.4', 80 + (i >> 12)],
    'a scan of ports': i => ['192.168.0.2', 1024, '1.2.3.4', 1 + i],
    'a scan of addresses': i => ['192.168.0.2', 1024, addressText((11 << 24) + i), 80],
    'addresses 4,096 apart': i => ['192.168.0.2', 1024, addressText((11 << 24) + i * 4096), 80],
    'address and port that cancel out': i => ['192.168.0.2', 1024, addressText((11 << 24) + i), 60000 - i],
  };
  for (const [name, pattern] of Object.entries(patterns)) {
    lab.reset();
    for (let i = 0; i < 3800; i++) {
      const [source, port, destination, remotePort] = pattern(i);
      lab.outbound(udp({ source, destination }, port, remotePort));
    }
    t.true(lab.build.plane.masqueradeCount() > 3000, name);
    let longest = 0;
    for (let i = 0; i < TUPLE_BUCKETS; i++) {
      let length = 0;
      let node = u16at(TUPLE_HEADS_AT + 2 * i);
      for (; node !== 0; node = u16at(entryAt(node >> 1) + E_TUPLE_NEXT + 2 * (node & 1))) length++;
      longest = Math.max(longest, length);
    }
    t.true(longest <= 12, `${name}: ${longest} in a chain`);
  }
});

test.serial('the keys change when the table is empty, and with the entropy', t => {
  const lab = new Lab(javascript);
  const hashes = () => {
    lab.outbound(udp({ source: '192.168.0.2', destination: '1.2.3.4' }, 1, 2));
    const all = Array.from({ length: 20 }, (_, i) => hash(i, i, i, 17));
    lab.flush();
    return all;
  };
  const first = hashes();
  t.notDeepEqual(hashes(), first);
  lab.reset();
  t.deepEqual(hashes(), first, 'the same samples, the same keys');
  lab.reset();
  lab.build.plane.stirEntropy(1);
  t.notDeepEqual(hashes(), first);
  t.true(first.every(bucket => bucket >= 0 && bucket < MASQUERADE_BUCKETS));
});

test.serial(
  'the hash: every bit of a session chooses a chain, and no row of them crowds one, with any keys',
  t => {
    const lab = new Lab(javascript);
    const rows: Record<string, (i: number) => [local: number, remote: number, ports: number]> = {
      'hosts of a wide LAN': i => [0x0a000000 + i * 65536, 0x01020304, (1024 << 16) | 80],
      'hosts in sequence': i => [0x0a000000 + i, 0x01020304, (1024 << 16) | 80],
      'remote hosts': i => [0x0a000001, 0x01020304 + i * 256, (1024 << 16) | 80],
      'remote networks': i => [0x0a000001, i << 20, (1024 << 16) | 80],
      'inside ports': i => [0x0a000001, 0x01020304, (i << 16) | 80],
      'remote ports': i => [0x0a000001, 0x01020304, (1024 << 16) | (16 * i) | (i >> 12)],
      'both ports': i => [0x0a000001, 0x01020304, (i << 16) | i],
      'sums that stay': i => [0x0a000001 + i, 0x01020304 - i, (1024 << 16) | 80],
    };
    const crowds: string[] = [];
    for (let keys = 0; keys < 60; keys++) {
      lab.outbound(udp({ source: '192.168.0.2', destination: '1.2.3.4' }, 1, 2));
      for (const [name, row] of Object.entries(rows)) {
        const chains = new Uint16Array(MASQUERADE_BUCKETS);
        for (let i = 0; i < MASQUERADE_COUNT; i++) {
          const [local, remote, ports] = row(i);
          chains[hash(local | 0, remote | 0, ports | 0, 17)]!++;
        }
        const longest = Math.max(...chains);
        // Chance alone makes 8 or 9 of as many sessions as chains.
        if (longest > MASQUERADE_CHAIN_LIMIT / 2) crowds.push(`${name}: ${longest}`);
      }
      lab.flush();
    }
    t.log(crowds.join(', '));
    t.true(crowds.length <= 2, crowds.join(', '));
    t.not(hash(0x0a000001, 1, 1, 17), hash(0x0b000001, 1, 1, 17));
  },
);

test('an entry is 96 bytes, named by address or by number', t => {
  t.is(MASQUERADE_BYTES, 96);
  t.is(E_COUNTS + 2 * COUNTS_BYTES, MASQUERADE_BYTES);
  t.is(MASQUERADE_BUCKETS, 1 << (32 - 20), 'the hash takes the top bits');
  t.is(TUPLE_BUCKETS, 1 << (32 - 19));
  t.is(entryAt(1), MASQUERADE_AT);
  for (const n of [1, 2, MASQUERADE_COUNT]) t.is(numberOf(entryAt(n)), n);
});

function memoryOf(build: Build): Uint8Array {
  return build.memory;
}

/** A small generator with a seed: numbers below n. */
function generator(seed: number): (n: number) => number {
  let state = seed;
  return n => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) % n;
  };
}
