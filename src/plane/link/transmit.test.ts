import test from 'ava';
import { concat, faults, fragments, payload, read, reassemble, udp } from '../../../test/packets.ts';
import { HOST, SERVER, startRouter, WAN, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { COUNT_FRAGMENTED, DROP_TRANSMIT_FULL } from '../../base/counters.ts';
import { IF_QUEUE_LENGTH, IF_TX_DROPPED } from '../../base/interface.ts';
import { TRANSMIT_QUEUE_LIMIT } from '../../base/limits.ts';

const OUT = { source: HOST, destination: SERVER };

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name } = build;

  test.serial(
    `a busy card's queue holds ${TRANSMIT_QUEUE_LIMIT} frames, then drops, and drains in order (${name})`,
    t => {
      const router = startRouter(build);
      // The ring card itself takes as many before it says that it is busy.
      const taken = TRANSMIT_QUEUE_LIMIT + TRANSMIT_QUEUE_LIMIT;
      for (let i = 0; i < taken + 7; i++) router.fromHost(udp(OUT, 2000 + i, 53));
      t.is(router.interfaceField(WAN, IF_QUEUE_LENGTH), TRANSMIT_QUEUE_LIMIT);
      t.is(router.counter(DROP_TRANSMIT_FULL), 7);
      t.is(router.interfaceField(WAN, IF_TX_DROPPED), 7);
      t.deepEqual(
        router.toWan().map(bytes => read(bytes).sourcePort),
        Array.from({ length: taken }, (_, i) => 2000 + i),
      );
      t.is(router.held(), 0);
    },
  );

  test.serial(`a datagram too long for the link leaves in fragments, in order (${name})`, t => {
    for (const wanMtu of [1499, 1492, 576, 68]) {
      const router = startRouter(build, { wanMtu });
      const data = payload(1472);
      router.fromHost(udp(OUT, 1043, 53, data));
      const parts = router.toWan();
      const room = (wanMtu - 20) & ~7;
      t.is(parts.length, Math.ceil(1480 / room));
      let offset = 0;
      for (const part of parts) {
        t.is(faults(part), '');
        t.true(part.length <= wanMtu);
        t.is(read(part).fragmentOffset, offset);
        offset += part.length - 20;
      }
      const whole = reassemble(parts);
      t.is(faults(whole), '');
      t.like(read(whole), { source: WAN_ADDRESS, sourcePort: 1043, ttl: 63 });
      t.deepEqual(read(whole).data, data);
      t.is(router.counter(COUNT_FRAGMENTED), parts.length - 1);
      t.is(router.held(), 0);
    }
  });

  test.serial(`a fragment that is too long is cut again, and keeps its place (${name})`, t => {
    const router = startRouter(build, { wanMtu: 576 });
    for (const part of fragments(udp(OUT, 1043, 53, payload(4000)), 1480)) router.fromHost(part);
    const whole = reassemble(router.toWan());
    t.is(faults(whole), '');
    t.deepEqual(read(whole).data, payload(4000));
  });

  test.serial(`only options with the copied flag are repeated in later fragments (${name})`, t => {
    const router = startRouter(build, { wanMtu: 576 });
    const options = [7, 7, 4, 0, 0, 0, 0, 148, 4, 0, 0, 0];
    router.fromHost(udp({ ...OUT, options }, 1043, 53, payload(1000)));
    const parts = router.toWan();
    t.is(parts.length, 2);
    t.deepEqual([...(parts[0] as Uint8Array).slice(20, 32)], options);
    t.deepEqual([...(parts[1] as Uint8Array).slice(20, 32)], [1, 1, 1, 1, 1, 1, 1, 148, 4, 0, 0, 0]);
    const data = concat(...parts.map(part => part.slice(32)));
    t.deepEqual(data.slice(8), payload(1000));
  });
}
