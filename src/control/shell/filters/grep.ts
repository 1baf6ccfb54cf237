// `grep`: -v -q -i -c -n -l -o -w -x -s -e -h, and -E and -F.

import type { Io } from '../streams.ts';
import { linesOf, optionsOf, SLICE_LINES, textOf } from './lines.ts';
import { Regex } from './regex.ts';

type Match = (line: string) => number[] | undefined;

function matcher(values: Map<string, string>, pattern: string, isExtended: boolean, isFixed: boolean): Match {
  const isCaseless = values.has('i') || values.has('y');
  const parts = pattern.split('\n').map(part => {
    const text = isFixed ? part.replace(/[\\.*[\]^$]/g, '\\$&') : part;
    return new Regex(text, isExtended && !isFixed, isCaseless);
  });
  const fits = (regex: Regex, line: string): number[] | undefined => {
    for (let from = 0; from <= line.length; ) {
      const found = regex.exec(line, from);
      if (found === undefined) return undefined;
      const [start, end] = found as [number, number];
      if (values.has('x') && (start !== 0 || end !== line.length)) return undefined;
      const isWord = !/\w/.test(line[start - 1] ?? ' ') && !/\w/.test(line[end] ?? ' ');
      if (!values.has('w') || isWord) return found;
      from = start + 1;
    }
    return undefined;
  };
  return line => {
    for (const regex of parts) {
      const found = fits(regex, line);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** A whole line is meant by -x: then the longest way is tried by its ends. */
function anchored(pattern: string, isExtended: boolean): string {
  return pattern
    .split('\n')
    .map(part => (isExtended ? `^(${part})$` : `^\\(${part}\\)$`))
    .join('\n');
}

export function* grep(args: readonly string[], io: Io): Generator<number, number, void> {
  const { values, files } = optionsOf(args, 'vqicnlowxshEFGy', 'em');
  const isFixed = values.has('F') || args[0] === 'fgrep';
  const isExtended = values.has('E') || args[0] === 'egrep';
  let pattern = values.get('e') ?? files.shift();
  if (pattern === undefined) {
    io.complain('usage: grep [OPTION]... PATTERN [FILE]...');
    return 2;
  }
  if (values.has('x') && !isFixed) pattern = anchored(pattern, isExtended);
  const match = matcher(values, pattern, isExtended, isFixed);
  const isNamed = files.length > 1 && !values.has('h');
  const most = Number(values.get('m') ?? Number.POSITIVE_INFINITY);
  let status = 1;
  let isFaulty = false;
  for (const file of files.length === 0 ? ['-'] : files) {
    const quiet: Io = values.has('s') ? { ...io, complain: () => {} } : io;
    const { text, isMissed } = textOf(quiet, [file]);
    isFaulty ||= isMissed;
    const start = isNamed ? `${file}:` : '';
    let count = 0;
    for (const [i, line] of linesOf(text).entries()) {
      if (i % SLICE_LINES === SLICE_LINES - 1) yield 0;
      if (count >= most) break;
      const found = match(line);
      if ((found !== undefined) === values.has('v')) continue;
      count++;
      status = 0;
      if (values.has('q') || values.has('l')) break;
      if (values.has('c')) continue;
      const number = values.has('n') ? `${i + 1}:` : '';
      if (values.has('o')) only(io, match, line, start + number);
      else io.write(`${start}${number}${line}\n`);
    }
    if (values.has('q') && status === 0) return 0;
    if (values.has('l') && count > 0) io.write(`${file === '-' ? '(standard input)' : file}\n`);
    else if (values.has('c')) io.write(`${start}${count}\n`);
  }
  return isFaulty ? 2 : status;
}

/** -o: what fits, a line each. */
function only(io: Io, match: Match, line: string, start: string): void {
  let rest = line;
  for (let found = match(rest); found !== undefined && rest !== ''; found = match(rest)) {
    const [from = 0, to = 0] = found;
    if (to > from) io.write(`${start}${rest.slice(from, to)}\n`);
    rest = rest.slice(Math.max(to, from + 1));
  }
}
