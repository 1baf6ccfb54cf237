// Text on its way to a terminal: what the transmit ring has no room for waits here, bounded.
// Nothing blocks: a command with much to say asks `busy` and goes on when it is over.

/** Characters that wait. A page of the longest table rows is 4,000; echo of a paste comes on top. */
export const OUTPUT_LIMIT = 16 * 1024;

/** The way out: the serial port's transmit ring. */
export interface Sink {
  /** Takes what it has room for; answers how many characters. Each is a byte. */
  write(text: string): number;
  /** Takes all of these, or, where it has no room for them, nothing and answers false: a tenth of what write() takes of so many. */
  put?(bytes: Uint8Array): boolean;
}

export interface Output {
  /** Adds text, at most up to the limit; what does not fit is lost and counted. */
  write(text: string): void;
  /** Adds a line. */
  line(text: string): void;
  /** Adds text that is there as bytes, without line feeds. */
  echo?(bytes: Uint8Array): void;
  /** Lets what is written from now on go elsewhere, or here again; answers where it went before. */
  divert(taker: ((text: string) => void) | undefined): ((text: string) => void) | undefined;
  /** Hands on what the sink has room for. */
  flush(): void;
  /** Forgets what waits, for ^C. */
  discard(): void;
  /** Whether something still waits. */
  readonly busy: boolean;
  /** Line feeds written; the pager sets it back. */
  rows: number;
}

export function createOutput(sink: Sink): Output {
  let waiting = '';
  let lost = 0;
  let taker: ((text: string) => void) | undefined;

  function flush(): void {
    if (waiting !== '') waiting = waiting.slice(sink.write(waiting));
    if (waiting === '' && lost > 0) {
      waiting = `\r\n[${lost} characters of output lost]\r\n`;
      lost = 0;
    }
  }

  function write(text: string): void {
    if (taker !== undefined) {
      taker(text);
      return;
    }
    for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) result.rows++;
    if (waiting === '' && lost === 0) {
      waiting = text.slice(sink.write(text));
      if (waiting.length > OUTPUT_LIMIT) {
        lost += waiting.length - OUTPUT_LIMIT;
        waiting = waiting.slice(0, OUTPUT_LIMIT);
      }
      return;
    }
    const room = OUTPUT_LIMIT - waiting.length;
    // Once something is lost, all that follows is, so that what arrives is a true beginning.
    if (lost === 0 && text.length <= room) waiting += text;
    else lost += text.length;
  }

  const result: Output = {
    rows: 0,
    write,
    line: text => write(`${text}\r\n`),
    echo: bytes => {
      const isDirect = taker === undefined && waiting === '' && lost === 0;
      if (!isDirect || sink.put?.(bytes) !== true)
        write(String.fromCharCode.apply(null, bytes as unknown as number[]));
    },
    divert: to => {
      const before = taker;
      taker = to;
      return before;
    },
    flush,
    discard: () => {
      waiting = '';
      lost = 0;
    },
    get busy() {
      return waiting !== '' || lost > 0;
    },
  };
  return result;
}
