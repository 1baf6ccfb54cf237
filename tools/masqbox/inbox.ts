// Bytes that have come and wait for their reader, and a reader that waits for bytes.

const NOTHING = new Uint8Array(0);

export class Inbox {
  private readonly waiting: Uint8Array[] = [];
  private wake: () => void = () => {};
  private failure: Error | undefined;

  put(bytes: Uint8Array): void {
    if (bytes.length > 0) this.waiting.push(bytes);
    this.wake();
  }

  /** There will be no more. */
  end(failure: Error): void {
    this.failure ??= failure;
    this.wake();
  }

  /** What has come, or nothing when nothing came in time. Throws once there will be no more. */
  async some(milliseconds: number): Promise<Uint8Array> {
    if (this.waiting.length === 0 && this.failure === undefined && milliseconds > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, milliseconds);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
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
