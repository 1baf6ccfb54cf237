import test from 'ava';
import { controlLab } from '../../../test/control-lab.ts';
import { NOW_AT } from '../../base/cells.ts';
import { CRASH_SKIPPED_COUNT } from '../../base/crash-page.ts';
import { MASQUERADE_AT } from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { REFUSALS_TOLD } from './apply.ts';
import { Refusal } from './console/command.ts';
import { createRegistry } from './registry.ts';
import type { Setting } from './setting.ts';
import { isRefused } from './store/refused.ts';

/** Where a text of 64 KB has room in the plane's memory. */
const TEXT_AT = MASQUERADE_AT;
const TEXT_BYTES = 64 * 1024;

function lab() {
  const { context, memory } = controlLab();
  const sets: string[] = [];
  const setting = (words: string, more: Partial<Setting> = {}): Setting => ({
    words,
    arguments: 'WORD:text...9',
    help: '',
    set: args => {
      sets.push([words, ...args].join(' '));
    },
    lines: () => [],
    ...more,
  });
  /** A registry as a control has it that has just started. */
  const fresh = (...more: Setting[]) => {
    sets.length = 0;
    const registry = createRegistry(context.machine, context.log, []);
    registry.add(
      setting('a'),
      setting('b c'),
      setting('password hash', { isFirst: true, isSecret: true }),
      ...more,
    );
    return registry;
  };
  const put = (text: string) => {
    memory.fill(0, TEXT_AT, TEXT_AT + TEXT_BYTES);
    memory.set(Buffer.from(text, 'latin1'), TEXT_AT);
    return { at: TEXT_AT, bytes: text.length };
  };
  /** Applies a text; answers what was told, and the slices that it took. */
  const apply = (text: string, ...more: Setting[]) => {
    const job = fresh(...more).apply(put(text));
    for (let slices = 1; ; slices++) {
      const result = job.next();
      if (result.done === true) return { told: result.value, slices };
    }
  };
  return { sets, setting, fresh, put, apply };
}

test.serial('the password goes before everything, wherever it stands and however it is written', t => {
  const { sets, apply } = lab();
  for (const line of [
    'set password hash 1 2 3',
    '  set\tpassword  hash 1 2 3',
    's p h 1 2 3',
    'set pass ha 1 2 3\r',
  ]) {
    apply(`set a x\n${'nonsense\n'.repeat(200)}set b c y\n${line}\nset a z`);
    t.deepEqual(sets.slice(0, 2), ['password hash 1 2 3', 'a x'], line);
    t.deepEqual(sets.slice(-1), ['a z']);
  }
});

test.serial('applyFirst() applies the password and nothing else', t => {
  const { sets, fresh, put } = lab();
  const job = fresh().applyFirst(put('set a x\nset password hash 1 2 3\nset b c d\n'));
  while (job.next().done !== true);
  t.deepEqual(sets, ['password hash 1 2 3']);
});

test.serial('refused lines are told, the first few in words, and all are marked', t => {
  const { sets, apply } = lab();
  const unknown = Array.from({ length: 130 }, (_, i) => `set filter rule ${i} from a newer firmware`);
  const { told } = apply(
    ['# masqbox configuration 1', 'set a 1', ...unknown, 'set b c 2', 'set a'].join('\n'),
  );
  t.deepEqual(sets, ['a 1', 'b c 2']);
  t.is(told.length, REFUSALS_TOLD + 1);
  t.is(told[0], 'Cannot run set filter rule 0 from a newer firmware: there is no such command, see help');
  t.is(told.at(-1), '131 lines were not taken: show refused lists them');
  for (let number = 1; number <= 134; number++)
    t.is(isRefused(number), number === 134 || (number > 2 && number < 133), `line ${number}`);
});

test.serial('a line before what it needs is applied behind it, but not over what was set later', t => {
  const { sets, setting, apply } = lab();
  let isReady = false;
  const needy = setting('gateway', {
    isDependent: true,
    set: ([word = '']) => {
      if (!isReady) throw new Refusal('Cannot set gateway: there is no address');
      sets.push(`gateway ${word}`);
    },
  });
  const address = setting('address', {
    set: () => {
      isReady = true;
    },
  });
  t.deepEqual(apply('set gateway early\nset address 1\n', needy, address).told, []);
  t.deepEqual(sets, ['gateway early']);
  t.false(isRefused(1));
  isReady = false;
  apply('set gateway early\nset address 1\nset gateway late\n', needy, address);
  t.deepEqual(sets, ['gateway late']);
  t.true(isRefused(1));
});

