import test from 'ava';
import fc from 'fast-check';
import { controlLab } from '../../../test/control-lab.ts';
import { runSeed } from '../../../tools/harness/random.ts';
import { CONFIGURATION_AT, CONFIGURATION_BYTES } from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { Refusal } from './console/command.ts';
import type { Context } from './context.ts';
import { createRegistry } from './registry.ts';
import type { Setting } from './setting.ts';

/** Runs what goes on in slices to its end. */
function whole<T>(job: Generator<number, T, void>): T {
  for (;;) {
    const result = job.next();
    if (result.done === true) return result.value;
  }
}

/** A setting that holds words. */
function words(name: string, more: Partial<Setting> = {}) {
  const state = { value: '', sets: 0 };
  const setting: Setting = {
    words: name,
    arguments: 'WORD',
    help: '',
    set: ([word = '']) => {
      if (word === 'bad') throw new Refusal(`Cannot set ${name} bad: it is bad`);
      state.value = word;
      state.sets++;
    },
    unset: () => {
      state.value = '';
    },
    lines: () => (state.value === '' ? [] : [`set ${name} ${state.value}`]),
    ...more,
  };
  return { state, setting };
}

/** Another registry over the same memory, as a restarted control makes it. */
function restarted(context: Context) {
  const registry = createRegistry(context.machine, context.log, []);
  return registry;
}

test.serial('a setting becomes commands and configuration lines', t => {
  const { commands, context } = controlLab();
  const one = words('dhcp range');
  context.registry.add(one.setting);
  t.deepEqual(
    commands.map(({ words: w, arguments: a }) => `${w} ${a ?? ''}`.trim()),
    ['set dhcp range WORD', 'unset dhcp range'],
  );
  commands[0]?.run(['a']);
  t.deepEqual(context.registry.lines(), ['set dhcp range a']);
  commands[1]?.run([]);
  t.deepEqual(context.registry.lines(), []);
});

test.serial('what a setting changed before it was refused is told, and lies in the memory', t => {
  const { commands, context, memory, refusal } = controlLab();
  const { registry } = context;
  const one = words('one');
  const half = words('half', {
    set: ([word = '']) => {
      if (word !== 'none') one.state.value = word;
      throw new Refusal(`Cannot set half ${word}: it is half`);
    },
  });
  registry.add(one.setting, half.setting);
  let changes = 0;
  registry.onChange(() => changes++);
  const type = (line: string) => {
    const command = commands.find(({ words: own }) => line.startsWith(`${own} `));
    return refusal(() => void command?.run([line.split(' ').at(-1) as string]));
  };
  t.is(type('set one a'), '');
  t.is(changes, 1);
  t.is(type('set half none'), 'Cannot set half none: it is half');
  t.is(changes, 1, 'nothing was changed');
  t.is(type('set half b'), 'Cannot set half b: it is half');
  t.is(changes, 2);
  const bytes = i32at(CONFIGURATION_AT);
  t.is(
    Buffer.from(memory.subarray(CONFIGURATION_AT + 4, CONFIGURATION_AT + 4 + bytes)).toString(),
    'set one b\n',
  );
});

/** A setting of many lines: what is set is added at the end, or at its place in the order of the alphabet. */
function many(name: string, isSorted: boolean): Setting {
  let values: string[] = [];
  return {
    words: name,
    arguments: 'WORD',
    help: '',
    set: ([word = '']) => {
      values = [...values.filter(value => value !== word), word];
      if (isSorted) values.sort();
    },
    unsetArguments: 'WORD',
    unset: ([word = '']) => {
      values = values.filter(value => value !== word);
    },
    lines: () => values.map(value => `set ${name} ${value}`),
  };
}

test.serial('the lines in the memory are those of lines(), whatever changes, and however often', t => {
  const { commands, context, memory } = controlLab();
  const { registry } = context;
  registry.add(many('a', false), words('one').setting, many('b', true));
  const held = (): string => {
    const bytes = i32at(CONFIGURATION_AT);
    return Buffer.from(memory.subarray(CONFIGURATION_AT + 4, CONFIGURATION_AT + 4 + bytes)).toString();
  };
  const word = fc.integer({ min: 0, max: 12 }).map(n => 'x'.repeat(n) + n);
  const change = fc.tuple(fc.nat({ max: commands.length - 1 }), word);
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), changes => {
      for (const [index, value] of changes) {
        commands[index]?.run([value]);
        t.is(
          held(),
          registry
            .lines()
            .map(line => `${line}\n`)
            .join(''),
        );
      }
      const lines = registry.lines().reverse();
      t.deepEqual(whole(registry.reconcile(lines)), []);
      t.is(
        held(),
        registry
          .lines()
          .map(line => `${line}\n`)
          .join(''),
      );
    }),
    { numRuns: 40, seed: runSeed() },
  );
});

