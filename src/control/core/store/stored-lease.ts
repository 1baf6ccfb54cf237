// A lease as it is kept over a power cut. Not here: where (lease-store.ts), the server's table (src/control/dhcp/lease-table.ts).

/** The part of a lease's time by which a renewal must extend what the store knows: every other one at half. */
export const NOTE_GAIN = 0.75;

/** A lease as a store keeps it. */
export interface StoredLease {
  address: number;
  key: Uint8Array;
  htype: number;
  chaddr: Uint8Array;
  name: string;
  /** Seconds that are left, 0 if it has ended. */
  seconds: number;
}

/**
 * Where leases outlive power. Each is noted when it begins and when it is released, and while it is renewed once
 * in NOTE_GAIN of its time at most; all together at most DHCP_NOTE_BURST, then one in DHCP_NOTE_SECONDS.
 */
export interface LeaseStore {
  load(add: (lease: StoredLease) => void): void;
  note(lease: StoredLease): void;
}
