// The schema of the console as it is: at every point of every line TAB and `?` offer what the parser takes, and nothing
// else; every wrong word is the marked one.

import test from 'ava';
import fc from 'fast-check';
import { consoleTable } from '../../../tools/console-table.ts';
import { runSeed } from '../../../tools/harness/random.ts';
import { CONFIGURATION_AT } from '../../base/limits.ts';
import { get8, i32at } from '../../base/memory.ts';
import { type Command, findCommand, Refusal, usage, wordsOf } from '../core/console/command.ts';
import { parameterAt, parametersOf } from './grammar.ts';
import { exampleIn, helpText } from './help-texts.ts';
import { exampleFor, helpOf } from './line-help.ts';
import { candidatesAt, complete, faultOf, hintsAt, type Known, placeAt } from './schema.ts';
import { exampleOf, keywords, TYPES, typeOf } from './types.ts';

const known: Known = {
  addresses: () => ['192.168.0.100', '192.168.0.101', '203.0.113.1'],
  names: () => ['printer', 'nas'],
  cards: () => ['52:54:00:12:34:01', '0x300'],
  zones: () => ['Europe/Berlin', 'Europe/Lisbon', 'Etc/UTC'],
  lines: () => ['set dns host nas 192.168.0.7', 'set dns host nut 192.168.0.8', 'set dhcp lease 600'],
};

const real = consoleTable();

test('every command has help, a typed form, and an example that is accepted', t => {
  for (const command of real) {
    const { length } = helpText(command.help);
    t.true(length > 0 && length < 90, command.words);
    const form = parametersOf(command);
    for (const parameter of form) {
      t.true(parameter.type in TYPES, `${command.words}: ${parameter.label} has no type`);
      const example = exampleOf(parameter);
      if (example !== '')
        t.is(typeOf(parameter).refuse(example, parameter), undefined, `${command.words} ${parameter.label}`);
      if (parameter.standard !== '')
        t.is(typeOf(parameter).refuse(parameter.standard, parameter), undefined, `${command.words} default`);
    }
    const example = exampleFor(command);
    const found = findCommand(real, example);
    t.true('command' in found && found.command === command, example);
    t.is(faultOf(real, example), undefined, example);
    t.true(helpOf(command).includes(`  as in: ${example}`), command.words);
    t.true(usage(command).length < 79, usage(command));
  }
});

test('every setting has an example beside it, but where its form says all', t => {
  const says = /^[^A-Z]*$/;
  for (const { words, arguments: form = '', help } of real)
    if (words.startsWith('set ') && !says.test(form)) t.truthy(exampleIn(help), `${words} ${form}`);
});

test('no two commands have the same words', t => {
  t.is(new Set(real.map(({ words }) => words)).size, real.length);
});

/** All places of the schema: the starts of the commands' examples. */
const places = new Set(['']);
/** Words that stand somewhere, and one that stands nowhere. */
const vocabulary = new Set(['zz9']);
for (const command of real) {
  const example = wordsOf(exampleFor(command));
  for (const [i, word] of example.entries()) {
    places.add(`${example.slice(0, i + 1).join(' ')} `);
    vocabulary.add(word);
  }
  for (const { values } of parametersOf(command)) for (const word of keywords(values)) vocabulary.add(word);
}

/** Whether nothing is wrong with a word at a place, whatever may be missing behind it, or of itself. */
function accepts(before: string, word: string): boolean {
  const found = findCommand(real, before + word);
  if ('refusal' in found && found.refusal.includes('it may mean')) return true;
  const fault = faultOf(real, before + word);
  return fault === undefined || fault.offset > before.length;
}

