// The small filters: cat, head, tail, cut, tr, wc, sort, uniq, tee, rev, seq, basename, dirname.

import { isOfClass } from '../pattern.ts';
import { Fault, type Io } from '../streams.ts';
import { linesOf, optionsOf, SLICE_LINES, textOf } from './lines.ts';

type Filter = (args: readonly string[], io: Io) => number | Generator<number, number, void>;

const SEQUENCE_MOST = 5000;

function cat(args: readonly string[], io: Io): number {
  const { values, files } = optionsOf(args, 'nuvAEeTts', '');
  const { text, isMissed } = textOf(io, files);
  if (!values.has('n')) io.write(text);
  else for (const [i, line] of linesOf(text).entries()) io.write(`${String(i + 1).padStart(6)}\t${line}\n`);
  return isMissed ? 1 : 0;
}

/** `-5` of old is `-n 5`. */
function counted(args: readonly string[]): { count: string; unit: 'n' | 'c'; files: string[] } {
  const own = args.map((word, i) =>
    /^-\d+$/.test(word) && !/^-[nc]$/.test(args[i - 1] ?? '') ? `-n${word.slice(1)}` : word,
  );
  const old = /^\+\d+$/.test(own[1] ?? '') && own[0] === 'tail' ? own.splice(1, 1)[0] : undefined;
  const { values, files } = optionsOf(own, 'qv', 'nc');
  const unit = values.has('c') ? 'c' : 'n';
  const count = old ?? values.get(unit) ?? '10';
  if (!/^[-+]?\d{1,7}$/.test(count)) throw new Fault(`${args[0]}: invalid number of lines: '${count}'`, 1);
  return { count, unit, files };
}

function head(args: readonly string[], io: Io): number {
  const { count, unit, files } = counted(args);
  const { text, isMissed } = textOf(io, files);
  const number = Number(count);
  if (unit === 'c') io.write(text.slice(0, number));
  else {
    const lines = linesOf(text);
    for (const line of lines.slice(0, number < 0 ? Math.max(0, lines.length + number) : number))
      io.write(`${line}\n`);
  }
  return isMissed ? 1 : 0;
}

function tail(args: readonly string[], io: Io): number {
  const { count, unit, files } = counted(args);
  const { text, isMissed } = textOf(io, files);
  const size = Math.abs(Number(count));
  const isFrom = count.startsWith('+');
  if (unit === 'c')
    io.write(isFrom ? text.slice(Math.max(0, size - 1)) : text.slice(Math.max(0, text.length - size)));
  else {
    const lines = linesOf(text);
    for (const line of lines.slice(isFrom ? Math.max(0, size - 1) : Math.max(0, lines.length - size)))
      io.write(`${line}\n`);
  }
  return isMissed ? 1 : 0;
}

/** What a list as 1,3-5,7- has. */
function listed(list: string): (place: number) => boolean {
  const ranges = list.split(/[, ]/).map(part => {
    const found = /^(\d*)(-?)(\d*)$/.exec(part);
    if (found === null || (found[1] === '' && found[3] === '') || found[1] === '0')
      throw new Fault(`cut: invalid field range: ${list}`, 1);
    const from = found[1] === '' ? 1 : Number(found[1]);
    return {
      from,
      to: found[2] === '' ? from : found[3] === '' ? Number.POSITIVE_INFINITY : Number(found[3]),
    };
  });
  return place => ranges.some(({ from, to }) => place >= from && place <= to);
}

function* cut(args: readonly string[], io: Io): Generator<number, number, void> {
  const { values, files } = optionsOf(args, 'sn', 'dfcb');
  const list = values.get('f') ?? values.get('c') ?? values.get('b');
  if (list === undefined) throw new Fault('cut: you must specify a list of bytes, characters, or fields', 1);
  const has = listed(list);
  const delimiter = values.get('d') ?? '\t';
  if (delimiter.length !== 1) throw new Fault('cut: the delimiter must be a single character', 1);
  const { text, isMissed } = textOf(io, files);
  for (const [i, line] of linesOf(text).entries()) {
    if (i % SLICE_LINES === SLICE_LINES - 1) yield 0;
    if (!values.has('f')) io.write(`${[...line].filter((_, place) => has(place + 1)).join('')}\n`);
    else if (line.includes(delimiter)) {
      const fields = line.split(delimiter).filter((_, place) => has(place + 1));
      io.write(`${fields.join(delimiter)}\n`);
    } else if (!values.has('s')) io.write(`${line}\n`);
  }
  return isMissed ? 1 : 0;
}

