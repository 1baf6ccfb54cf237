import test from 'ava';
import { HOST, HOST_2, Lab, SERVER, SERVER_2, WAN, WAN_2 } from '../../../test/masquerade-lab.ts';
import {
  concat,
  echo,
  faults,
  get16,
  icmp,
  icmpError,
  internetChecksum,
  ipv4,
  payload,
  put16,
  read,
  SYN,
  sealIp,
  tcp,
  udp,
} from '../../../test/packets.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import {
  DROP_ICMP_CHECKSUM,
  DROP_ICMP_MALFORMED,
  DROP_ICMP_TYPE,
  DROP_ICMP_UNMATCHED,
} from '../../base/counters.ts';
import { E_EXPIRES, entryAt } from '../../base/flow-record.ts';
import { i32at } from '../../base/memory.ts';
import { LOCAL, PASS } from '../../base/packet.ts';
import { FILTER_ENDPOINT, NAT_FILTER, NAT_PROFILE, PROFILE_CLASSIC } from '../../base/parameters.ts';
import { socketOpen } from '../local/sockets.ts';

const ROUTER = '203.0.113.254';
const INSIDE_ROUTER = '192.168.0.77';
const out = { source: HOST, destination: SERVER };
const back = { source: SERVER, destination: WAN };
const error = { source: ROUTER, destination: WAN };

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const lab = new Lab(build);
  const { plane } = build;
  const it = (title: string, body: (t: import('ava').ExecutionContext) => void) =>
    test.serial(`${build.name}: ${title}`, t => {
      lab.reset();
      body(t);
      t.is(plane.masqueradeCheck(), 0);
    });

  /** What the inside sends, of each protocol; another host has the port already, so it is translated. */
  const kinds: Record<
    string,
    (ip: { source: string; destination: string }, options?: number[]) => Uint8Array
  > = {
    TCP: (ip, options = []) =>
      tcp({ ...ip, options }, { sourcePort: 1043, destinationPort: 80, flags: SYN }, payload(30)),
    UDP: (ip, options = []) => udp({ ...ip, options }, 1043, 53, payload(30)),
    'UDP without a checksum': (ip, options = []) => udp({ ...ip, options }, 1043, 53, payload(30), 0),
    ICMP: (ip, options = []) => echo({ ...ip, options }, 8, 1043),
    GRE: (ip, options = []) => ipv4({ ...ip, options }, 47, payload(30)),
  };

  for (const [kind, make] of Object.entries(kinds)) {
    for (const profile of [0, PROFILE_CLASSIC]) {
      it(`inbound, about ${kind}, profile ${profile}: the quote is as it was sent`, t => {
        lab.set(NAT_PROFILE, profile);
        lab.outbound(make({ source: HOST_2, destination: SERVER_2 }));
        for (const options of [[], [7, 7, 4, 0, 0, 0, 0, 0], new Array<number>(40).fill(1)]) {
          const original = make(out, options);
          const sent = lab.outbound(original);
          t.is(sent.verdict, PASS);
          for (const [type, code, rest] of [
            [3, 1, 0],
            [3, 4, 1400],
            [11, 0, 0],
            [12, 0, 0x08000000],
          ] as const) {
            const result = lab.inbound(icmpError(error, type, code, sent.bytes, rest));
            t.is(result.verdict, PASS);
            t.is(faults(result.bytes), '');
            t.is(result.read.source, ROUTER);
            t.is(result.read.destination, HOST);
            t.is(result.read.type, type);
            t.is(result.read.code, code);
            t.is(result.read.rest, rest);
            t.deepEqual(result.read.data, original);
          }
        }
      });

      it(`inbound, about ${kind}, profile ${profile}: the quote cut at every length`, t => {
        lab.set(NAT_PROFILE, profile);
        lab.outbound(make({ source: HOST_2, destination: SERVER_2 }));
        const original = make(out);
        const sent = lab.outbound(original).bytes;
        for (let length = 0; length <= sent.length; length++) {
          const result = lab.inbound(icmpError(error, 11, 0, sent, 0, length));
          t.is(result.verdict, length < 28 ? DROP_ICMP_MALFORMED : PASS, `${length} bytes quoted`);
          if (length < 28) continue;
          const expected = original.slice(0, length);
          // Half a checksum cannot be corrected.
          const sumAt = { TCP: 36, UDP: 26 }[kind] ?? 0;
          if (sumAt !== 0 && length === sumAt + 1) {
            expected[sumAt] = result.read.data[sumAt] as number;
          }
          t.deepEqual(result.read.data, expected, `${length} bytes quoted`);
          t.is(internetChecksum(result.bytes.subarray(20)), 0);
        }
      });
    }

    it(`outbound, about ${kind}: the quote is as the sender sent it, the source is ours`, t => {
      lab.set(NAT_FILTER, FILTER_ENDPOINT);
      lab.outbound(make({ source: HOST_2, destination: SERVER_2 }));
      const sent = lab.outbound(make(out));
      const answers: Record<string, () => Uint8Array> = {
        TCP: () => tcp(back, { sourcePort: 80, destinationPort: sent.read.sourcePort, flags: 18 }),
        UDP: () => udp(back, 53, sent.read.sourcePort),
        'UDP without a checksum': () => udp(back, 53, sent.read.sourcePort, payload(9), 0),
        ICMP: () => echo(back, 0, sent.read.identifier),
        GRE: () => ipv4(back, 47, payload(30)),
      };
      const original = (answers[kind] as () => Uint8Array)();
      const came = lab.inbound(original);
      t.is(came.verdict, PASS);
      for (const source of [HOST, INSIDE_ROUTER]) {
        const result = lab.outbound(icmpError({ source, destination: SERVER }, 3, 3, came.bytes));
        t.is(result.verdict, PASS);
        t.is(faults(result.bytes), '');
        t.is(result.read.source, WAN);
        t.is(result.read.destination, SERVER);
        t.deepEqual(result.read.data, original);
      }
    });
  }

  it('a hairpinned error (REQ-7): the quote is as the sender sent it', t => {
    lab.set(NAT_FILTER, FILTER_ENDPOINT);
    lab.outbound(udp({ source: HOST_2, destination: SERVER }, 7000, 53));
    const original = udp({ source: HOST, destination: WAN }, 7000, 7000, payload(40));
    const turned = lab.hairpin(original);
    t.is(turned.read.destination, HOST_2);
    const result = lab.hairpin(icmpError({ source: HOST_2, destination: WAN }, 3, 3, turned.bytes));
    t.is(result.verdict, PASS);
    t.is(faults(result.bytes), '');
    t.is(result.read.source, WAN);
    t.is(result.read.destination, HOST);
    t.deepEqual(result.read.data, original);
  });

  it('checksums: a wrong outer one drops (REQ-3), a wrong quoted one does not (against REQ-3a)', t => {
    const sent = lab.outbound(udp(out, 1043, 53)).bytes;
    t.is(lab.inbound(icmp(error, 3, 3, 0, sent, 0x1234)).verdict, DROP_ICMP_CHECKSUM);
    for (let at = 0; at < 20; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const bad = sent.slice();
        bad[at] = (bad[at] as number) ^ (1 << bit);
        const { verdict } = lab.inbound(icmpError(error, 3, 3, bad));
        const isName = at === 9 || at >= 12 || (at === 6 && bit < 5) || at === 7;
        const isShape = at === 0;
        const wanted = isShape
          ? [DROP_ICMP_MALFORMED, DROP_ICMP_UNMATCHED]
          : isName
            ? [DROP_ICMP_UNMATCHED]
            : [PASS];
        t.true(wanted.includes(verdict), `bit ${bit} of byte ${at}: ${verdict}`);
      }
    }
    const bad = sent.slice();
    put16(bad, 26, get16(bad, 26) ^ 0x5555);
    t.is(lab.inbound(icmpError(error, 3, 3, bad)).verdict, PASS);
  });

  it('a router that has decremented the TTL and not the sum is heard: path MTU discovery', t => {
    const sent = lab.outbound(udp({ ...out, dontFragment: true, ttl: 9 }, 1043, 53)).bytes;
    const stale = sent.slice(0, 28);
    stale[8] = 1;
    const wrong = internetChecksum(stale.subarray(0, 20));
    const result = lab.inbound(icmpError({ ...error, source: '198.51.100.77' }, 3, 4, stale, 1400));
    t.is(result.verdict, PASS);
    t.like(result.read, { source: '198.51.100.77', destination: HOST, type: 3, code: 4, rest: 1400 });
    t.is(faults(result.bytes, false), '');
    // The quote names the inside host, and its sum is as stale as it was.
    t.like(read(result.read.data), { source: HOST, destination: SERVER, sourcePort: 1043 });
    t.is(internetChecksum(result.read.data.subarray(0, 20)), wrong);
  });

  it('only errors that hosts need pass', t => {
    const sent = lab.outbound(udp(out, 1043, 53)).bytes;
    for (const type of [4, 5]) t.is(lab.inbound(icmpError(error, type, 0, sent)).verdict, DROP_ICMP_TYPE);
  });

  it('an error about an unknown session drops, one about our own packet is for us', t => {
    const sent = lab.outbound(udp(out, 1043, 53)).bytes;
    const ours = udp({ source: WAN, destination: SERVER }, 2000, 53);
    t.is(lab.inbound(icmpError(error, 3, 3, ours)).verdict, DROP_ICMP_UNMATCHED);
    socketOpen(17, 2000, 2);
    t.is(lab.inbound(icmpError(error, 3, 3, ours)).verdict, LOCAL);
    const elsewhere = udp({ source: WAN, destination: SERVER_2 }, 1043, 53);
    t.is(lab.inbound(icmpError(error, 3, 3, elsewhere)).verdict, DROP_ICMP_UNMATCHED);
    const other = sent.slice();
    other[12] = 11;
    t.is(lab.inbound(icmpError(error, 3, 3, sealIp(other))).verdict, DROP_ICMP_UNMATCHED);
    const wrongWay = icmpError({ source: ROUTER, destination: WAN_2 }, 3, 3, sent);
    t.is(lab.inbound(wrongWay).verdict, DROP_ICMP_UNMATCHED, 'it came to an address that did not send this');
    const fragment = sent.slice();
    put16(fragment, 6, 8);
    t.is(lab.inbound(icmpError(error, 3, 3, sealIp(fragment))).verdict, DROP_ICMP_UNMATCHED);
    const stranger = udp({ source: SERVER_2, destination: HOST }, 53, 1043);
    t.is(
      lab.outbound(icmpError({ source: HOST, destination: SERVER_2 }, 3, 3, stranger)).verdict,
      DROP_ICMP_UNMATCHED,
    );
  });

  it('an error neither refreshes nor ends a session (REQ-6)', t => {
    const sent = lab.outbound(udp(out, 1043, 53)).bytes;
    const expires = i32at(entryAt(1) + E_EXPIRES);
    lab.ticks(50);
    lab.inbound(icmpError(error, 3, 3, sent));
    lab.outbound(
      icmpError(
        { source: HOST, destination: SERVER },
        3,
        3,
        udp({ source: SERVER, destination: HOST }, 53, 1043),
      ),
    );
    t.is(i32at(entryAt(1) + E_EXPIRES), expires);
    t.is(plane.masqueradeCount(), 1);
  });

  it('a fragmented error drops: it cannot be verified', t => {
    const sent = lab.outbound(udp(out, 1043, 53)).bytes;
    const first = icmpError(error, 3, 3, sent);
    put16(first, 6, 0x2000);
    t.is(lab.inbound(sealIp(first)).verdict, DROP_ICMP_MALFORMED);
  });

  it('a quoted UDP sum that comes out as 0 becomes 0xffff', t => {
    lab.outbound(udp({ source: HOST_2, destination: SERVER }, 1043, 53));
    for (let n = 0; n < 0x10000; n++) {
      const original = udp(out, 1043, 53, Uint8Array.of(n >> 8, n & 255));
      if (get16(original, 26) !== 0xffff) continue;
      const result = lab.inbound(icmpError(error, 3, 3, lab.outbound(original).bytes));
      t.deepEqual(result.read.data, original);
      return;
    }
    t.fail('no such data');
  });

  it("RFC 4884's extensions behind the quote stay (REQ-3d)", t => {
    const original = udp(out, 1043, 53, payload(200));
    lab.outbound(udp({ source: HOST_2, destination: SERVER }, 1043, 53));
    const sent = lab.outbound(original).bytes;
    const extension = payload(16, 99);
    const message = concat(sent.subarray(0, 128), extension);
    const result = lab.inbound(icmp(error, 11, 0, 32 << 16, message));
    t.is(result.verdict, PASS);
    t.is(result.read.rest, 32 << 16);
    t.deepEqual(result.read.data.slice(0, 128), original.slice(0, 128));
    t.deepEqual(result.read.data.slice(128), extension);
    t.is(internetChecksum(result.bytes.subarray(20)), 0);
    t.is(read(result.read.data).sourcePort, 1043);
  });
}
