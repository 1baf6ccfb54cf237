import test from 'ava';
import { controlLab } from '../../../test/control-lab.ts';
import { DEBUG, ERROR, INFO, NOTICE, WARNING } from '../core/log.ts';
import { logCommands } from './commands.ts';
import { logSetting } from './settings.ts';

test('show log lists a level and worse, of all facilities or some', t => {
  const { context, output, refusal } = controlLab();
  const [command] = logCommands(context);
  const texts = (...args: string[]): string => {
    output.length = 0;
    for (const _ of command?.run(args) ?? []);
    return output.map(row => row.replace(/^.*ago {2}/, '')).join(' | ');
  };
  t.is(texts(), 'Nothing has been logged');
  context.log(ERROR, 'dns', 'one');
  context.log(WARNING, 'wan', 'two');
  context.log(INFO, 'wan', 'three');
  context.log(DEBUG, 'dhcp', 'four');
  t.is(texts(), 'dns: one | wan: two | wan: three | dhcp: four');
  t.is(texts('info'), 'dns: one | wan: two | wan: three');
  t.is(texts('warning', 'wan'), 'wan: two');
  t.is(texts('debug', 'wan', 'dhcp'), 'wan: two | wan: three | dhcp: four');
  t.is(texts('error', 'wan'), 'Nothing of that has been logged');
  t.regex(
    refusal(() => void command?.run(['loud'])?.next()),
    /^Cannot show the log from loud on: it is one of error, warning, notice, info, debug$/,
  );
});

test('set log console chooses from which level on lines are shown, and unset takes it back', t => {
  const { context, shown, refusal } = controlLab();
  const setting = logSetting(context.log);
  const said = (level: number): boolean => {
    const before = shown.length;
    context.log(level, 'wan', 'a line');
    return shown.length > before;
  };
  t.deepEqual([ERROR, NOTICE, INFO].map(said), [true, true, false]);
  setting.set(['error']);
  t.deepEqual(setting.lines(), ['set log console error']);
  t.deepEqual([ERROR, NOTICE].map(said), [true, false]);
  setting.set(['debug']);
  t.deepEqual([ERROR, DEBUG].map(said), [true, true]);
  setting.unset?.([]);
  t.deepEqual(setting.lines(), []);
  t.false(said(DEBUG));
  t.is(refusal(() => setting.set(['loud'])).slice(0, 27), 'Cannot set log console loud');
});
