// `masqbox status`: `show status` of the board, as it stands, or as JSON for monitoring.
//
//    masqbox    0.1.0, up 1:02:03, 2026-11-21 16:00:00 UTC
//    wan        absent, no network card was found
//    lan        up, 192.168.0.1/24
//               in 0 packets/s, 0 kbit/s; out 0 packets/s, 0 kbit/s
//
// A name of up to 10 letters, a blank, a text; rows without a name belong to the one above. What the log says
// meanwhile has a colon in those columns.
// Not here: what the rows mean on the board (src/control/status/overlay.ts).

import { Failure, REFUSED } from './failure.ts';
import type { Session } from './session.ts';

const NAME_COLUMNS = 10;
const ABSENT = 'absent';

/** A link without its device, and why it has none. */
interface Absence {
  readonly state: 'absent';
  readonly because: string;
}

export interface InterfaceStatus {
  readonly state: string;
  readonly address: string | null;
  readonly in: Traffic;
  readonly out: Traffic;
}

interface Traffic {
  packetsPerSecond: number;
  kbitPerSecond: number;
  errors: number;
  dropped: number;
}

export interface Status {
  version: string;
  uptimeSeconds: number;
  time: string;
  interfaces: Record<string, InterfaceStatus | Absence>;
  /** All other rows by their names. */
  [name: string]: unknown;
}

export async function statusRows(session: Session): Promise<string[]> {
  const { rows, refusal } = await session.run('show status');
  if (refusal !== undefined) throw new Failure(refusal, REFUSED);
  return rows.filter(row => isRow(row));
}

function isRow(row: string): boolean {
  return /^[a-z][a-z0-9]* *$|^ +$/.test(row.slice(0, NAME_COLUMNS)) && (row[NAME_COLUMNS] ?? ' ') === ' ';
}

/** The rows as data. Throws if they are no status. */
export function parseStatus(rows: readonly string[]): Status {
  const entries: { name: string; texts: string[] }[] = [];
  for (const row of rows) {
    const name = row.slice(0, NAME_COLUMNS).trim();
    const text = row.slice(NAME_COLUMNS + 1);
    if (name !== '') entries.push({ name, texts: [text] });
    else entries.at(-1)?.texts.push(text);
  }
  const [head, ...rest] = entries;
  const [version, up, ...time] = head?.texts[0]?.split(', ') ?? [];
  if (head?.name !== 'masqbox' || version === undefined || up?.startsWith('up ') !== true) {
    throw new Failure('Cannot read the status: the board answers in another form', REFUSED);
  }
  const status: Status = {
    version,
    uptimeSeconds: secondsOf(up.slice(3)),
    time: time.join(', '),
    interfaces: {},
  };
  for (const { name, texts } of rest) {
    const state = /^(\S+), (.*)$/.exec(texts[0] ?? '');
    if (state?.[1] === ABSENT) status.interfaces[name] = { state: ABSENT, because: state[2] as string };
    else if (state !== null && texts.length > 1)
      status.interfaces[name] = interfaceStatus(state[1] as string, state[2] as string, texts);
    else status[name] = value(texts[0] ?? '');
  }
  return status;
}

/** Forms of rows that are numbers; any other row stays a text. */
const FORMS: readonly [RegExp, (numbers: number[]) => unknown][] = [
  [/^(\d+) %$/, ([percent]) => percent],
  [/^(\d+) of control since power-on$/, ([count]) => count],
  [/^(\d+) of (\d+)$/, ([used, of]) => ({ used, of })],
  [/^(\d+) of (\d+) free$/, ([free, of]) => ({ free, of })],
  [
    /^(\d+) KiB; control's heap (\d+) KiB of (\d+) KiB free$/,
    ([kib, heapFreeKib, heapKib]) => ({ kib, heapFreeKib, heapKib }),
  ],
];

function value(text: string): unknown {
  for (const [form, read] of FORMS) {
    const match = form.exec(text);
    if (match !== null) return read(match.slice(1).map(Number));
  }
  return text;
}

/** "5:03", "26:05:03": hours, minutes, seconds. */
function secondsOf(text: string): number {
  return text.split(':').reduce((sum, part) => 60 * sum + Number(part), 0);
}

function interfaceStatus(state: string, at: string, texts: readonly string[]): InterfaceStatus {
  const text = texts.slice(1).join('\n');
  const traffic = (way: string): Traffic => {
    const rate = new RegExp(`\\b${way} (\\d+) packets/s, (\\d+) kbit/s`).exec(text);
    const [errors, dropped] = ['errors', 'dropped'].map(what =>
      Number(new RegExp(`${what} (?:in \\d+, )?${way} (\\d+)`).exec(text)?.[1] ?? 0),
    ) as [number, number];
    return {
      packetsPerSecond: Number(rate?.[1] ?? 0),
      kbitPerSecond: Number(rate?.[2] ?? 0),
      errors,
      dropped,
    };
  };
  return { state, address: at === 'no address' ? null : at, in: traffic('in'), out: traffic('out') };
}
