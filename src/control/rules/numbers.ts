// Numbers and addresses as C reads them: decimal, 0x and octal with a zero before it. All answer NaN for what is none, as no valid
// one is.

/** A number from 0 to `most`; NaN if it is none. */
export function parseNumber(text: string, most: number): number {
  const { length } = text;
  let base = 10;
  let i = 0;
  if (length > 1 && text.charCodeAt(0) === 48) {
    base = 8;
    i = 1;
    if ((text.charCodeAt(1) | 32) === 120) {
      base = 16;
      i = 2;
    }
  }
  if (i === length) return Number.NaN;
  let value = 0;
  for (; i < length; i++) {
    let digit = text.charCodeAt(i) - 48;
    if (digit > 9) digit = (text.charCodeAt(i) | 32) - 87;
    if (digit < 0 || digit >= base || (base === 16 && digit > 9 && text.charCodeAt(i) < 65))
      return Number.NaN;
    value = value * base + digit;
    if (value > most) return Number.NaN;
  }
  return value;
}

/** An address, one part to four: those that are missing are 0, as in 10/8. */
export function parseDotted(text: string, isWhole: boolean): number {
  let address = 0;
  let parts = 0;
  for (let from = 0; from <= text.length; parts++) {
    const dot = text.indexOf('.', from);
    const end = dot < 0 ? text.length : dot;
    const part = parts === 4 ? Number.NaN : parseNumber(text.slice(from, end), 255);
    if (Number.isNaN(part)) return part;
    address |= part << (24 - 8 * parts);
    from = end + 1;
  }
  return isWhole && parts !== 4 ? Number.NaN : address;
}

/** A mask: the length of its prefix, or its four numbers. */
export function parseMask(text: string): number {
  if (text.indexOf('.') >= 0) return parseDotted(text, true);
  const length = parseNumber(text, 32);
  return length === 0 ? 0 : Number.isNaN(length) ? length : -1 << (32 - length);
}

/** How long a mask's prefix is, -1 if it is none. */
export function prefixLength(mask: number): number {
  const length = Math.clz32(~mask);
  return length === 0 ? (mask === 0 ? 0 : -1) : mask << length === 0 || length === 32 ? length : -1;
}