/** The characters of a set as `a-z` or `[:upper:]`. */
function charactersOf(set: string): string {
  let result = '';
  for (let i = 0; i < set.length; i++) {
    const name = /^\[:(\w+):\]/.exec(set.slice(i))?.[1];
    if (name !== undefined) {
      for (let code = 0; code < 256; code++) if (isOfClass(name, code)) result += String.fromCharCode(code);
      i += name.length + 3;
      continue;
    }
    let character = set[i] as string;
    if (character === '\\') {
      const digits = /^[0-7]{1,3}/.exec(set.slice(i + 1))?.[0];
      const next = set[i + 1] ?? '\\';
      character =
        digits !== undefined
          ? String.fromCharCode(Number.parseInt(digits, 8) & 255)
          : (ESCAPES[next] ?? next);
      i += digits?.length ?? 1;
    }
    const last = set[i + 1] === '-' ? set[i + 2] : undefined;
    if (last === undefined) {
      result += character;
      continue;
    }
    for (let code = character.charCodeAt(0); code <= last.charCodeAt(0); code++)
      result += String.fromCharCode(code);
    i += 2;
  }
  return result;
}

const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' };

function* tr(args: readonly string[], io: Io): Generator<number, number, void> {
  const letters = args
    .slice(1)
    .filter(word => /^-[cCdst]+$/.test(word))
    .join('');
  const sets = args.slice(1).filter(word => !/^-[cCdst]+$/.test(word));
  const isDeleting = letters.includes('d');
  const isSqueezing = letters.includes('s');
  let from = charactersOf(sets[0] ?? '');
  if (/c/i.test(letters)) {
    let rest = '';
    for (let code = 0; code < 256; code++)
      if (!from.includes(String.fromCharCode(code))) rest += String.fromCharCode(code);
    from = rest;
  }
  if (sets.length < (isDeleting || isSqueezing ? 1 : 2)) throw new Fault('tr: missing operand', 1);
  const to = charactersOf(sets[1] ?? '');
  const squeezed = sets.length > 1 ? to : from;
  const text = io.read();
  let result = '';
  for (let i = 0; i < text.length; i++) {
    if (i % 512 === 511) yield 0;
    const place = from.indexOf(text[i] as string);
    let character = text[i] as string;
    if (place >= 0 && isDeleting) continue;
    if (place >= 0 && to !== '' && !isDeleting) character = to[Math.min(place, to.length - 1)] as string;
    const isSame = isSqueezing && result[result.length - 1] === character && squeezed.includes(character);
    if (!isSame || (place < 0 && sets.length < 2)) result += character;
  }
  io.write(result);
  return 0;
}

/** How often a pattern applies; no list of all is made, for which a small board has no room. */
function countOf(text: string, pattern: RegExp): number {
  let count = 0;
  while (pattern.exec(text) !== null) count++;
  return count;
}

function wc(args: readonly string[], io: Io): number {
  const { values, files } = optionsOf(args, 'lwcm', '');
  const { text, isMissed } = textOf(io, files);
  const counts: number[] = [];
  const all = values.size === 0;
  if (all || values.has('l')) counts.push(countOf(text, /\n/g));
  if (all || values.has('w')) counts.push(countOf(text, /\S+/g));
  if (all || values.has('c') || values.has('m')) counts.push(text.length);
  const width = counts.length === 1 ? 0 : 7;
  const name = files.length === 1 ? ` ${files[0]}` : '';
  io.write(`${counts.map(count => String(count).padStart(width)).join(' ')}${name}\n`);
  return isMissed ? 1 : 0;
}

function numberAt(line: string): number {
  return Number(/^\s*(-?\d*\.?\d+)/.exec(line)?.[1] ?? 0);
}

