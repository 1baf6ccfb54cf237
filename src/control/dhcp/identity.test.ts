// Who a client is: stations with several identifiers, identifiers with several stations, reservations that two stations
// share, names that two hosts give, and clients that the router has forgotten.

import test from 'ava';
import { parseAddress } from '../core/address.ts';
import { DHCP_REBOOT_TICKS } from '../core/limits.ts';
import { fixture } from './alone-lab.ts';
import { keyFrom } from './client-key.ts';
import { ACK, DISCOVER, NAK, OFFER, REQUEST } from './message.ts';
import type { Reservation } from './pool.ts';
import { station } from './server-lab.ts';

const ROM = { id: [0, 1, 2, 3, 4, 5, 6, 7, 8] };
const LINUX = { id: [255, 1, 2, 3, 4, 0, 1, 0, 1, 9, 9, 9, 9, 2, 0, 0, 0, 0, 1] };
const WINDOWS = { id: [1, 2, 0, 0, 0, 0, 1] };
const RESERVED = '192.168.0.20';

function reserve(lab: ReturnType<typeof fixture>, n: number, address: string, name = ''): void {
  const bytes = Uint8Array.of(2, 0, 0, 0, n >> 8, n);
  const entry: Reservation = {
    ...{ client: station(n), bytes, isId: false },
    ...{ address: parseAddress(address) as number, name },
  };
  lab.server.config.reservations = [...lab.server.config.reservations, entry];
}

const name = (lab: ReturnType<typeof fixture>, address: string): string | undefined =>
  lab.server.nameOf(parseAddress(address) as number);

test('a reservation by station address serves whichever identifier asks, and none is refused in mid-life', t => {
  const lab = fixture();
  reserve(lab, 1, RESERVED, 'pc');
  for (const words of [{}, ROM, LINUX, WINDOWS, ROM, LINUX]) {
    t.is(lab.join(1, words), RESERVED);
    t.is(lab.renew(1, RESERVED, words), ACK);
    t.is(lab.server.table.used, 1, 'one lease');
    t.is(name(lab, RESERVED), 'pc');
  }
  // The system that slept while another ran.
  t.is(lab.renew(1, RESERVED, ROM), ACK);
  t.is(lab.renew(1, RESERVED, LINUX), ACK);
  t.is(lab.reboot(1, RESERVED, WINDOWS), ACK);
  t.is(lab.server.table.used, 1);
});

test('without a reservation a station has one lease as well, unless both that ask are there', t => {
  const lab = fixture();
  const address = lab.join(1, ROM);
  t.is(lab.join(1, LINUX), address);
  t.is(lab.renew(1, address, ROM), ACK);
  t.is(lab.join(1, LINUX), address);
  t.is(lab.server.table.active, 1);
  // Two systems at work behind one station address, as by ipvlan.
  lab.holders.set(address, station(1));
  const second = lab.join(1, WINDOWS);
  t.not(second, address);
  t.is(lab.renew(1, address, LINUX), ACK);
  t.is(lab.renew(1, second, WINDOWS), ACK);
  t.is(lab.reboot(1, address, ROM), NAK, 'it is not told from the system that has the address now');
});

test('both systems of a station are there: one has the reserved address, the other keeps what it has', t => {
  const lab = fixture();
  reserve(lab, 1, RESERVED);
  t.is(lab.join(1, ROM), RESERVED);
  lab.holders.set(RESERVED, station(1));
  const other = lab.join(1, LINUX);
  t.regex(other, /^192\.168\.0\.1\d\d$/);
  lab.holders.clear();
  lab.server.revoke(parseAddress(RESERVED) as number);
  t.is(lab.renew(1, other, LINUX), ACK, 'free, but it is in mid-life');
  t.is(lab.reboot(1, other, LINUX), NAK, 'at its next start it gets what is reserved');
  t.is(lab.join(1, LINUX), RESERVED);
});

test('cable and radio share a reserved address: whoever asks while the other is silent', t => {
  const lab = fixture();
  reserve(lab, 1, RESERVED, 'laptop');
  reserve(lab, 2, RESERVED, 'laptop');
  t.is(lab.join(1), RESERVED);
  t.is(lab.join(2), RESERVED, 'the cable is pulled');
  t.is(lab.join(1), RESERVED, 'and put in again');
  t.is(lab.renew(2, RESERVED), NAK, 'another station has it now');
  lab.holders.set(RESERVED, station(1));
  const other = lab.join(2);
  t.not(other, RESERVED);
  t.is(lab.renew(2, other), ACK);
  t.is(lab.reboot(2, other), ACK, 'the first is there');
  lab.holders.clear();
  t.is(lab.renew(2, other), ACK);
  t.is(lab.reboot(2, other), NAK);
  t.is(lab.join(2), RESERVED);
  t.is(lab.join(3, { requested: RESERVED }).startsWith('192.168.0.1'), true, 'nobody else gets it');
});