test('TAB offers at every place only what is accepted, and leads to it from each of its beginnings', t => {
  let offered = 0;
  for (const before of places) {
    for (const word of candidatesAt(real, placeAt(real, before), known)) {
      offered++;
      t.true(accepts(before, word), before + word);
      for (let length = 0; length <= word.length; length++) {
        const { add, candidates } = complete(real, before + word.slice(0, length), known);
        const isOnTheWay = add !== '' && `${word} `.startsWith(word.slice(0, length) + add);
        t.true(candidates.includes(word) || isOnTheWay, before + word.slice(0, length));
      }
    }
  }
  t.true(offered > 3 * real.length, String(offered));
});

/** Whether a word behind `before` stands only for a command that takes no beginnings of it. */
function isWholeAlone(before: string, word: string): boolean {
  const under = real.filter(({ words }) => `${words} `.startsWith(`${before}${word} `));
  return under.length > 0 && under.every(({ isWhole }) => isWhole === true);
}

test('? tells at every place all that is accepted: words, arguments, the end of the line', t => {
  for (const before of places) {
    const { words, parameters } = placeAt(real, before);
    const forms = hintsAt(real, before).map(({ form }) => form);
    for (const word of words.keys())
      t.true(
        forms.some(form => form.split(' ')[0] === word),
        before + word,
      );
    for (const { parameter } of parameters) {
      const isIn = (form: string): boolean => {
        return form.includes(parameter.label) || parameter.values.every(value => form.includes(value));
      };
      t.true(forms.some(isIn), before + parameter.label);
    }
    if (before !== '') t.is(forms.includes('Enter'), faultOf(real, before) === undefined, before);
    for (const word of vocabulary) {
      // A command that must be typed whole has no beginnings.
      const isWord = [...words.keys()].some(
        own => own === word || (own.startsWith(word) && !isWholeAlone(before, own)),
      );
      const isArgument = parameters.some(({ command, parameter, value }) => {
        if (parameter.type === 'command') return accepts(before, word);
        return parameterAt(parametersOf(command), value.length) !== undefined
          ? typeOf(parameter).refuse(word, parameter, value.at(-1)) === undefined
          : false;
      });
      t.is(isWord || isArgument, accepts(before, word), before + word);
    }
  }
});

const LETTERS = 'abcdefghijklmnopqrstuvwxyz'.split('');
type Slip = 'left out' | 'too much' | 'another';

function misspelt(word: string, slip: Slip, at: number, letter: string): string {
  const place = at % word.length;
  return (
    word.slice(0, place) +
    (slip === 'left out' ? '' : letter) +
    word.slice(place + (slip === 'too much' ? 0 : 1))
  );
}

test('a misspelt word of any command is the one that is marked', t => {
  const slip = fc.record({
    command: fc.nat({ max: real.length - 1 }),
    word: fc.nat({ max: 5 }),
    slip: fc.constantFrom<Slip>('left out', 'too much', 'another'),
    at: fc.nat({ max: 20 }),
    letter: fc.constantFrom(...LETTERS),
    isWhole: fc.boolean(),
  });
  fc.assert(
    fc.property(slip, ({ command: index, word, slip, at, letter, isWhole }) => {
      const command = real[index] as Command;
      const words = wordsOf(exampleFor(command));
      const place = word % command.words.split(' ').length;
      const wrong = misspelt(words[place] as string, slip, at, letter);
      const before = words
        .slice(0, place)
        .map(each => `${each} `)
        .join('');
      const { words: own, parameters } = placeAt(real, before);
      // What is left may be an abbreviation, or fit an argument that takes anything.
      fc.pre(wrong !== '' && ![...own.keys()].some(other => other.startsWith(wrong)));
      fc.pre(parameters.every(({ parameter }) => typeOf(parameter).refuse(wrong, parameter) !== undefined));
      const line = [...words.slice(0, place), wrong, ...(isWhole ? words.slice(place + 1) : [])].join(' ');
      const fault = faultOf(real, line);
      t.is(fault?.offset, before.length, line);
      t.true((fault?.expected ?? '').length > 0, line);
      for (const each of own.keys()) {
        if (own.size <= 16 && each !== 'confirm') t.true(fault?.expected.includes(each), `${line}: ${each}`);
      }
    }),
    { numRuns: 3000, seed: runSeed() },
  );
});

