// Names of time zones, as IANA has them, in a packed table that is searched without a walk: only the rows of one first
// letter are looked through, and by one call. Its first line has where each letter's rows begin, and where the last's
// end; then the names' areas and the POSIX strings, each with a blank behind it. The rows are sorted, one for each name: its
// last part in small letters, and as it is written, and where in the first line its area and its string stand. As in
//
//    00190002510031...00520 Europe UTC0 CET-1CEST,M3.5.0,M10.5.0/3 \n
//    berlin Berlin 136 148\n
//    utc UTC 135 143\n
//
// Not here: how the table is made (image/zone-table.ts), what the strings mean (src/control/core/timezone.ts).

/** Characters of a place in the first line. */
export const PLACE_DIGITS = 5;
const FIRST_LETTER = 97;
const LETTERS = 26;

/** The POSIX string of a name, and the name as IANA writes it. The name's case, and its area, may be left to us. */
export function findZone(table: string, wanted: string): { name: string; text: string } | undefined {
  const want = wanted.toLowerCase();
  const slash = want.lastIndexOf('/');
  const [area, city] = [want.slice(0, Math.max(0, slash)), want.slice(slash + 1)];
  const letter = city.charCodeAt(0) - FIRST_LETTER;
  if (!(letter >= 0 && letter < LETTERS)) return undefined;
  // From the line feed before them.
  const from = placeOf(table, letter) - 1;
  const rows = table.slice(from, placeOf(table, letter + 1));
  const start = `\n${city} `;
  let byCity: { name: string; text: string } | undefined;
  for (let at = rows.indexOf(start); at >= 0; at = rows.indexOf(start, at + 1)) {
    const row = rowAt(table, from + at + 1);
    const known = row.area.toLowerCase();
    const found = { name: nameOf(row), text: row.text };
    if (known === area) return found;
    if (slash < 0 || known.endsWith(`/${area}`)) byCity ??= found;
  }
  return byCity;
}

function placeOf(table: string, letter: number): number {
  return Number(table.slice(letter * PLACE_DIGITS, (letter + 1) * PLACE_DIGITS));
}

/** Names with this beginning. They are 600 rows, so no more is cut out of each than says whether it has one. */
export function* zoneNames(table: string, start = ''): Generator<string> {
  /** Areas by their places, with the slash; undefined where no name can begin so. */
  const areas = new Map<string, string | undefined>();
  for (let at = table.indexOf('\n') + 1; at < table.length; at = table.indexOf('\n', at) + 1) {
    const cityAt = table.indexOf(' ', at) + 1;
    const placeAt = table.indexOf(' ', cityAt) + 1;
    const place = table.slice(placeAt, table.indexOf(' ', placeAt));
    if (!areas.has(place)) {
      const area = wordAt(table, Number(place));
      const head = area === '' ? '' : `${area}/`;
      areas.set(place, head.startsWith(start) || start.startsWith(head) ? head : undefined);
    }
    const area = areas.get(place);
    if (area === undefined) continue;
    const name = area + table.slice(cityAt, placeAt - 1);
    if (name.startsWith(start)) yield name;
  }
}

interface Row {
  city: string;
  area: string;
  text: string;
}

function rowAt(table: string, at: number): Row {
  const [, city = '', area, text] = table.slice(at, table.indexOf('\n', at)).split(' ');
  return { city, area: wordAt(table, Number(area)), text: wordAt(table, Number(text)) };
}

function wordAt(table: string, at: number): string {
  return table.slice(at, table.indexOf(' ', at));
}

function nameOf({ area, city }: Row): string {
  return area === '' ? city : `${area}/${city}`;
}
