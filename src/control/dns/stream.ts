// DNS messages in a TCP stream: two bytes of length before each. RFC 1035, section 4.2.2; RFC 7766.
// Not here: connections (net/tcp.ts), what is in the messages.

export class MessageStream {
  private readonly most: number;
  private readonly onMessage: (message: Uint8Array) => boolean;
  private buffer = new Uint8Array(0);
  private have = 0;
  /** Bytes of the length that are known, and the length. */
  private lengthBytes = 0;
  private length = 0;

  /** @param onMessage gets each message, whose bytes it may keep and change; false: the stream is not read on. */
  constructor(most: number, onMessage: (message: Uint8Array) => boolean) {
    this.most = most;
    this.onMessage = onMessage;
  }

  /** Takes the next bytes; false if it is not read on: a message is longer than it may be, or onMessage() has said so. */
  take(data: Uint8Array): boolean {
    for (let at = 0; at < data.length; ) {
      if (this.lengthBytes < 2) {
        this.length = (this.length << 8) | (data[at++] as number);
        this.lengthBytes++;
        if (this.lengthBytes < 2) continue;
        if (this.length > this.most) return false;
        this.buffer = new Uint8Array(this.length);
        this.have = 0;
      }
      const part = Math.min(this.length - this.have, data.length - at);
      this.buffer.set(data.subarray(at, at + part), this.have);
      this.have += part;
      at += part;
      if (this.have === this.length) {
        this.lengthBytes = 0;
        this.length = 0;
        if (!this.onMessage(this.buffer)) return false;
      }
    }
    return true;
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
