// Which address of the range a client gets, against a plain search, and reservations found whatever they are.

import test from 'ava';
import { formatAddress } from '../core/address.ts';
import { DHCP_RESERVATIONS } from '../core/limits.ts';
import { fixture } from './alone-lab.ts';
import { createKey, KEY_BYTES, keyFrom } from './client-key.ts';

const ROUTER = 0xc0a80001 | 0;
const NOBODY = new Uint8Array(0);

/** A number that looks like chance and is the same in each run. */
const scramble = (i: number): number => Math.imul(i + 1, 0x9e3779b1) >>> 0;
const stationOf = (n: number): Uint8Array => Uint8Array.of(2, 0, 0, 0, n >> 8, n);

test('pick() finds the first address that is nobody’s, from the client’s own on and around the end', t => {
  for (let round = 0; round < 12; round++) {
    const { server } = fixture();
    const { table, pool, config } = server;
    const [first, last] = [0xc0a80002, 0xc0a80002 + 30 + (scramble(round) % 60)];
    config.range = { first: first | 0, last: last | 0 };
    // Some reserved addresses lie outside of the range, and some twice in the list.
    config.reservations = Array.from({ length: round * 5 }, (_, i) => ({
      ...{ client: `${i}`, bytes: stationOf(1000 + i), isId: false, name: '' },
      address: (first + (scramble(97 * round + i) % 120)) | 0,
    }));
    pool.refresh();
    const size = last - first + 1;
    const key = createKey();
    for (let n = 0; n < size + 3; n++) {
      keyFrom(key, NOBODY, 1, stationOf(n));
      const start = (key.hash >>> 0) % size;
      const isFree = (address: number): boolean =>
        table.at(address) < 0 &&
        address !== ROUTER &&
        config.reservations.every(other => other.address !== address);
      let expected = 0;
      for (let i = 0; i < size && expected === 0; i++) {
        const address = (first + ((start + i) % size)) | 0;
        if (isFree(address)) expected = address;
      }
      if (expected === 0) break;
      const address = pool.pick(key, -1, undefined, 0);
      t.is(formatAddress(address), formatAddress(expected), `round ${round}, client ${n}`);
      t.true(table.add(key, 1, stationOf(n), address) >= 0);
      table.bind(table.find(key), 1000, '');
    }
  }
});

test('reservations are found by identifier, station, address and name, also after the list was changed', t => {
  const { pool, config } = fixture().server;
  const entry = (n: number, isId: boolean) => ({
    ...{ client: `${n}`, isId, address: (ROUTER + n + 1) | 0, name: `n${n}` },
    bytes: isId
      ? Uint8Array.from({ length: KEY_BYTES }, (_, i) => (i < KEY_BYTES - 1 ? 9 : n))
      : stationOf(n),
  });
  t.is(pool.reservationOf(NOBODY, stationOf(1)), undefined);
  for (let n = 0; n < DHCP_RESERVATIONS; n++) config.reservations.push(entry(n, n % 2 === 0));
  for (const one of config.reservations) {
    const [id, chaddr] = one.isId ? [one.bytes, stationOf(999)] : [NOBODY, one.bytes];
    t.is(pool.reservationOf(id, chaddr), one);
    t.is(pool.reservationAt(one.address), one);
    t.is(pool.reservationNamed(one.name), one);
  }
  const [byId, byStation] = [config.reservations[2]!, config.reservations[3]!];
  t.is(pool.reservationOf(byId.bytes, byStation.bytes), byId, 'the identifier’s goes before the station’s');
  t.is(pool.reservationOf(Uint8Array.from([...byId.bytes, 0]), stationOf(999)), undefined);
  t.is(pool.reservationOf(byStation.bytes, NOBODY), undefined);
  config.reservations = config.reservations.filter(one => one !== byId);
  t.is(pool.reservationOf(byId.bytes, stationOf(999)), undefined);
  t.is(pool.reservationAt(byId.address), undefined);
  t.is(pool.reservationNamed(byId.name), undefined);
});
