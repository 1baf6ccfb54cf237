// UTF-8 as it comes from a terminal, a character of a string for each byte (RFC 3629): where a letter begins, and
// how many columns it takes. Text is passed through as bytes; only the line editor must know what is one key.

/** Whether a byte continues a letter. */
export function continues(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xc0) === 0x80;
}

/** The start of the letter before a place. */
export function before(text: string, at: number): number {
  let start = at - 1;
  while (start > 0 && continues(text, start)) start--;
  return start;
}

/** The end of the letter at a place. */
export function behind(text: string, at: number): number {
  let end = at + 1;
  while (continues(text, end)) end++;
  return end;
}

/** Where a text ends that is not empty, without a last letter of which bytes are still to come. */
export function wholeEnd(text: string): number {
  const start = before(text, text.length);
  const first = text.charCodeAt(start);
  const bytes = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return text.length - start < bytes ? start : text.length;
}

/**
 * Columns of a text. Letters of East Asia and pictures take two; by their first byte alone this is true of all but
 * a few rare scripts, and a wrong guess is put right by ^L.
 */
export function columnsOf(text: string): number {
  let columns = 0;
  for (let i = 0; i < text.length; i++) {
    const byte = text.charCodeAt(i);
    if (byte < 0x80 || byte >= 0xc0) columns += (byte >= 0xe3 && byte <= 0xed) || byte >= 0xf0 ? 2 : 1;
  }
  return columns;
}
