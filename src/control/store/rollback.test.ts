// `set ... confirm MINUTES`: which change it waits for. Not here: going back, on the sim board (store.test.ts).

import test from 'ava';
import { controlLab } from '../../../test/control-lab.ts';
import { Refusal } from '../console/command.ts';
import { Console } from '../console/console.ts';
import { createRollback } from './rollback.ts';

test('what changes after a line was refused is not what confirm waits for', t => {
  const { commands, context } = controlLab();
  const typed: number[] = [];
  const console = new Console(
    {
      read: (into, at) => {
        const bytes = typed.splice(0, into.length - at);
        into.set(bytes, at);
        return bytes.length;
      },
      write: text => text.length,
    },
    commands,
  );
  const rollback = createRollback(context);
  console.strip = rollback.strip;
  let value = '';
  context.registry.add({
    words: 'one',
    arguments: 'WORD',
    help: '',
    set: ([word = '']) => {
      if (word === 'bad') throw new Refusal('Cannot set one bad: it is bad');
      value = word;
    },
    lines: () => (value === '' ? [] : [`set one ${value}`]),
  });
  console.open();
  const type = (line: string): void => {
    typed.push(...Buffer.from(`${line}\r`));
    console.receive();
    for (let i = 0; i < 10; i++) console.work(i);
  };
  for (const line of ['set one bad confirm 5', 'set one confirm 5', 'set two a confirm 5']) {
    type(line);
    // Something changes by itself, as the LAN does that makes room for the WAN.
    context.registry.changed();
    t.is(rollback.minutesLeft(), undefined, line);
  }
  type('set one good confirm 5');
  t.is(rollback.minutesLeft(), 5);
});
