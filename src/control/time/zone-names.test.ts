import test from 'ava';
import { pack, zoneTable } from '../../../image/zone-table.ts';
import { parseZone } from '../core/timezone.ts';
import { findZone, zoneNames } from './zone-names.ts';

const CET = 'CET-1CEST,M3.5.0,M10.5.0/3';
const TABLE = pack([
  { area: 'Africa', city: 'Ceuta', text: CET },
  { area: 'America/Argentina', city: 'San_Juan', text: '<-03>3' },
  { area: 'Etc', city: 'UTC', text: 'UTC0' },
  { area: 'Europe', city: 'Berlin', text: CET },
  { area: 'Europe', city: 'Paris', text: CET },
  { area: '', city: 'Poland', text: CET },
  { area: '', city: 'UTC', text: 'UTC0' },
  { area: '', city: 'Zulu', text: 'UTC0' },
]);

test('findZone() knows a name in any case, a city alone, and a name without an area', t => {
  const berlin = { name: 'Europe/Berlin', text: 'CET-1CEST,M3.5.0,M10.5.0/3' };
  t.deepEqual(findZone(TABLE, 'Europe/Berlin'), berlin);
  t.deepEqual(findZone(TABLE, 'europe/BERLIN'), berlin);
  t.deepEqual(findZone(TABLE, 'berlin'), berlin);
  t.is(findZone(TABLE, 'argentina/san_juan')?.name, 'America/Argentina/San_Juan');
  t.is(findZone(TABLE, 'poland')?.name, 'Poland');
  t.is(findZone(TABLE, 'UTC')?.name, 'UTC', 'the whole name goes before a city of that name');
  for (const none of [
    'Europe',
    'Berl',
    'lin',
    'Europe/Berlin/x',
    '',
    ':Poland',
    'UTC0',
    '/',
    '/Berlin',
    'zz',
    '~',
    'Tina/San_Juan',
  ])
    t.is(findZone(TABLE, none), undefined, none);
});

test('zoneTable() has the names of this machine with strings that parseZone() reads', t => {
  const table = zoneTable();
  const names = [...zoneNames(table)];
  t.true(names.length > 300, String(names.length));
  t.is(new Set(names).size, names.length, 'each name once');
  for (const name of names) {
    t.regex(name, /^[A-Za-z0-9_+/-]+$/);
    const zone = parseZone(findZone(table, name)?.text ?? '');
    t.not(typeof zone, 'string', `${name}: ${String(zone)}`);
    t.is(findZone(table, name.toLowerCase())?.name, name);
  }
  t.is(findZone(table, 'Europe/Berlin')?.text, 'CET-1CEST,M3.5.0,M10.5.0/3');
  t.is(findZone(table, 'Asia/Kathmandu')?.text, '<+0545>-5:45');
  t.false(names.includes('localtime'));
});

test('zoneTable() says what is missing where there are no zones', t => {
  t.throws(() => zoneTable('/nowhere'), {
    message: 'Cannot read the time zones in /nowhere: install tzdata',
  });
});
