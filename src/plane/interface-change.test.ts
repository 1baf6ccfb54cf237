import test from 'ava';
import { address, udp } from '../../test/packets.ts';
import { HOST, SERVER, startRouter, WAN, WAN_ADDRESS } from '../../test/plane-router.ts';
import { javascriptBuild, wasmBuild } from '../../tools/builds.ts';
import { DROP_UNSOLICITED } from '../base/counters.ts';

const NEW_ADDRESS = '10.1.2.99';
const MASK = '255.255.255.0';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { name, plane } = build;
  const configure = (to: string): void => {
    build.use();
    plane.configureInterface(WAN, 1, to === '' ? 0 : address(to), to === '' ? 0 : address(MASK), 1500);
    plane.interfacesChanged();
  };
  const outbound = udp({ source: HOST, destination: SERVER }, 1043, 53);

  test.serial(`sessions wait for an address that is lost and comes back (${name})`, t => {
    const router = startRouter(build);
    router.fromHost(outbound);
    router.taken(WAN);
    t.is(plane.masqueradeCount(), 1);
    configure('');
    t.is(plane.masqueradeCount(), 1);
    router.fromHost(outbound);
    t.deepEqual(router.toWan(), [], 'nothing leaves without an address');
    configure(WAN_ADDRESS);
    t.is(plane.masqueradeCount(), 1);
    router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, 1043));
    t.is(router.counter(DROP_UNSOLICITED), 0, 'the answer finds its session');
  });

  test.serial(
    `another address ends the sessions of the lost one, also after a while without any (${name})`,
    t => {
      const router = startRouter(build);
      router.fromHost(outbound);
      configure('');
      configure(NEW_ADDRESS);
      router.ticks(2);
      t.is(plane.masqueradeCount(), 0);
      router.fromHost(outbound);
      t.is(plane.masqueradeCount(), 1);
      configure(WAN_ADDRESS);
      router.ticks(2);
      t.is(plane.masqueradeCount(), 0);
    },
  );
}
