// A rate: so many at once, then one more each so many ticks. Not here: what is limited (server.ts, leases.ts).

import { since } from '../clock.ts';

/** Takes one, given the time: false if none is left. With a count, so many as far as they are there. */
export type Bucket = (now: number, count?: number) => boolean;

export function createBucket(burst: number, ticks: number): Bucket {
  let left = burst;
  let at: number | undefined;
  return (now, count = 1) => {
    at ??= now;
    const passed = since(now, at);
    if (passed >= ticks || passed < 0) {
      // After a pause that the tick counter cannot measure, everything has come back.
      left = passed < 0 ? burst : Math.min(burst, left + Math.floor(passed / ticks));
      at = passed < 0 ? now : (now - (passed % ticks)) | 0;
    }
    if (left === 0) return false;
    left = Math.max(0, left - count);
    return true;
  };
}
