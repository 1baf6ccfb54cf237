// A rate: so many at once, then one more each so many ticks. Not here: what is limited (server.ts, leases.ts).

import { since } from '../clock.ts';

/** Answers a function that takes one, given the time: false if none is left. */
export function createBucket(burst: number, ticks: number): (now: number) => boolean {
  let left = burst;
  let at: number | undefined;
  return now => {
    at ??= now;
    const passed = since(now, at);
    if (passed >= ticks || passed < 0) {
      // After a pause that the tick counter cannot measure, everything has come back.
      left = passed < 0 ? burst : Math.min(burst, left + Math.floor(passed / ticks));
      at = passed < 0 ? now : (now - (passed % ticks)) | 0;
    }
    if (left === 0) return false;
    left--;
    return true;
  };
}