test.serial('apply() leaves lines where they lie, and changes what is not as it would be written', t => {
  const { commands, context, memory } = controlLab();
  const { registry } = context;
  registry.add(many('a', false), words('one').setting);
  const held = (): string => {
    const bytes = i32at(CONFIGURATION_AT);
    return Buffer.from(memory.subarray(CONFIGURATION_AT + 4, CONFIGURATION_AT + 4 + bytes)).toString();
  };
  const apply = (text: string): string[] => {
    memory.set(Buffer.from(text), CONFIGURATION_AT + 4);
    return whole(registry.apply({ at: CONFIGURATION_AT + 4, bytes: text.length }));
  };
  t.deepEqual(apply('# by hand\nset one 1\nset a  x\nset a y\n'), []);
  t.is(held(), 'set one 1\nset a  x\nset a y\n');
  commands.find(({ words: all }) => all === 'set a')?.run(['z']);
  t.is(held(), 'set a x\nset a y\nset a z\nset one 1\n');
  t.deepEqual(apply('set one bad\n'), ['Cannot set one bad: it is bad']);
  t.is(held(), 'set a x\nset a y\nset a z\nset one 1\n');
});

test.serial('changes of a paste are written now and then, and when it is over', t => {
  const { commands, context, ticks } = controlLab();
  const { registry } = context;
  const changing = many('a', false);
  let isBusy = true;
  registry.isBusy = () => isBusy;
  let [made, others] = [0, 0];
  const { lines } = registry;
  registry.add({
    ...changing,
    lines: () => {
      made++;
      return changing.lines();
    },
  });
  registry.add({
    words: 'count',
    arguments: '',
    help: '',
    set: () => {},
    lines: () => (others++ < 0 ? [''] : []),
  });
  ticks(60);
  for (let i = 0; i < 100; i++) {
    commands[0]?.run([`${i}`]);
    ticks(1);
  }
  t.true(made >= 2 && made <= 4, `written ${made} times`);
  t.is(others, 1, 'what was not changed is not looked at again');
  isBusy = false;
  registry.write();
  t.is(i32at(CONFIGURATION_AT), lines().join('\n').length + 1);
  const before = made;
  registry.write();
  t.is(made, before, 'nothing has changed');
});

test.serial('restore() leaves the lines where they lie, but those that were refused', t => {
  const { context, memory } = controlLab();
  for (const [text, expected] of [
    ['set one 1\nset a x\nset a y\n', 'set one 1\nset a x\nset a y\n'],
    ['set one bad\nset a x\nset b z\n', 'set a x\nset b z\n'],
    ['set a x\n\nset b z\n', 'set a x\nset b z\n'],
    ['set b z\nset one 1', 'set one 1\nset b z\n'],
  ] as const) {
    memory.set(Buffer.from(text), CONFIGURATION_AT + 4);
    puti32(CONFIGURATION_AT, text.length);
    const registry = restarted(context);
    registry.add(words('one').setting, many('a', false), many('b', true));
    whole(registry.restore());
    const bytes = i32at(CONFIGURATION_AT);
    t.is(
      Buffer.from(memory.subarray(CONFIGURATION_AT + 4, CONFIGURATION_AT + 4 + bytes)).toString(),
      expected,
    );
  }
});

test.serial('restore() applies what was set, but not what lives in the plane', t => {
  const { commands, context } = controlLab();
  const before = [words('a'), words('b', { inPlane: true }), words('c')];
  context.registry.add(...before.map(({ setting }) => setting));
  for (const [i, command] of commands.filter(({ words: w }) => w.startsWith('set')).entries())
    command.run([`v${i}`]);
  const after = [words('a'), words('b', { inPlane: true }), words('c')];
  const registry = restarted(context);
  registry.add(...after.map(({ setting }) => setting));
  whole(registry.restore());
  t.deepEqual(
    after.map(({ state }) => state.value),
    ['v0', '', 'v2'],
  );
});

test.serial('a refused command changes nothing that is kept', t => {
  const { commands, context, refusal } = controlLab();
  context.registry.add(words('a').setting);
  commands[0]?.run(['good']);
  t.is(
    refusal(() => commands[0]?.run(['bad'])),
    'Cannot set a bad: it is bad',
  );
  const after = words('a');
  const registry = restarted(context);
  registry.add(after.setting);
  whole(registry.restore());
  t.is(after.state.value, 'good');
});

