// A service, as control starts it. Not here: which there are (src/control/control.ts).

/** What control starts once the plane is set up; the timers and ports that it opens keep it going. */
export interface Service {
  /** @param restarted the plane's tables have outlived control. */
  start(restarted: boolean): void;
}
