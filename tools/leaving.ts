// The keys that leave the console of `npm start`, and the terminal's state afterwards, on the emulated 486 and on the sim
// board alike.

/** Ctrl-]: leaves, as in telnet. Ctrl-A belongs to the line editor. */
const LEAVE = 0x1d;
const INTERRUPT = 0x03;
/** Ctrl-C goes to the board; a second one this soon leaves. */
const TWICE_MILLISECONDS = 1000;

/** Answers a function that is given what is typed, and says whether it leaves. @param now milliseconds */
export function createLeaving(now: () => number = () => performance.now()): (bytes: Uint8Array) => boolean {
  let interruptedAt = Number.NEGATIVE_INFINITY;
  return bytes => {
    for (const byte of bytes) {
      if (byte === LEAVE) return true;
      if (byte !== INTERRUPT) continue;
      if (now() - interruptedAt < TWICE_MILLISECONDS) return true;
      interruptedAt = now();
    }
    return false;
  };
}

/** Gives the terminal back as it was. One that has been closed takes nothing any more, and what is left to do goes on. */
export function releaseTerminal(stdin: Pick<NodeJS.ReadStream, 'isTTY' | 'setRawMode' | 'destroy'>): void {
  try {
    if (stdin.isTTY) stdin.setRawMode(false);
  } catch {
    // EIO: nobody is there
  }
  stdin.destroy();
}
