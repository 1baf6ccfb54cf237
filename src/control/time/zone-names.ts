// Names of time zones, as IANA has them, in a packed table: a line for each POSIX string, with areas and their names, as in
//
//    CET-1CEST,M3.5.0,M10.5.0/3 Europe:Berlin,Paris :Poland
//
// Not here: how the table is made (firmware/zone-table.ts), what the strings mean (timezone.ts).

/** The POSIX string of a name, and the name as IANA writes it. The name's case, and its area, may be left to us. */
export function findZone(table: string, wanted: string): { name: string; text: string } | undefined {
  const want = wanted.toLowerCase();
  let byCity: { name: string; text: string } | undefined;
  for (const [name, text] of zones(table)) {
    const known = name.toLowerCase();
    if (known === want) return { name, text };
    if (known.endsWith(`/${want}`)) byCity ??= { name, text };
  }
  return byCity;
}

export function* zoneNames(table: string): Generator<string> {
  for (const [name] of zones(table)) yield name;
}

function* zones(table: string): Generator<[string, string]> {
  for (const line of table.split('\n')) {
    const [text = '', ...areas] = line.split(' ');
    for (const area of areas) {
      const colon = area.indexOf(':');
      const start = colon === 0 ? '' : `${area.slice(0, colon)}/`;
      for (const city of area.slice(colon + 1).split(',')) yield [start + city, text];
    }
  }
}
