// Leases of the DHCP server, and the WAN's last address, in the flash log: what a lease is as bytes, and what is left
// of its time when the board comes back.
//
//    0       4         8       9      10           11            12
//    | until | seconds | htype | hlen | key length | name length | chaddr | key | name |
//
// `until` is Unix time, 0 if nobody knew it; `seconds` what the lease had left when it was noted. A renewal is not
// always noted (src/control/dhcp/lease-table.ts), so a lease may run longer than its record says: by NOTE_GAIN of its time at most, which is
// added. Where the time is not known now or was not then, nobody can say how long the board was off, and the lease
// counts anew: too long does no harm, as the address is only kept for its client.
// A key that is htype and chaddr is left out, a long name is cut: it is told again with the next renewal.
//
// Not here: when this is written (store.ts), the ring of sectors (journal.ts).

import { LOG_KIND_LEASE } from '../../../base/layout.ts';
import type { Entry } from './journal.ts';
import { NOTE_GAIN, type StoredLease } from './stored-lease.ts';

const AT_UNTIL = 0;
const AT_SECONDS = 4;
const AT_HTYPE = 8;
const AT_HLEN = 9;
const AT_KEY_LENGTH = 10;
const AT_NAME_LENGTH = 11;
const AT_CHADDR = 12;
/** So that 256 leases of clients with long identifiers take less than two thirds of the log. */
const NAME_MOST = 24;

/** @param now Unix time in seconds, or undefined. */
export function leaseEntry(lease: StoredLease, now: number | undefined): Entry {
  const { address, key, htype, chaddr, seconds } = lease;
  const isOwnKey =
    key.length !== chaddr.length + 1 || key[0] !== htype || chaddr.some((byte, i) => byte !== key[i + 1]);
  const kept = isOwnKey ? key : key.subarray(0, 0);
  const name = lease.name.slice(0, NAME_MOST);
  const payload = new Uint8Array(AT_CHADDR + chaddr.length + kept.length + name.length);
  const view = new DataView(payload.buffer);
  view.setUint32(AT_UNTIL, now === undefined ? 0 : now + seconds, true);
  view.setUint32(AT_SECONDS, seconds, true);
  payload[AT_HTYPE] = htype;
  payload[AT_HLEN] = chaddr.length;
  payload[AT_KEY_LENGTH] = kept.length;
  payload[AT_NAME_LENGTH] = name.length;
  payload.set(chaddr, AT_CHADDR);
  payload.set(kept, AT_CHADDR + chaddr.length);
  for (let i = 0; i < name.length; i++)
    payload[AT_CHADDR + chaddr.length + kept.length + i] = name.charCodeAt(i);
  return { kind: LOG_KIND_LEASE, key: address, payload };
}

/** The lease of a record, or undefined if it is none. */
export function leaseOf({ key: address, payload }: Entry, now: number | undefined): StoredLease | undefined {
  const at = (index: number): number => payload[index] ?? 0;
  const [hlen, keyLength, nameLength] = [at(AT_HLEN), at(AT_KEY_LENGTH), at(AT_NAME_LENGTH)];
  const keyAt = AT_CHADDR + hlen;
  const nameAt = keyAt + keyLength;
  if (payload.length < AT_CHADDR || hlen > 16 || payload.length !== nameAt + nameLength) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const until = view.getUint32(AT_UNTIL, true);
  const noted = view.getUint32(AT_SECONDS, true);
  const most = Math.ceil(noted * (1 + NOTE_GAIN));
  const left = until === 0 || now === undefined ? noted : until - now + Math.ceil(noted * NOTE_GAIN);
  return {
    address,
    key: payload.slice(keyAt, nameAt),
    htype: at(AT_HTYPE),
    chaddr: payload.slice(AT_CHADDR, keyAt),
    name: String.fromCharCode(...payload.subarray(nameAt)),
    // A clock that was put back must not make a lease longer than any can be.
    seconds: noted === 0 ? 0 : Math.min(most, Math.max(0, left)),
  };
}
