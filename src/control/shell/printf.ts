// `echo` and `printf` (POSIX, Utilities): text with escapes, and with values in their places. `echo` is that of the time's shells:
// it takes -n and -e, and understands escapes with -e alone.

import { TEXT_MOST } from './streams.ts';

const LETTERS: Record<string, string> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  e: '\x1b',
};

/** A text with its escapes replaced; `isEnd`: it ends all output (\c). Octal numbers begin with 0 where they are an argument's. */
export function unescaped(text: string, isArgument: boolean): { text: string; isEnd: boolean } {
  if (!text.includes('\\')) return { text, isEnd: false };
  let result = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '\\' || i + 1 >= text.length) {
      result += text[i];
      continue;
    }
    const letter = text[++i] as string;
    const known = LETTERS[letter];
    if (letter === 'c' && isArgument) return { text: result, isEnd: true };
    const digits = octalAt(text, i, isArgument);
    if (known !== undefined) result += known;
    else if (digits !== '') {
      result += String.fromCharCode(Number.parseInt(digits, 8) & 255);
      i += digits.length - 1;
    } else if (letter === '0') result += '\0';
    else result += `\\${letter}`;
  }
  return { text: result, isEnd: false };
}

function octalAt(text: string, at: number, isArgument: boolean): string {
  const most = isArgument && text[at] === '0' ? 4 : 3;
  let to = at;
  while (
    to < at + most &&
    text[to] !== undefined &&
    (text[to] as string) >= '0' &&
    (text[to] as string) <= '7'
  )
    to++;
  return text.slice(at, to);
}

/** `echo`. */
export function echoed(words: readonly string[]): string {
  let at = 1;
  let isEscaped = false;
  let isOpen = false;
  for (; at < words.length; at++) {
    const word = words[at] as string;
    if (!/^-[neE]+$/.test(word)) break;
    isOpen ||= word.includes('n');
    if (word.includes('e')) isEscaped = true;
    if (word.includes('E')) isEscaped = false;
  }
  const text = words.slice(at).join(' ');
  const made = isEscaped ? unescaped(text, true) : { text, isEnd: false };
  return made.text + (isOpen || made.isEnd ? '' : '\n');
}

interface Format {
  flags: string;
  width: number;
  precision: number;
}

/** `printf`; complaints are told to `complain`, and make the status 1. */
export function printed(
  words: readonly string[],
  complain: (text: string) => void,
): { text: string; status: number } {
  const format = words[1] as string;
  const values = words.slice(2);
  let result = '';
  let status = 0;
  let next = 0;
  const fail = (text: string): void => {
    complain(text);
    status = 1;
  };
  do {
    const before = next;
    const pattern = /%(?:%|([-+ #0]*)(\*|\d{0,4})(?:\.(\*|\d{0,4}))?([a-zA-Z]?))|\\[\s\S]|[^%\\]+|[\s\S]/g;
    for (let found = pattern.exec(format); found !== null; found = pattern.exec(format)) {
      const [all, flags = '', width = '', precision, letter = ''] = found;
      if (all[0] === '\\') {
        const piece = /^\\[0-7]/.test(all) ? octalAt(format, found.index + 1, false) : '';
        if (piece !== '') pattern.lastIndex = found.index + 1 + piece.length;
        const made = unescaped(piece === '' ? all : `\\${piece}`, false);
        result += made.text;
      } else if (all === '%%') result += '%';
      else if (all[0] !== '%') result += all;
      else {
        const number = (text: string): number => (text === '*' ? Number(values[next++] ?? 0) : Number(text));
        const spec: Format = {
          flags,
          width: number(width),
          precision: precision === undefined ? -1 : number(precision),
        };
        if (!'sdiuoxXcbfeg'.includes(letter) || letter === '') {
          fail(`${all}: invalid directive`);
          return { text: result, status };
        }
        const value = values[next++];
        if (letter === 'b') {
          const made = unescaped(value ?? '', true);
          result += padded(made.text, spec);
          if (made.isEnd) return { text: result, status };
        } else result += formatted(letter, value, spec, fail);
      }
      if (result.length > TEXT_MOST) return { text: result.slice(0, TEXT_MOST), status: 1 };
    }
    if (next === before) break;
  } while (next < values.length);
  return { text: result, status };
}

function padded(text: string, { flags, width }: Format): string {
  const most = Math.min(width, 1000);
  return flags.includes('-') ? text.padEnd(most) : text.padStart(most);
}

/** A number with its fraction. */
function floating(letter: string, number: number, { flags, width, precision }: Format): string {
  const places = Math.min(precision < 0 ? 6 : precision, 20);
  const text =
    letter === 'f'
      ? number.toFixed(places)
      : letter === 'e'
        ? number.toExponential(places)
        : String(Number(number.toPrecision(places || 1)));
  return flags.includes('0') && !flags.includes('-') ? text.padStart(Math.min(width, 1000), '0') : text;
}

function formatted(
  letter: string,
  value: string | undefined,
  format: Format,
  fail: (text: string) => void,
): string {
  const { flags, width, precision } = format;
  const text = value ?? '';
  if (letter === 's') return padded(precision >= 0 ? text.slice(0, precision) : text, format);
  if (letter === 'c') return padded(text.slice(0, 1), format);
  if ('feg'.includes(letter)) return padded(floating(letter, Number(text) || 0, format), format);
  let number = 0;
  if (text[0] === "'" || text[0] === '"') number = text.charCodeAt(1) || 0;
  else if (/^[-+]?(0x[0-9a-f]+|\d+)$/i.test(text))
    number = /^[-+]?0\d/.test(text) ? Number.parseInt(text, 8) : Number(text.replace(/^\+/, ''));
  else if (text !== '' || value !== undefined) {
    const start = /^[-+]?\d+/.exec(text)?.[0];
    number = Number(start ?? 0);
    fail(`${text}: ${start === undefined ? 'expected numeric value' : 'not completely converted'}`);
  }
  const isNegative = number < 0;
  const size = Math.abs(number);
  const base = letter === 'o' ? 8 : letter === 'x' || letter === 'X' ? 16 : 10;
  let digits = (isNegative && base !== 10 ? 2 ** 64 + number : size).toString(base);
  if (letter === 'X') digits = digits.toUpperCase();
  digits = digits.padStart(Math.max(precision, 0), '0');
  const prefix =
    flags.includes('#') && number !== 0 ? (base === 16 ? `0${letter}` : base === 8 ? '0' : '') : '';
  const sign = isNegative && base === 10 ? '-' : flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '';
  if (flags.includes('0') && !flags.includes('-') && precision < 0)
    digits = digits.padStart(Math.min(width, 1000) - sign.length - prefix.length, '0');
  return padded(sign + prefix + digits, format);
}