/** The lines of the configuration, from where a restarted control would take them. */
function configuration(): string[] {
  const bytes = Uint8Array.from({ length: i32at(CONFIGURATION_AT) }, (_, i) =>
    get8(CONFIGURATION_AT + 4 + i),
  );
  return new TextDecoder().decode(bytes).split('\n');
}

function run(line: string): void {
  const found = findCommand(real, line);
  if ('refusal' in found) throw new Error(found.refusal);
  const job = found.command.run(found.args);
  job?.next();
}

test('every setting can be set as its example says, is then listed, and unset takes it back', t => {
  const settings = real.filter(({ words }) => words.startsWith('set '));
  const lineOf = ({ words }: Command): string =>
    exampleFor(real.find(command => command.words === words) as Command);
  for (const command of settings) {
    if (ON_TRIAL.includes(command.words)) {
      t.throws(
        () => run(lineOf(command)),
        { message: /says .* confirm 5, and then confirm$/ },
        command.words,
      );
      continue;
    }
    t.notThrows(() => run(lineOf(command)), lineOf(command));
    const isListed = configuration().some(
      line => line.startsWith(`${command.words} `) || line === command.words,
    );
    if (!SHORTHANDS.includes(command.words)) t.true(isListed, command.words);
  }
  for (const command of settings.reverse()) {
    const back = real.find(({ words }) => words === `un${command.words}`);
    if (back === undefined) continue;
    t.notThrows(() => run(exampleFor(back)), back.words);
    const [form] = parametersOf(command);
    for (const line of configuration().filter(line => line.startsWith(`${command.words} `))) {
      t.is(line, `${command.words} ${form?.standard}`, 'what is listed all the same is the standard');
    }
  }
});

/** Settings that are taken with `confirm` alone, which the console takes off; each has a test of its own. */
const ON_TRIAL = ['set anti-spoofing'];
/** Commands that are listed as others. */
const SHORTHANDS = ['set wan dhcp', 'set wan static', 'set wan none'];

test('no refusal of unset speaks of set', t => {
  const unsets = real.filter(
    ({ words, arguments: form }) => words.startsWith('unset ') && (form ?? '') !== '',
  );
  t.true(unsets.length > 5);
  for (const command of unsets) {
    const wrong = parametersOf(command).map(() => 'no/such,thing');
    t.throws(() => command.run(wrong), { message: /^Cannot unset / }, command.words);
  }
});

test('what the schema refuses, the command refuses too', t => {
  const wrong = new Map([
    ['address', '1.2.3'],
    ['prefix', '10.0.0.1/33'],
    ['network', '10.0.0.1'],
    ['integer', '99999999999'],
    ['choice', 'perhaps'],
    ['name', 'a!b'],
    ['domain', 'a..b'],
    ['host', '1.2.3'],
    ['client', '1:2'],
    ['card', '0xyz'],
    ['zone', '1'],
    ['hex', 'xyz'],
    ['words', 'perhaps'],
    ['flags', '-x'],
    ['command', 'perhaps'],
  ]);
  for (const command of real) {
    const form = parametersOf(command);
    const right = wordsOf(exampleFor(command)).slice(command.words.split(' ').length);
    for (const [i, parameter] of form.entries()) {
      const bad = wrong.get(parameter.type);
      if (bad === undefined || right.length <= i) continue;
      const args = right.with(i, bad);
      const line = [command.words, ...args].join(' ');
      t.is(faultOf(real, line)?.offset, [command.words, ...right.slice(0, i), ''].join(' ').length, line);
      t.throws(
        () => {
          const job = command.run(args);
          job?.next();
        },
        { instanceOf: Refusal },
        line,
      );
    }
  }
});