test('who is offered the silent one’s address and goes elsewhere has not taken it away', t => {
  const lab = fixture();
  reserve(lab, 1, RESERVED);
  reserve(lab, 2, RESERVED);
  t.is(lab.join(1), RESERVED);
  t.is(lab.say(2, DISCOVER, {}, 30)?.type, OFFER);
  t.is(lab.renew(1, RESERVED), ACK);
  t.is(lab.say(2, REQUEST, { requested: RESERVED, server: '192.168.0.1' })?.type, NAK);
});

test('two stations with one identifier: the log says so, and each gets an address', t => {
  const lab = fixture();
  const first = lab.join(1, LINUX);
  lab.holders.set(first, station(1));
  const second = lab.join(2, LINUX);
  t.not(second, first);
  t.is(
    lab.said.filter(text => /02 has the client identifier of 02:.*:01: is its system a copy/.test(text))
      .length,
    1,
  );
  for (let i = 0; i < 3; i++) {
    t.is(lab.renew(1, first, LINUX), ACK);
    t.is(lab.renew(2, second, LINUX), ACK);
    t.is(lab.reboot(2, second, LINUX), ACK);
  }
  t.is(lab.said.filter(text => text.includes('copy')).length, 1, 'once');
});

test('two stations with one identifier, the first asleep while the second came', t => {
  const lab = fixture();
  const first = lab.join(1, LINUX);
  t.is(lab.join(2, LINUX), first, 'a host by another card');
  t.is(lab.renew(1, first, LINUX), NAK, 'both use it');
  t.is(lab.said.filter(text => text.includes('copy')).length, 1);
  lab.holders.set(first, station(2));
  const other = lab.join(1, LINUX);
  t.not(other, first);
  t.is(lab.renew(1, other, LINUX), ACK);
  t.is(lab.renew(2, first, LINUX), ACK);
});

test('a name goes to the newest lease, and back when that ends; reserved ones stay', t => {
  const lab = fixture();
  reserve(lab, 9, RESERVED, 'printer');
  const cable = lab.join(1, { name: 'laptop' });
  const radio = lab.join(2, { name: 'Laptop' });
  const where = (): number | undefined => lab.server.addressOf('laptop');
  t.is(where(), parseAddress(radio) as number);
  t.is(name(lab, cable), undefined);
  t.is(lab.renew(1, cable, { name: 'laptop' }), ACK);
  t.is(where(), parseAddress(radio) as number, 'a renewal is no new lease');
  lab.server.revoke(parseAddress(radio) as number);
  t.is(lab.renew(1, cable, { name: 'laptop' }), ACK);
  t.is(where(), parseAddress(cable) as number);
  lab.join(3, { name: 'printer' });
  t.is(lab.server.addressOf('printer'), parseAddress(RESERVED) as number);
});

test('a router that has lost its leases says at once whether an address is still good', t => {
  const lab = fixture();
  reserve(lab, 5, RESERVED);
  const started = lab.clock.passed;
  t.is(lab.reboot(1, '192.168.0.150'), ACK);
  t.true(lab.clock.passed - started <= 10, '0.1 s');
  t.true(DHCP_REBOOT_TICKS < 10);
  t.is(lab.reboot(2, '192.168.0.150'), NAK, 'it is another’s now');
  t.is(lab.reboot(2, '192.168.0.77'), NAK, 'out of the range');
  t.is(lab.reboot(2, RESERVED), NAK, 'reserved for another');
  t.is(lab.reboot(5, '192.168.0.151'), NAK, 'another is reserved for it');
  t.is(lab.reboot(5, RESERVED), ACK);
  // A host that has not renewed yet, so that nobody knows of its lease.
  lab.holders.set('192.168.0.160', station(8));
  t.is(lab.reboot(2, '192.168.0.160'), NAK);
  t.is(lab.reboot(8, '192.168.0.160'), ACK, 'it is the one that answers');
  // A new host stumbles over such an address first: its owner is not refused for that.
  lab.holders.set('192.168.0.161', station(7));
  t.not(lab.join(3, { requested: '192.168.0.161' }), '192.168.0.161');
  t.is(lab.renew(7, '192.168.0.161'), ACK);
});

test('keys of stations are theirs alone', t => {
  const key = { bytes: new Uint8Array(28), length: 0, hash: 0, keyed: undefined };
  const lab = fixture();
  // Two stations whose words for the plane are the same (stationWord() is a sum of 32 bits).
  const other = Uint8Array.of(3, 0, 0, 1, 0, 1);
  keyFrom(key, Uint8Array.of(), 1, other);
  lab.join(1);
  t.is(lab.server.table.ofStation(other), -1);
  t.not(lab.server.table.ofStation(Uint8Array.of(2, 0, 0, 0, 0, 1)), -1);
});
