// DNS messages in a TCP stream: two bytes of length before each. RFC 1035, section 4.2.2; RFC 7766.
// Not here: connections (../core/net/tcp.ts), what is in the messages.

/** What who gets a message wants of the rest: it is read on, or left for later, or the stream is given up. */
export const READ_ON = 0;
export const WAIT = 1;
export const GIVE_UP = 2;

/** Of a message that is longer than may be, so much is handed on: its question is in it. */
const CUT_BYTES = 512;

/** @returns READ_ON, WAIT or GIVE_UP. It may keep and change the message's bytes. */
export type OnMessage = (message: Uint8Array, isWhole: boolean) => number;

export class MessageStream {
  private buffer = new Uint8Array(0);
  private have = 0;
  /** Bytes of the length that are known, and the length. */
  private lengthBytes = 0;
  private length = 0;

  /**
   * @param most the longest message.
   * @param cuts of a longer one the beginning is handed on and the rest passed over; else the stream is given up.
   */
  constructor(
    private readonly most: number,
    private readonly onMessage: OnMessage,
    private readonly cuts = false,
  ) {}

  /** Takes the next bytes. Answers how many; fewer than there are if the rest is to come again later; -1: it is given up. */
  take(data: Uint8Array): number {
    for (let at = 0; at < data.length; ) {
      if (this.lengthBytes < 2) {
        this.length = (this.length << 8) | (data[at++] as number);
        this.lengthBytes++;
        if (this.lengthBytes < 2) continue;
        if (this.length > this.most && !this.cuts) return -1;
        this.buffer = new Uint8Array(this.length > this.most ? CUT_BYTES : this.length);
        this.have = 0;
      }
      const part = Math.min(this.length - this.have, data.length - at);
      const kept = Math.min(part, this.buffer.length - this.have);
      if (kept > 0) this.buffer.set(data.subarray(at, at + kept), this.have);
      this.have += part;
      at += part;
      if (this.have === this.length) {
        const isWhole = this.length <= this.most;
        this.lengthBytes = 0;
        this.length = 0;
        const next = this.onMessage(this.buffer, isWhole);
        if (next === GIVE_UP) return -1;
        if (next === WAIT) return at;
      }
    }
    return data.length;
  }
}

/** A message with its length before it. */
export function framed(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(message.length + 2);
  bytes[0] = message.length >> 8;
  bytes[1] = message.length;
  bytes.set(message, 2);
  return bytes;
}
