import test from 'ava';
import { javascriptBuild } from '../../../tools/builds.ts';
import { DROP_SAME_INTERFACE, DROP_UNSOLICITED } from '../../base/counters.ts';
import {
  configureInterface,
  INTERFACE_INSIDE,
  INTERFACE_OUTSIDE,
  interfaceAt,
} from '../../base/interface.ts';
import { PASS } from '../../base/packet.ts';
import { setParameter, WAN_PING } from '../../base/parameters.ts';
import { forwardPolicy, masqueradePolicy, mayAnswer, mayPing, turnPolicy } from './policy.ts';

test.before(() => {
  const { plane } = javascriptBuild();
  plane.planeReset();
  for (let link = 0; link < 4; link++)
    configureInterface(link, link < 2 ? INTERFACE_INSIDE : INTERFACE_OUTSIDE, 0x0a000001 + link, -1, 1500);
});

const [lan, dmz, wan, backup] = [0, 1, 2, 3].map(interfaceAt) as [number, number, number, number];

test('from inside everything, from outside nothing that no flow has let in', t => {
  t.deepEqual([lan, dmz, wan, backup].map(forwardPolicy), [PASS, PASS, DROP_UNSOLICITED, DROP_UNSOLICITED]);
});

test('what is let in goes back where it came from inside, not outside', t => {
  for (const at of [lan, dmz, wan, backup]) {
    for (const out of [lan, dmz, wan, backup])
      t.is(turnPolicy(at, out), at === out && at >= wan ? DROP_SAME_INTERFACE : PASS);
  }
});

test('masqueraded is what goes from inside to outside, and nothing else', t => {
  const masqueraded = (from: number) => [lan, dmz, wan, backup].map(to => masqueradePolicy(from, to));
  t.deepEqual(masqueraded(lan), [0, 0, 1, 1]);
  t.deepEqual(masqueraded(dmz), [0, 0, 1, 1]);
  t.deepEqual(masqueraded(wan), [0, 0, 0, 0]);
  t.deepEqual(masqueraded(backup), [0, 0, 0, 0]);
});

test('a stranger outside gets no answer, and a ping where the setting says so', t => {
  t.deepEqual([lan, dmz, wan, backup].map(mayAnswer), [1, 1, 0, 0]);
  for (const set of [0, 1]) {
    setParameter(WAN_PING, set);
    t.deepEqual([lan, dmz, wan, backup].map(mayPing), [1, 1, set, set]);
  }
});
