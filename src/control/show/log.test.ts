import test from 'ava';
import { controlLab } from '../../../test/control-lab.ts';
import { Refusal } from '../core/console/command.ts';
import { INFO, WARNING } from '../core/log.ts';
import { showLog } from './log.ts';

test('show log takes a service without a level', t => {
  const { context, output } = controlLab();
  context.log(WARNING, 'wan', 'one');
  context.log(INFO, 'dhcp', 'two');
  context.log(INFO, 'dns', 'three');
  const texts = (first: string, ...others: string[]): string => {
    output.length = 0;
    for (const _ of showLog(context, first, others));
    return output.map(row => row.replace(/^.*ago {2}/, '')).join(' | ');
  };
  t.is(texts('dhcp'), 'dhcp: two');
  t.is(texts('wan', 'dns'), 'wan: one | dns: three');
  t.is(texts('ntp'), 'Nothing of that has been logged');
  // A level with a slip is no service that has said nothing.
  t.throws(() => texts('eror'), { instanceOf: Refusal });
});