test.serial('restore() goes on after a line that is refused or unknown', t => {
  const { commands, context, shown } = controlLab();
  context.registry.add(words('a').setting, words('gone').setting, words('c').setting);
  for (const i of [0, 2, 4]) commands[i]?.run(['v']);
  const [a, c] = [words('a'), words('c')];
  a.setting.set = () => {
    throw new Refusal('Cannot set a v: it is gone');
  };
  const registry = restarted(context);
  registry.add(a.setting, c.setting);
  whole(registry.restore());
  t.is(c.state.value, 'v');
  t.is(shown.length, 2);
});

test.serial('shown() hides secrets, however the line is written and whatever it is', t => {
  const { context } = controlLab();
  const { registry } = context;
  const secret = { isFirst: true, isSecret: true, arguments: 'A:text B:hex C:hex' };
  registry.add(words('password hash', secret).setting, words('dhcp reserve').setting);
  const [salt, hash] = ['0123456789abcdef'.repeat(2), '0123456789abcdef'.repeat(4)];
  for (const start of [
    'set password hash',
    'se password hash',
    'set pass h',
    ' set  password\thash',
    's p h',
  ]) {
    t.is(registry.shown(`${start} 2 ${salt} ${hash}`), 'set password hash (not shown)', start);
    t.true(registry.isFirst(`${start} 2 ${salt} ${hash}`), start);
  }
  for (const line of [
    'set passwd hash 2 S H',
    'set password hash 2 S',
    'set password hash 2 S H H',
    'H',
    'x2SH',
  ]) {
    const whole = line.replaceAll('S', salt).replaceAll('H', hash.toUpperCase());
    t.notRegex(registry.shown(whole), /[0-9a-f]{16}/i, line);
    t.notRegex(String(registry.refusalOf(whole)), /[0-9a-f]{16}/i, line);
    t.false(registry.isFirst(whole), line);
  }
  for (const line of ['set dhcp reserve 52:54:00:12:34:56', 'set nothing 52:54:00:12:34:56 printer'])
    t.is(registry.shown(line), line);
});

test.serial('restore() does not try twice what killed control', t => {
  const { commands, context } = controlLab();
  context.registry.add(words('a').setting);
  commands[0]?.run(['v']);
  const deadly = words('a');
  deadly.setting.set = () => {
    throw new Error('a fault');
  };
  const registry = restarted(context);
  registry.add(deadly.setting);
  t.throws(() => whole(registry.restore()), { message: 'a fault' });
  const next = words('a');
  const again = restarted(context);
  again.add(next.setting);
  whole(again.restore());
  t.is(next.state.sets, 0);
});

test.serial('a configuration that does not fit keeps the last that did, and says so', t => {
  const { commands, context, shown } = controlLab();
  context.registry.add(many('a', false));
  commands[0]?.run(['first']);
  // Lines of 1,000 characters, and one that fills the rest.
  const word = (i: number): string => `${i}`.padStart(1000 - 'set a '.length, 'x');
  const count = Math.floor((CONFIGURATION_BYTES - 4 - 'set a first\n'.length) / 1001) - 1;
  const most = CONFIGURATION_BYTES - 4 - 'set a first\n'.length - 1001 * count - 'set a \n'.length;
  for (let i = 0; i < count; i++) commands[0]?.run([word(i)]);
  t.is(shown.length, 0);
  const half = Math.floor(most / 2);
  commands[0]?.run(['y'.repeat(half)]);
  commands[0]?.run(['z'.repeat(most - half - 'set a \n'.length + 1)]);
  t.is(shown.length, 1);
  const after = many('a', false);
  const registry = restarted(context);
  registry.add(after);
  whole(registry.restore());
  t.is(after.lines().length, count + 2, 'the last that did fit');
  commands[1]?.run(['z'.repeat(most - half - 'set a \n'.length + 1)]);
  commands[0]?.run(['z'.repeat(most - half - 'set a \n'.length)]);
  t.is(i32at(CONFIGURATION_AT), CONFIGURATION_BYTES - 4);
  const last = restarted(context);
  const all = many('a', false);
  last.add(all);
  whole(last.restore());
  t.is(all.lines().length, count + 3);
});

test.serial('restore() survives any length in memory', t => {
  const { context } = controlLab();
  context.registry.add(words('a').setting);
  for (const length of [-1, 0, 1, CONFIGURATION_BYTES, 0x7fffffff, -0x80000000]) {
    puti32(CONFIGURATION_AT, length);
    whole(context.registry.restore());
    if (length === 1) t.is(i32at(CONFIGURATION_AT), 0, 'what is there now: nothing');
  }
});
