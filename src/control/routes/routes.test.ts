import test from 'ava';
import { controlLab } from '../../../test/control-lab.ts';
import { arpIn, echo, isArp, read } from '../../../test/packets.ts';
import { HOST, OTHER, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { INTERFACE_OUTSIDE } from '../../base/interface.ts';
import { INTERFACE_WAN, TICKS_PER_SECOND } from '../../base/limits.ts';
import { parseAddress } from '../core/address.ts';
import { configure } from '../core/addresses.ts';
import { STATIC_ROUTES } from '../core/limits.ts';
import { createRoutes } from './routes.ts';

const address = (text: string) => parseAddress(text) as number;

function fixture() {
  const lab = controlLab();
  return { ...lab, setting: createRoutes(lab.context, { onChange() {} }) };
}

test.serial('set route leads packets to its gateway, unset route no more', t => {
  const { router, setting } = fixture();
  const ping = () => router.fromHost(echo({ source: HOST, destination: '10.5.6.7' }, 8, 1));
  ping();
  t.is(router.toWan().length, 1, 'by the default route');
  setting.set(['10.5.0.0/16', OTHER]);
  ping();
  t.is(router.toWan().length, 0);
  t.is(router.toLan().filter(d => read(d).destination === '10.5.6.7').length, 1);
  t.deepEqual(setting.lines(), [`set route 10.5.0.0/16 ${OTHER}`]);
  setting.unset?.(['10.5.0.0/16']);
  ping();
  t.is(router.toWan().length, 1);
  t.deepEqual(setting.lines(), []);
});

test.serial('a gateway out of reach waits for its network, and leaves with it', t => {
  const { router, setting, context, ticks, output } = fixture();
  const { plane } = context.machine;
  const wanIs = (text: string) =>
    configure(plane, INTERFACE_WAN, INTERFACE_OUTSIDE, address(text), -256, 1500);
  const isLed = () => plane.routeTo(address('10.5.6.7')) !== 0 && ping();
  const ping = (): boolean => {
    router.fromHost(echo({ source: HOST, destination: '10.5.6.7' }, 8, 1));
    // Asked for by ARP: nobody is there, but the way is known.
    return router.taken(INTERFACE_WAN).some(frame => isArp(frame) && arpIn(frame).target === '172.16.0.77');
  };
  setting.set(['10.5.0.0/16', '172.16.0.77']);
  t.deepEqual(output, ['No interface is in the network of the gateway yet']);
  t.false(isLed());
  wanIs('172.16.0.2');
  ticks(11 * TICKS_PER_SECOND);
  t.true(isLed());
  wanIs(WAN_ADDRESS);
  ticks(11 * TICKS_PER_SECOND);
  t.false(isLed());
  t.deepEqual(setting.lines(), ['set route 10.5.0.0/16 172.16.0.77']);
});

test.serial('set route refuses in house form, and no more than there are places', t => {
  const { setting, refusal } = fixture();
  const why = (...args: string[]) => refusal(() => setting.set(args));
  t.is(why('10.5.0.1/16', OTHER), 'Cannot set route 10.5.0.1/16: the network of that length is 10.5.0.0/16');
  t.is(why('0.0.0.0/0', OTHER), 'Cannot set route 0.0.0.0/0: the default route is set wan gateway');
  t.is(
    why('10.5.0.0', OTHER),
    'Cannot set route 10.5.0.0: the prefix length is missing, as in 192.168.0.1/24',
  );
  t.is(why('10.5.0.0/16', WAN_ADDRESS), `Cannot set route by ${WAN_ADDRESS}: it is the router's own address`);
  t.is(why('10.5.0.0/16', '224.0.0.5'), 'Cannot set route by 224.0.0.5: it is a multicast address');
  for (let i = 0; i < STATIC_ROUTES; i++) t.is(why(`10.${i}.0.0/16`, OTHER), '');
  t.is(why('10.0.0.0/16', HOST), '', 'one that is there is changed');
  t.is(why('10.99.0.0/16', OTHER), `Cannot set route 10.99.0.0/16: all ${STATIC_ROUTES} places are in use`);
  t.is(
    refusal(() => setting.unset?.(['10.98.0.0/16'])),
    'Cannot unset route 10.98.0.0/16: it is not set',
  );
});
