// What DNS counts. Not here: who counts it (forwarder.ts, sender.ts).

/** What has happened, for `show dns`. */
export interface Counts {
  queries: number;
  tcp: number;
  local: number;
  cached: number;
  joined: number;
  waited: number;
  forwarded: number;
  repeated: number;
  malformed: number;
  failed: number;
  refused: number;
  spoofed: number;
  rebound: number;
  truncated: number;
}
