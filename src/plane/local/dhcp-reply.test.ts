import test from 'ava';
import { BROADCAST, frame, mac, udp } from '../../../test/packets.ts';
import {
  GATEWAY_MAC,
  type Router,
  startRouter,
  WAN,
  WAN_ADDRESS,
  WAN_MAC,
} from '../../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import { DROP_BROADCAST, DROP_UNSOLICITED } from '../../base/counters.ts';
import { DHCP_REPLY_BURST, DHCP_REPLY_TICKS } from '../../base/limits.ts';

const XID = 0x1a2b3c4d;
const MESSAGE = 300;

/** A BOOTREPLY for our card, spoiled at one byte if `at` is given. */
function reply(at = -1, bytes = MESSAGE): Uint8Array {
  const message = new Uint8Array(bytes);
  message.set([2, 1, 6, 0, 0x1a, 0x2b, 0x3c, 0x4d]);
  message.set(mac(WAN_MAC), 28);
  if (at >= 0) message[at] = (message[at] as number) ^ 0x10;
  return message;
}

function put(router: Router, message: Uint8Array, sourcePort = 67, source = '198.18.0.1'): void {
  router.fromGateway(udp({ source, destination: WAN_ADDRESS }, sourcePort, 68, message));
}

function passed(router: Router): number {
  for (let count = 0; ; count++) if (router.punted() === undefined) return count;
}

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;
  const start = () => {
    const router = startRouter(build);
    plane.socketOpen(17, 68, 1 << WAN);
    return router;
  };

  test.serial(`port 68 hears nobody while the client waits for nothing (${name})`, t => {
    const router = start();
    put(router, reply());
    plane.dhcpExpect(WAN, XID);
    put(router, reply());
    t.is(passed(router), 1);
    plane.dhcpExpectNothing();
    put(router, reply());
    router.put(
      WAN,
      frame(
        BROADCAST,
        GATEWAY_MAC,
        udp({ source: '10.1.2.1', destination: '255.255.255.255' }, 67, 68, reply()),
      ),
    );
    t.is(passed(router), 0);
    t.is(router.counter(DROP_UNSOLICITED), 2);
    t.is(router.counter(DROP_BROADCAST), 1);
    plane.dhcpExpect(WAN, XID);
    plane.resetSockets();
    plane.socketOpen(17, 68, 1 << WAN);
    put(router, reply());
    t.is(passed(router), 0, 'a restarted control waits for nothing yet');
    t.is(router.held(), 0);
  });

  test.serial(
    `only a whole answer with our xid and station passes, by unicast and by broadcast (${name})`,
    t => {
      const router = start();
      plane.dhcpExpect(WAN, XID);
      for (const at of [0, 1, 2, 4, 5, 6, 7, 28, 29, 30, 31, 32, 33]) put(router, reply(at));
      put(router, reply(-1, 239));
      put(router, reply(), 68);
      t.is(passed(router), 0);
      put(router, reply(3), 67);
      router.put(
        WAN,
        frame(
          BROADCAST,
          GATEWAY_MAC,
          udp({ source: '10.1.2.1', destination: '255.255.255.255' }, 67, 68, reply()),
        ),
      );
      put(router, reply(-1, 240));
      t.is(passed(router), 3);
      t.is(router.held(), 0);
    },
  );

  test.serial(
    `who knows the xid has ${DHCP_REPLY_BURST} at once, then one in ${DHCP_REPLY_TICKS} ticks (${name})`,
    t => {
      const router = start();
      plane.dhcpExpect(WAN, XID);
      const flood = () => {
        let count = 0;
        for (let i = 0; i < 3 * DHCP_REPLY_BURST; i++) {
          put(router, reply());
          count += passed(router);
        }
        return count;
      };
      t.is(flood(), DHCP_REPLY_BURST);
      router.ticks(DHCP_REPLY_TICKS - 1);
      t.is(flood(), 0);
      router.ticks(1);
      t.is(flood(), 1);
      router.ticks(3 * DHCP_REPLY_TICKS);
      plane.dhcpExpect(WAN, XID);
      t.is(flood(), 3, 'the same question once more brings no new answers');
      router.ticks(1000 * DHCP_REPLY_TICKS);
      t.is(flood(), DHCP_REPLY_BURST);
      plane.dhcpExpect(WAN, XID ^ 1);
      plane.dhcpExpect(WAN, XID);
      t.is(flood(), DHCP_REPLY_BURST, 'another question is another burst');
    },
  );
}
