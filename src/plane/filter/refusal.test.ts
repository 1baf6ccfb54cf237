// What the router says of a packet that a rule has refused, as rules of OUTPUT see it.

import test from 'ava';
import { payload, read, udp } from '../../../test/packets.ts';
import { HOST, SERVER, startRouter, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { addRule, countsOf, NAME_LAN, NAME_WAN, startRules } from '../../../test/rule-lab.ts';
import { javascriptBuild, wasmBuild } from '../../../tools/builds.ts';
import * as R from '../../base/rule-record.ts';

for (const build of [javascriptBuild(), await wasmBuild()]) {
  const { plane, name } = build;

  test.serial(`an error about a refused answer is of the flow, which is translated (${name})`, t => {
    const router = startRouter(build);
    startRules(plane);
    const reject = { target: R.TARGET_REJECT, argument: R.REJECT_PORT };
    addRule(plane, R.CHAIN_FORWARD, { in: NAME_WAN, ...reject });
    const states = R.STATE_BIT_SNAT;
    const both = addRule(plane, R.CHAIN_OUTPUT, { states: R.STATE_BIT_RELATED });
    const translated = addRule(plane, R.CHAIN_OUTPUT, { states });
    router.fromHost(udp({ source: HOST, destination: SERVER }, 1043, 53, payload(9)));
    const { sourcePort = 0 } = read(router.toWan()[0] as Uint8Array);
    router.fromGateway(udp({ source: SERVER, destination: WAN_ADDRESS }, 53, sourcePort, payload(9)));
    const [error] = router.toWan();
    t.is(read(read(error as Uint8Array).data).destinationPort, sourcePort);
    t.deepEqual(
      [both, translated].map(rule => countsOf(plane, { rule })[0]),
      [1, 1],
    );
    // What was refused before it was translated has no flow yet.
    addRule(plane, R.CHAIN_FORWARD, { in: NAME_LAN, ...reject });
    router.fromHost(udp({ source: HOST, destination: SERVER }, 1044, 53, payload(9)));
    t.is(router.toLan().length, 1);
    t.deepEqual(
      [both, translated].map(rule => countsOf(plane, { rule })[0]),
      [2, 1],
    );
    t.is(plane.masqueradeCheck(), 0);
  });
}
