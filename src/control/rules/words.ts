// A line's words as a shell makes them: quotes keep blanks, and a backslash the next character. And a word as iptables-save writes
// it. Not here: variables and all else that a shell does.

const QUOTE = 34;
const APOSTROPHE = 39;
const BACKSLASH = 92;
const BLANK = 32;

/** Whether words that were split at blanks may be parts of quoted ones. */
export function isQuoted(line: string): boolean {
  return line.indexOf('"') >= 0 || line.indexOf("'") >= 0 || line.indexOf('\\') >= 0;
}

/** The words of a line; undefined if a quote is not closed. */
export function splitWords(line: string): string[] | undefined {
  if (!isQuoted(line)) return line.split(' ').filter(word => word !== '');
  const words: string[] = [];
  let word = '';
  let isWord = false;
  let quote = 0;
  for (let i = 0; i < line.length; i++) {
    const c = line.charCodeAt(i);
    if (quote === 0 && (c === BLANK || c === 9)) {
      if (isWord) words.push(word);
      word = '';
      isWord = false;
    } else if (quote === 0 && (c === QUOTE || c === APOSTROPHE)) {
      quote = c;
      isWord = true;
    } else if (c === quote) quote = 0;
    else {
      isWord = true;
      // Between double quotes it is itself before all but these.
      if (c === BACKSLASH && quote !== APOSTROPHE && i + 1 < line.length) {
        const next = line.charAt(i + 1);
        if (quote === 0 || next === '"' || next === '\\' || next === "'") i++;
      }
      word += line.charAt(i);
    }
  }
  if (isWord) words.push(word);
  return quote === 0 ? words : undefined;
}

/** The words of a command as the console has split them, with quoted ones put together again; undefined if a quote is not closed. */
export function rejoined(words: readonly string[]): readonly string[] | undefined {
  const text = words.join(' ');
  return isQuoted(text) ? splitWords(text) : words;
}

/** A word for a saved line: quoted where it has anything but letters, digits, _ and -. */
export function quoted(text: string): string {
  let isPlain = text !== '';
  for (let i = 0; i < text.length && isPlain; i++) {
    const c = text.charCodeAt(i);
    isPlain = c === 45 || c === 95 || (c >= 48 && c < 58) || (c >= 65 && c < 91) || (c >= 97 && c < 123);
  }
  if (isPlain) return text;
  let inner = '';
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    inner += c === '"' || c === '\\' || c === "'" ? `\\${c}` : c;
  }
  return `"${inner}"`;
}
