// Who asks: the message that the DHCP server is reading, the client that it is from, and the running leases of others to
// which that client has a claim.
//
// A client is its identifier, RFC 4361. But a station may have several (a boot ROM, two systems), and the reservation of an
// address may be several stations' (cable and radio of a laptop): whoever of them asks is given the address of the other's
// running lease, if nobody answers for it. Where two stations have one identifier (copies of a system) and the first
// answers, the second is known by its station address.
// Not here: what is answered (server.ts).

import { createKey, type Key, keyFrom } from './client-key.ts';
import { BOUND, type LeaseTable } from './lease-table.ts';
import { BOOTREQUEST, HTYPE_ETHERNET, Reader } from './message.ts';
import { OPTION_CLIENT_IDENTIFIER } from './options.ts';
import type { Pool, Reservation } from './pool.ts';

const NO_BYTES = new Uint8Array(0);

export class Asker {
  readonly reader = new Reader();
  readonly key: Key = createKey();
  reservation: Reservation | undefined;
  data: Uint8Array = NO_BYTES;

  constructor(
    private readonly table: LeaseTable,
    private readonly pool: Pool,
  ) {}

  /** Takes a message apart and says whose it is; false if it is none for us. */
  read(data: Uint8Array): boolean {
    const { reader, pool, key } = this;
    if (reader.parse(data) !== undefined || reader.op !== BOOTREQUEST) return false;
    const { chaddr, giaddr } = reader;
    const id = reader.bytes(OPTION_CLIENT_IDENTIFIER);
    if (id.length < 2 && chaddr.length === 0) return false; // nobody
    // A relay of another network: there is no pool for it.
    if (giaddr !== 0 && (!pool.isLocal(giaddr) || giaddr === pool.router)) return false;
    keyFrom(key, id, reader.htype, chaddr);
    if (this.table.hasCopies) this.tellApart();
    this.data = data;
    this.reservation = pool.reservationOf(id, chaddr);
    return true;
  }

  /** Whether a record is of the station that has sent the message. */
  isStationOf(slot: number): boolean {
    return this.table.isOf(slot, this.reader.htype, this.reader.chaddr);
  }

  /** Whether a station address is the client's. */
  isStation(mac: Uint8Array): boolean {
    const { chaddr } = this.reader;
    return chaddr.length === mac.length && chaddr.every((byte, i) => byte === mac[i]);
  }

  /** Its identifier is another station's, too: it is known by its station address from now on. */
  noteCopy(slot: number): void {
    this.table.setCopied(slot);
    this.tellApart();
  }

  private tellApart(): void {
    const { table, key, reader } = this;
    const slot = table.find(key);
    if (slot >= 0 && table.isCopied(slot) && !this.isStationOf(slot))
      keyFrom(key, NO_BYTES, reader.htype, reader.chaddr);
  }

  /**
   * The running lease of which must be known, before the client is served, whether anybody uses it: its own, but another
   * station's; that of another host of its reservation, or of its station by another identifier. Or -1.
   */
  doubtful(): number {
    const { table, pool, key, reader, reservation } = this;
    const mine = table.find(key);
    if (mine >= 0 && table.stateOf(mine) === BOUND && !this.isStationOf(mine)) return mine;
    if (reservation !== undefined) {
      if (mine >= 0 && table.addressOf(mine) === reservation.address) return -1;
      const fellow = pool.fellow(reservation);
      if (fellow >= 0 || pool.isFreeFor(reservation.address, mine)) return fellow;
    }
    const twin = mine >= 0 || reader.htype !== HTYPE_ETHERNET ? -1 : table.ofStation(reader.chaddr);
    return twin >= 0 && pool.mayKeep(twin, reservation, false) ? twin : -1;
  }

  /** Whether it may take up an address that it has had, as it says, and that is not in its record. */
  mayReclaim(address: number): boolean {
    const { pool, reservation, reader } = this;
    if (pool.mayAdopt(address, reservation, reader.htype, reader.chaddr)) return true;
    return reservation?.address === address && pool.fellow(reservation) >= 0;
  }

  /** The client's station, six bytes for the log, whatever the hardware. */
  get mac(): Uint8Array {
    const mac = new Uint8Array(6);
    mac.set(this.reader.chaddr.subarray(0, 6));
    return mac;
  }
}
