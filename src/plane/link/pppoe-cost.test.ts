// What PPPoE costs in the interrupt, in operations of the metered plane (test/metered.ts): frames that a neighbour floods the card with, beside two
// sessions, against one of a type that nobody knows. Not here: what becomes of them (pppoe.test.ts).

import test from 'ava';
import { meteredBuild } from '../../../test/metered.ts';
import { address, concat, mac } from '../../../test/packets.ts';
import { GATEWAY_MAC, startRouter, WAN, WAN_MAC } from '../../../test/plane-router.ts';
import { SERIAL_COUNT } from '../../base/limits.ts';
import { PPPOE_COUNT } from '../../base/line-limits.ts';
import { PACKET_IP } from '../../base/packet.ts';
import { ETHERTYPE_DISCOVERY, ETHERTYPE_SESSION, PPPOE_PADO, PPPOE_PADT } from '../../wire/pppoe.ts';

const LINK = 4;
const MOST = 400;

test.serial('a frame of PPPoE that nobody waits for costs little more than any that is dropped', async t => {
  const metered = await meteredBuild();
  const { plane, memory } = metered;
  const router = startRouter(metered);
  for (let n = 0; n < PPPOE_COUNT; n++) {
    plane.pppoeBind(LINK + n, SERIAL_COUNT + n, WAN);
    const packet = plane.allocate();
    memory.set(mac('02:00:00:00:0a:0c'), packet + PACKET_IP);
    plane.pppoeSession(SERIAL_COUNT + n, 7 + n, packet + PACKET_IP);
    plane.release(packet);
    plane.configureInterface(LINK + n, 1, address(`10.64.64.${n + 1}`), -1, 1492);
  }
  const cost = (type: number, code: number, session: number): number => {
    const head = [type >> 8, type & 255, 0x11, code, 0, session, 0, 4, 1, 1, 0, 0];
    const frame = concat(mac(WAN_MAC), mac(GATEWAY_MAC), head, new Uint8Array(40));
    const once = () => metered.operations(() => router.put(WAN, frame));
    once();
    return once();
  };
  const plain = cost(0x9999, 0, 0);
  const all = {
    offer: cost(ETHERTYPE_DISCOVERY, PPPOE_PADO, 0),
    end: cost(ETHERTYPE_DISCOVERY, PPPOE_PADT, 8),
    data: cost(ETHERTYPE_SESSION, 0, 8),
  };
  t.log(
    `of an unknown type ${plain}; ${Object.entries(all)
      .map(pair => pair.join(' '))
      .join(', ')}`,
  );
  for (const one of Object.values(all)) t.true(one - plain < MOST, `${one}`);
  t.is(plane.puntWaiting(), 0);
  t.is(router.held(), 0);
});
