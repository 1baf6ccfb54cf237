// What a serial port has heard last, when nothing comes any more. A caller whose PC was started again says modem commands on a line whose bytes are
// frames still; to the framing they are noise, but they stand in the port's ring. Not here: what is done about it (answer.ts).

import { SERIAL_RX_TAIL, serialAt } from '../../../hal/serial/ns16550.ts';
import { SERIAL_RECEIVE_AT, SERIAL_RECEIVE_BYTES } from '../../base/limits.ts';
import { get8, i32at } from '../../base/memory.ts';

/** As many bytes as the longest commands that matter have. */
const LOOK_BYTES = 80;
const FLAG = 0x7e;
/** By which who is connected asks for his modem (Hayes). */
export const ESCAPE = '+++';
const COMMAND = 'AT';
const GUEST = 'CLIENT';

export class AtRest {
  /** Where the port's ring stood when this was asked last, and where the text begins that nobody has been told. */
  private tail: number;
  private from: number;

  constructor(private readonly port: number) {
    this.tail = i32at(serialAt(port) + SERIAL_RX_TAIL);
    this.from = this.tail;
  }

  /** The text behind the last frame, once, if nothing has come since this was asked before; else ''. */
  look(): string {
    const tail = i32at(serialAt(this.port) + SERIAL_RX_TAIL);
    if (tail !== this.tail) {
      this.tail = tail;
      return '';
    }
    const count = Math.min(LOOK_BYTES, (tail - this.from) | 0);
    this.from = tail;
    let text = '';
    for (let n = 1; n <= count; n++) {
      const at = SERIAL_RECEIVE_AT + this.port * SERIAL_RECEIVE_BYTES;
      const byte = get8(at + ((tail - n) & (SERIAL_RECEIVE_BYTES - 1)));
      if (byte === FLAG) break;
      text = String.fromCharCode(byte & 127) + text;
    }
    return text;
  }
}

/**
 * What a caller wants of the modem that we are, who has said a text and waits: its commands, or '' after an escape; undefined where it is nothing of that
 * kind. @param isTyping he is asked for his name, which may look like a command
 */
export function modemWish(text: string, isTyping: boolean): string | undefined {
  if (text.endsWith(ESCAPE)) return '';
  if (isTyping) return undefined;
  if (text.endsWith(GUEST)) return GUEST;
  const at = text.lastIndexOf(COMMAND);
  return at >= 0 && text.endsWith('\r') ? text.slice(at) : undefined;
}
