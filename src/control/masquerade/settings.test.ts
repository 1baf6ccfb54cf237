import test from 'ava';
import { controlLab } from '../../../test/control-lab.ts';
import { PARAMETERS_AT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { RFC_TCP_ESTABLISHED, RFC_UDP, resetParameters } from '../../base/parameters.ts';
import { settings } from './settings.ts';

test('set nat timeout: not below what the RFCs ask for, listed where it differs, taken back', t => {
  const { context, refusal } = controlLab();
  const timeout = settings(context).find(({ words }) => words === 'nat timeout');
  if (timeout === undefined) return t.fail();
  const ticks = (index: number) => i32at(PARAMETERS_AT + 4 * index);
  t.deepEqual(timeout.lines(), []);
  t.true(timeout.inPlane);
  for (const [name, least] of [
    ['tcp-established', 7440],
    ['tcp-opening', 240],
    ['tcp-closing', 240],
    ['udp', 120],
    ['icmp', 60],
  ] as const) {
    for (const short of [String(least - 1), 'x', '-500', '1e6'])
      t.is(
        refusal(() => timeout.set([name, short])),
        `Cannot set NAT timeout ${name} ${short}: the RFCs ask for ${least} s at least`,
      );
    t.is(
      refusal(() => timeout.set([name, '604801'])),
      `Cannot set NAT timeout ${name} 604801: 604800 s are the most`,
    );
    timeout.set([name, String(least)]);
    timeout.set([name, '604800']);
    t.deepEqual(timeout.lines(), [`set nat timeout ${name} 604800`]);
    timeout.unset?.([name]);
    t.deepEqual(timeout.lines(), []);
  }
  timeout.set(['udp', '120']);
  timeout.set(['tcp-established', '86400']);
  t.deepEqual(timeout.lines(), ['set nat timeout tcp-established 86400', 'set nat timeout udp 120']);
  t.is(ticks(RFC_UDP), 12_000);
  t.is(ticks(RFC_TCP_ESTABLISHED), 8_640_000);
  t.regex(
    refusal(() => timeout.set(['sctp', '300'])),
    /^Cannot set NAT timeout sctp: it is one of tcp-established, /,
  );
  resetParameters();
  t.deepEqual(timeout.lines(), []);
});