function* sort(args: readonly string[], io: Io): Generator<number, number, void> {
  const { values, files } = optionsOf(args, 'nrufbd', 'kt');
  const { text, isMissed } = textOf(io, files);
  const lines = linesOf(text);
  const found = /^(\d+)(?:\.\d+)?([nr]*)(?:,(\d+)([nr]*))?$/.exec(values.get('k') ?? '1n');
  if (found === null) throw new Fault(`sort: invalid key: ${values.get('k')}`, 2);
  const letters = values.has('k') ? `${found[2]}${found[4] ?? ''}` : '';
  const isNumeric = values.has('n') || letters.includes('n');
  const isReversed = values.has('r') || letters.includes('r');
  const separator = values.get('t');
  const keyOf = (line: string): string => {
    if (!values.has('k')) return line;
    const fields = separator === undefined ? (line.match(/\s*\S+/g) ?? []) : line.split(separator);
    return fields
      .slice(Number(found[1]) - 1, found[3] === undefined ? undefined : Number(found[3]))
      .join(separator ?? '');
  };
  const fold = (text: string): string => (values.has('f') ? text.toUpperCase() : text);
  const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
  const keyed = lines.map(line => ({ line, key: fold(keyOf(line)) }));
  yield 0;
  keyed.sort((a, b) => {
    const first = isNumeric ? numberAt(a.key) - numberAt(b.key) : order(a.key, b.key);
    const rest = first !== 0 || values.has('u') ? first : order(a.line, b.line);
    return isReversed ? -rest : rest;
  });
  let last: string | undefined;
  for (const [i, { line, key }] of keyed.entries()) {
    if (i % SLICE_LINES === SLICE_LINES - 1) yield 0;
    const same = isNumeric ? String(numberAt(key)) : key;
    if (!values.has('u') || same !== last) io.write(`${line}\n`);
    last = same;
  }
  return isMissed ? 2 : 0;
}

function uniq(args: readonly string[], io: Io): number {
  const { values, files } = optionsOf(args, 'cdui', '');
  const { text, isMissed } = textOf(io, files.slice(0, 1));
  const lines = linesOf(text);
  for (let i = 0; i < lines.length; ) {
    let to = i;
    while (to < lines.length && lines[to] === lines[i]) to++;
    const count = to - i;
    const isShown = values.has('d') ? count > 1 : values.has('u') ? count === 1 : true;
    if (isShown) io.write(`${values.has('c') ? `${String(count).padStart(7)} ` : ''}${lines[i]}\n`);
    i = to;
  }
  return isMissed ? 1 : 0;
}

function seq(args: readonly string[], io: Io): number {
  const numbers = args.slice(1).map(Number);
  if (numbers.length < 1 || numbers.length > 3 || numbers.some(Number.isNaN))
    throw new Fault('seq: invalid operand', 1);
  const [first = 1, step = 1, last = 1] =
    numbers.length === 1 ? [1, 1, numbers[0]] : numbers.length === 2 ? [numbers[0], 1, numbers[1]] : numbers;
  if (step === 0 || Math.abs((last - first) / step) > SEQUENCE_MOST)
    throw new Fault(`seq: more than ${SEQUENCE_MOST} numbers`, 1);
  let text = '';
  for (let n = first; step > 0 ? n <= last : n >= last; n += step) text += `${n}\n`;
  io.write(text);
  return 0;
}

function basename(args: readonly string[], io: Io): number {
  const path = (args[1] ?? '').replace(/(.)\/+$/, '$1');
  let name = path === '/' ? path : path.slice(path.lastIndexOf('/') + 1);
  const end = args[2] ?? '';
  if (end !== '' && name !== end && name.endsWith(end)) name = name.slice(0, -end.length);
  io.write(`${name}\n`);
  return 0;
}

function dirname(args: readonly string[], io: Io): number {
  const path = (args[1] ?? '').replace(/(.)\/+$/, '$1');
  const slash = path.lastIndexOf('/');
  io.write(`${slash < 0 ? '.' : slash === 0 ? '/' : path.slice(0, slash).replace(/(.)\/+$/, '$1')}\n`);
  return 0;
}

export const texts: Record<string, Filter> = {
  ...{ cat, head, tail, cut, tr, wc, sort, uniq, seq, basename, dirname },
  rev: (args, io) => {
    for (const line of linesOf(textOf(io, args.slice(1)).text)) io.write(`${[...line].reverse().join('')}\n`);
    return 0;
  },
  tee: (args, io) => {
    if (args.slice(1).some(word => word !== '/dev/null'))
      throw new Fault('tee: files are not written by it here', 1);
    io.write(io.read());
    return 0;
  },
};
