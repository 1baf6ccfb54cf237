// A terminal of 80 columns and 24 rows at a machine's serial line: xterm, without a screen.
// Every wait is for what is seen, and is bounded; one that fails shows the screen.

import xterm from '@xterm/headless';
import { PATIENCE_SECONDS } from '../../tools/harness/processes.ts';
import type { Machine } from '../../tools/harness/qemu.ts';

export const COLUMNS = 80;
export const ROWS = 24;
const FLOW = { XON: 0x11, XOFF: 0x13 };

export class Terminal {
  readonly #terminal = new xterm.Terminal({ cols: COLUMNS, rows: ROWS, allowProposedApi: true });
  readonly #listeners = new Set<() => void>();
  /** Bytes that are on the screen. */
  #shown = 0;
  /** Every XON and XOFF that came and was not waited for. */
  readonly #flow: number[] = [];

  constructor(readonly machine: Machine) {
    machine.console.watcher = bytes => {
      this.#flow.push(...bytes.filter(byte => byte === FLOW.XON || byte === FLOW.XOFF));
      this.#terminal.write(bytes, () => {
        this.#shown += bytes.length;
        for (const listener of [...this.#listeners]) listener();
      });
    };
  }

  /** The screen's rows without trailing spaces, and without the empty ones at the end. */
  screen(): string[] {
    const { active } = this.#terminal.buffer;
    const rows = Array.from({ length: ROWS }, (_, i) =>
      (active.getLine(active.baseY + i)?.translateToString(true) ?? '').trimEnd(),
    );
    while (rows.at(-1) === '') rows.pop();
    return rows;
  }

  /** The cursor's column. */
  private cursor(): number {
    return this.#terminal.buffer.active.cursorX;
  }

  /** Types keys, and waits for a screen that is newer; answers it. */
  async expect(keys: string, until: (rows: string[]) => boolean, what: string): Promise<string[]> {
    const before = keys === '' ? -1 : this.#shown;
    let seen: string[] = [];
    this.machine.console.write(keys);
    await this.#wait(
      () => {
        if (this.#shown <= before) return false;
        // What comes next may be on the screen before the wait returns.
        seen = this.screen();
        return until(seen);
      },
      () => `${what} after ${JSON.stringify(keys)}`,
    );
    return seen;
  }

  /** Types keys, and waits for the last row, and for the cursor to be in a column of it. */
  async row(keys: string, last: RegExp, column?: number): Promise<string[]> {
    const isThere = (): boolean => column === undefined || this.cursor() === column;
    const what = `${last}${column === undefined ? '' : `, the cursor in column ${column}`}`;
    return await this.expect(keys, rows => last.test(rows.at(-1) ?? '') && isThere(), what);
  }

  /**
   * Types keys, and waits for an empty prompt, with the cursor behind its space: what came later than the wait's end
   * would be taken for the answer to the next keys.
   */
  async prompt(keys: string): Promise<string[]> {
    return await this.row(keys, /^masqbox>$/, 'masqbox> '.length);
  }

  /** Waits for a sign of the line's flow control, the next that comes or has come. */
  readonly seeFlow = async (sign: 'XON' | 'XOFF'): Promise<void> => {
    await this.#wait(
      () => this.#flow.length > 0,
      () => sign,
    );
    const next = this.#flow.shift();
    if (next !== FLOW[sign]) throw new Error(`Cannot see ${sign}: the other came`);
  };

  async #wait(isOver: () => boolean, what: () => string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const look = (): void => {
        if (!isOver()) return;
        clearTimeout(timer);
        this.#listeners.delete(look);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#listeners.delete(look);
        reject(new Error(`Cannot see ${what()}:\n${this.screen().join('\n')}`));
      }, PATIENCE_SECONDS * 1000);
      this.#listeners.add(look);
      look();
    });
  }
}
