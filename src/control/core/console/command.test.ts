import test from 'ava';
import { type Command, commandsUnder, findCommand, usage } from './command.ts';

const run = () => undefined;
const table: Command[] = [
  { words: 'help', arguments: '[COMMAND:command...9]', help: '', run },
  { words: 'set lan address', arguments: 'ADDRESS/LENGTH:prefix', help: '', run },
  { words: 'set wan address', arguments: 'ADDRESS/LENGTH:prefix', help: '', run },
  { words: 'show masq', help: '', run },
  { words: 'show memory', help: '', run },
  { words: 'ping', arguments: 'ADDRESS:address', help: '', run },
  { words: 'ipchains', arguments: 'OPTION:text...9', help: '', run },
];

function found(line: string): string {
  const result = findCommand(table, line);
  return 'refusal' in result ? result.refusal : [result.command.words, ...result.args].join('|');
}

test('findCommand() finds whole words with their arguments', t => {
  t.is(found('show masq'), 'show masq');
  t.is(found('  set   lan address 10.0.0.1/8 '), 'set lan address|10.0.0.1/8');
  t.is(found('ipchains -M -L -n'), 'ipchains|-M|-L|-n');
  t.is(found('help set lan'), 'help|set|lan');
});

test('findCommand() takes abbreviations of one meaning', t => {
  t.is(found('sh mem'), 'show memory');
  t.is(found('set w a 10.0.0.1/8'), 'set wan address|10.0.0.1/8');
  t.is(found('sh m'), 'Cannot run sh m: it may mean show masq, show memory');
});

test('findCommand() takes no slip for the text of a command that must be typed whole', t => {
  const notes = [...table, { words: 'note', arguments: 'TEXT:text...9', help: '', isWhole: true, run }];
  const first = (line: string): string => {
    const result = findCommand(notes, line);
    return 'refusal' in result ? result.refusal : result.command.words;
  };
  t.is(first('note the modem'), 'note');
  t.is(first('no ip nat'), 'Cannot run no ip nat: there is no such command, see help');
});

test('findCommand() says why there is none', t => {
  t.is(found('shwo masq'), 'Cannot run shwo masq: there is no such command, see help');
  t.is(found('set lan'), 'Cannot run set lan: it is not complete, see help set lan');
  t.is(found('set lan address'), 'Cannot run set lan address: the form is set lan address ADDRESS/LENGTH');
  t.is(found('ping 1.1.1.1 2'), 'Cannot run ping 1.1.1.1 2: the form is ping ADDRESS');
  t.is(found('show masq now'), 'Cannot run show masq now: the form is show masq');
});

test('commandsUnder() answers the commands that start with the words', t => {
  const names = (words: string[]) => commandsUnder(table, words).map(usage);
  t.deepEqual(names(['set']), ['set lan address ADDRESS/LENGTH', 'set wan address ADDRESS/LENGTH']);
  t.deepEqual(names(['show', 'me']), ['show memory']);
  t.is(names([]).length, table.length);
});
