// A dumb terminal for tests: printable characters, CR, LF, backspace and bell, 80 columns, no wrapping back.

/** What the pager asks; `a` is "all the rest". */
export const MORE = /-- more: [^-]*--$/;

/** The rows under a wrong word: a caret, and what was expected beside or below it. */
const MARK = /^ +\^(?: expected: .*)?\r?\n|^ +expected: .*\r?\n(?: {12}\S.*\r?\n)*/gm;

/** What a command printed, without the pager's questions and the marks under wrong words. */
export function plainOutput(text: string): string {
  return text.replace(/-- more: [^-]*--\r +\r/g, '').replace(MARK, '');
}

export interface Screen {
  write(text: string): void;
  /** The lines so far, without trailing spaces. */
  lines(): string[];
  /** The line the cursor is in, without trailing spaces, and the cursor's column. */
  current(): { text: string; column: number };
  /** Everything written, as it came. */
  raw(): string;
}

export function createScreen(): Screen {
  const rows: string[] = [''];
  let column = 0;
  let all = '';

  function put(character: string): void {
    const row = (rows[rows.length - 1] as string).padEnd(column);
    rows[rows.length - 1] = row.slice(0, column) + character + row.slice(column + 1);
    column++;
    if (column > 79) throw new Error(`Column 80 was written: ${rows[rows.length - 1]}`);
  }

  return {
    write: text => {
      all += text;
      for (const character of text) {
        if (character === '\r') column = 0;
        else if (character === '\n') rows.push('');
        else if (character === '\b') {
          if (column === 0) throw new Error('Backspace at the left edge');
          column--;
        } else if (character >= ' ' && character <= '~') put(character);
        else if (character !== '\x07')
          throw new Error(`A dumb terminal does not know ${JSON.stringify(character)}`);
      }
    },
    lines: () => rows.map(row => row.trimEnd()),
    current: () => ({ text: (rows[rows.length - 1] as string).trimEnd(), column }),
    raw: () => all,
  };
}