test.serial(
  'a line whose fate no other can change is tried once, and that of a dependent setting three times',
  t => {
    const { setting, apply } = lab();
    for (const [isDependent, most] of [
      [false, 20],
      [true, 60],
    ] as const) {
      let tries = 0;
      const refusing = setting('r', {
        isDependent,
        set: () => {
          tries++;
          throw new Refusal('Cannot set r: it is none');
        },
      });
      apply('set r x\n'.repeat(20), refusing);
      t.true(tries >= 20 && tries <= most, `${tries}`);
    }
  },
);

test.serial('words may be shortened wherever the console takes them so', t => {
  const { sets, setting, apply } = lab();
  const more = [setting('dhcp'), setting('dhcp range'), setting('dhcp reserve'), setting('dns host')];
  const { told } = apply(
    [
      ...[
        'set dhcp on',
        's dh on',
        'set dhcp ran 1',
        's\tdh\t rang  1',
        'set dh res 1',
        's dn h 1',
        's d h 1',
      ],
      ...['s d r 1', 's dhcp r 1', 's dhcp', 's x', 's', 'sett dhcp on'],
    ].join('\n'),
    ...more,
  );
  t.deepEqual(sets, [
    'dhcp on',
    'dhcp on',
    'dhcp range 1',
    'dhcp range 1',
    'dhcp reserve 1',
    'dns host 1',
    'dns host 1',
  ]);
  t.deepEqual(
    told.map(text => text.replace(/^.*?: /, '')),
    [
      'it may mean set dhcp range, set dhcp reserve',
      'it may mean set dhcp range, set dhcp reserve',
      'the form is set dhcp WORD ...',
      'there is no such command, see help',
      'it is not complete, see help set',
      'there is no such command, see help',
    ],
  );
});

test.serial('a line that ends control is left out at the next start, and the others are applied', t => {
  const { sets, setting, fresh, put, apply } = lab();
  const deadly = setting('deadly', {
    set: () => {
      throw new Error('a fault');
    },
  });
  const text = put('set password hash 1 2 3\nset a 1\nset deadly 1\nset b c 2\n');
  t.throws(() => fresh(deadly).apply(text).next(), { message: 'a fault' });
  const { told } = apply('set password hash 1 2 3\nset a 1\nset deadly 1\nset b c 2\n', deadly);
  t.deepEqual(told, ['Cannot apply set deadly 1: it has ended control, or the board']);
  t.deepEqual(sets, ['password hash 1 2 3', 'password hash 1 2 3', 'a 1', 'b c 2']);
  t.throws(() => apply('set deadly 1\n', deadly), { message: 'a fault' }, 'another text is tried');
});

test.serial('when line after line ends control, the password alone is applied', t => {
  const { sets, setting, apply } = lab();
  const deadly = setting('deadly', {
    set: () => {
      throw new Error('a fault');
    },
  });
  const text = `${'set deadly 1\n'.repeat(20)}set a 1\nset password hash 1 2 3\n`;
  for (let death = 0; death <= CRASH_SKIPPED_COUNT; death++)
    t.throws(() => apply(text, deadly), { message: 'a fault' });
  const { told } = apply(text, deadly);
  t.regex(told[0] as string, /^Cannot apply the settings: one line after the other/);
  t.deepEqual(sets, ['password hash 1 2 3']);
});

test.serial('64 KB of anything come to an end in slices of few lines each', t => {
  const { apply, setting } = lab();
  const line = (text: string): string =>
    text.repeat(Math.ceil(TEXT_BYTES / text.length)).slice(0, TEXT_BYTES);
  let seed = 1;
  const noise = Array.from({ length: TEXT_BYTES }, () => {
    seed = (Math.imul(seed, 1103515245) + 12345) | 0;
    return String.fromCharCode((seed >>> 16) & 255);
  }).join('');
  let sets = 0;
  const refusing = setting('r', {
    set: () => {
      sets++;
      throw new Refusal('Cannot set r: there is no room');
    },
  });
  for (const text of [
    '',
    '\n',
    '\n'.repeat(TEXT_BYTES),
    line('s\n'),
    line('#\n'),
    line('x'),
    line(' '),
    noise,
  ]) {
    const { slices } = apply(text, refusing);
    const lines = text.split('\n').filter(each => each !== '').length;
    t.true(slices >= lines / 64, `${slices} slices`);
  }
  for (const text of ['s r\n', `set r${' x'.repeat(490)}\n`, 's p h\n', 'set r x\n']) {
    const lines = line(text).split('\n').length;
    sets = 0;
    const { slices } = apply(line(text), refusing);
    t.true(slices >= lines / 64, `${slices} slices for ${text}`);
    t.true(sets <= 3 * lines);
  }
});

test.serial('a slice ends when its time is over', t => {
  const { setting, apply } = lab();
  const slow = setting('slow', { set: () => puti32(NOW_AT, (i32at(NOW_AT) + 2) | 0) });
  t.true(apply('set slow 1\n'.repeat(40), slow).slices >= 20);
});
