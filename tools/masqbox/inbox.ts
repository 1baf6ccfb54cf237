// Bytes that have come and wait for their reader, and a reader that waits for bytes.

const NOTHING = new Uint8Array(0);

export class Inbox {
  private readonly waiting: Uint8Array[] = [];
  private wake: () => void = () => {};
  private failure: Error | undefined;
  private interruption: Error | undefined;

  put(bytes: Uint8Array): void {
    if (bytes.length > 0) this.waiting.push(bytes);
    this.wake();
  }

  /** There will be no more. */
  end(failure: Error): void {
    this.failure ??= failure;
    this.wake();
  }

  /** Who waits, or waits next, waits no longer; after that all is as before. */
  interrupt(why: Error): void {
    this.interruption = why;
    this.wake();
  }

  /** What has come, or nothing when nothing came in time. Throws once there will be no more, or when interrupted. */
  async some(milliseconds: number): Promise<Uint8Array> {
    const isReady = this.waiting.length > 0 || (this.failure ?? this.interruption) !== undefined;
    if (!isReady && milliseconds > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, milliseconds);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const { interruption } = this;
    this.interruption = undefined;
    if (interruption !== undefined) throw interruption;
    const bytes = this.waiting.shift();
    if (bytes === undefined && this.failure !== undefined) throw this.failure;
    return bytes ?? NOTHING;
  }

  /** The next byte, or undefined when none came in time. */
  async next(milliseconds: number): Promise<number | undefined> {
    const bytes = await this.some(milliseconds);
    if (bytes.length > 1) this.waiting.unshift(bytes.subarray(1));
    return bytes[0];
  }
}
