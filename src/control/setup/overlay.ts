// The overlay `setup`: a dialogue for the first boot, `setup`, and `import`, which takes a whole configuration. Nothing is
// set before the last answer, and the LAN is served meanwhile, and also if nobody ever comes: the dialogue runs when it is
// asked for. Enter takes what is in force; an answer is checked when it is typed, against those before it too. What nobody
// could foresee is refused at the end, and nothing has changed then (replace.ts).
// Not here: the lines of `import` (import.ts).

import { INTERFACE_LAN, INTERFACE_WAN } from '../../base/limits.ts';
import {
  formatPrefix,
  maskOf,
  overlap,
  type Prefix,
  parseAddress,
  parsePrefix,
  parseServer,
  refuseHost,
  refuseUnicast,
} from '../core/address.ts';
import { LAN_DEFAULT, prefixOf, refuseGateway } from '../core/addresses.ts';
import { type Command, findCommand, type Job, Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { whyUnsaved } from '../core/disk.ts';
import { DNS_SERVERS, NTP_SERVERS } from '../core/limits.ts';
import { keptNow } from '../core/store/unsaved.ts';
import { zoneOf } from '../core/zone.ts';
import { replaceAll } from './replace.ts';

declare module '../core/overlays.ts' {
  interface Overlays {
    setup: typeof import('./overlay.ts');
  }
}

/** Who keeps the password of the console. */
interface Access<Secret> {
  readonly secret: Secret | undefined;
  change(secret: Secret | undefined): void;
}

export { importLines } from './import.ts';

type Answer = Generator<number, string, void>;
type Check = (text: string) => string | undefined;

const NONE = 'none';
/** Characters of a question with its standard answer, on the row of the answer. */
const PROMPT_MOST = 56;

/** Asks until the answer is right; Enter is the standard answer. */
function* question(context: Context, prompt: string, standard: string, check: Check): Answer {
  if (context.ask === undefined) throw new Refusal('Cannot ask: there is no console');
  const asked = `${prompt}${standard === '' ? '' : ` [${standard}]`}: `;
  for (;;) {
    // The answer needs room in the row.
    if (asked.length > PROMPT_MOST) context.output.line(asked);
    const typed = yield* context.ask(asked.length > PROMPT_MOST ? '> ' : asked);
    const answer = typed.trim() === '' ? standard : typed.trim();
    const why = answer === '' ? 'there is no answer to take for it' : check(answer);
    if (why === undefined) return answer;
    context.output.line(`That will not do: ${why}`);
  }
}

/** The settings as lines, and how the answers change them. */
class Lines {
  all: string[];

  constructor(readonly before: readonly string[]) {
    this.all = [...before];
  }

  /** What stands behind these words, line by line. */
  of(words: string): string[] {
    return this.all.filter(line => line.startsWith(`${words} `)).map(line => line.slice(words.length + 1));
  }

  /** Lets lines stand in place of those with these words, a line for each value. */
  put(words: string, values: readonly string[]): void {
    this.all = this.all.filter(line => line !== words && !line.startsWith(`${words} `));
    for (const value of values) this.all.push(`${words} ${value}`.trimEnd());
  }
}

/**
 * Why this is no address for an interface whose network must not have addresses of the other's. The WAN may have a /32:
 * of one address there is neither number nor broadcast, as of two.
 */
function whyNoPrefix(text: string, other: Prefix | undefined, name: 'LAN' | 'WAN'): string | undefined {
  const prefix = parsePrefix(text);
  if (typeof prefix === 'string') return prefix;
  const { address, length } = prefix;
  const why = refuseHost(name === 'LAN' ? { address, length: Math.min(length, 31) } : prefix);
  if (why !== undefined || other === undefined || !overlap(prefix, other)) return why;
  return `it shares addresses with the ${name}'s network ${formatPrefix(other.address & maskOf(other.length), other.length)}`;
}

/** Why one of some words will not do, or their number. */
function whyNoList(text: string, most: number, check: Check): string | undefined {
  const words = text.split(/\s+/);
  if (words.length > most) return `there is room for ${most}`;
  return words.map(check).find(why => why !== undefined);
}

function oneOf(...words: string[]): Check {
  return text => (words.includes(text.toLowerCase()) ? undefined : `it is one of ${words.join(', ')}`);
}

function* yesOrNo(context: Context, prompt: string, standard: 'yes' | 'no'): Generator<number, boolean> {
  const check: Check = text => (/^(y|yes|n|no)$/i.test(text) ? undefined : 'it is yes or no');
  const answer = yield* question(context, `${prompt}: yes or no`, standard, check);
  return /^y/i.test(answer);
}

/** Why DHCP range and reservations would not fit the LAN's address, with what takes them along. */
function whyNoRoom({ machine }: Context, lines: Lines, text: string): string | undefined {
  const word = (line: string, place: number): number => parseAddress(line.split(' ')[place] ?? '') as number;
  const [range] = lines.of('set dhcp range').map(line => ({ first: word(line, 0), last: word(line, 1) }));
  const reservations = lines.of('set dhcp reserve').map(line => ({ address: word(line, 1) }));
  const { misfits, canMove } = machine.overlay('lan');
  const [placed, lan] = [{ range, reservations }, parsePrefix(text) as Prefix];
  const left = misfits(placed, lan);
  if (left === '') return undefined;
  const way = `; set lan address ${text} move takes them along`;
  return `${left} would not fit${canMove(placed, prefixOf(INTERFACE_LAN), lan) ? way : ''}`;
}

function* askLan(context: Context, lines: Lines): Generator<number, Prefix, void> {
  const { address, length } = prefixOf(INTERFACE_LAN) ?? LAN_DEFAULT;
  const now = formatPrefix(address, length);
  const wan = prefixOf(INTERFACE_WAN);
  const text = yield* question(context, "LAN: the router's address", now, answer =>
    answer === now ? undefined : (whyNoPrefix(answer, wan, 'WAN') ?? whyNoRoom(context, lines, answer)),
  );
  if (text !== now) lines.put('set lan address', [text]);
  return parsePrefix(text) as Prefix;
}

function* askWan(context: Context, lines: Lines, lan: Prefix): Job {
  const own = lines.of('set wan address')[0] ?? '';
  const now = own !== '' ? 'static' : lines.all.includes('set wan none') ? NONE : 'dhcp';
  const typed = yield* question(context, 'WAN: dhcp, static or none', now, oneOf('dhcp', 'static', NONE));
  const kind = typed.toLowerCase();
  const gateways = lines.of('set wan gateway');
  for (const words of ['set wan none', 'set wan address', 'set wan gateway']) lines.put(words, []);
  if (kind === NONE) lines.put('set wan none', ['']);
  if (kind !== 'static') return;
  const address = yield* question(context, 'WAN address, as in 203.0.113.5/24', own, answer =>
    whyNoPrefix(answer, lan, 'LAN'),
  );
  const wan = parsePrefix(address) as Prefix;
  const whyNoGateway: Check = text => {
    const parsed = parseAddress(text);
    return typeof parsed === 'string' ? parsed : refuseGateway(INTERFACE_WAN, wan, parsed);
  };
  const standard = gateways.find(text => whyNoGateway(text) === undefined) ?? '';
  const gateway = yield* question(context, 'WAN gateway, as in 203.0.113.1', standard, whyNoGateway);
  lines.put('set wan address', [address]);
  lines.put('set wan gateway', [gateway]);
  const servers = lines.of('set dns server')[0] ?? '9.9.9.9';
  const answer = yield* question(context, 'DNS server', servers, text =>
    whyNoList(text, DNS_SERVERS, word => {
      const parsed = parseAddress(word);
      if (typeof parsed === 'string') return parsed;
      const isOurs = parsed === lan.address || parsed === wan.address;
      return isOurs ? 'it is an address of the router' : refuseUnicast(parsed);
    }),
  );
  lines.put('set dns server', [answer]);
}

function* askTime(context: Context, lines: Lines): Job {
  const zone = yield* question(
    context,
    'Time zone, as in Europe/Berlin',
    lines.of('set timezone')[0] ?? 'UTC',
    text => {
      const found = zoneOf(context.machine, text);
      return typeof found === 'string' ? found : undefined;
    },
  );
  lines.put('set timezone', zone === 'UTC' ? [] : [zone]);
  const servers = lines.of('set ntp server').join(' ');
  const answer = yield* question(
    context,
    'Time servers (NTP), none for those of the WAN',
    servers === '' ? NONE : servers,
    text =>
      whyNoList(text, NTP_SERVERS, word => {
        const found = parseServer(word);
        return typeof found === 'string' ? found : undefined;
      }),
  );
  // Who answers no means none, and not a host of that name.
  lines.put('set ntp server', /^no(ne)?$/i.test(answer) ? [] : answer.split(/\s+/));
}

/** What differs, as `show config` marks it; `mark` is the password's, '' if that stays. */
function showChanges({ output, registry }: Context, lines: Lines, mark: string): void {
  const { all, before } = lines;
  const added = all.filter(line => !before.includes(line)).map(line => `+ ${registry.shown(line)}`);
  const gone = before.filter(line => !all.includes(line)).map(line => `- ${registry.shown(line)}`);
  const rows = [...added, ...gone, ...(mark === '' ? [] : [`${mark} the password`])];
  for (const row of rows.length === 0 ? ['Nothing of this is other than what is in force'] : rows)
    output.line(row);
}

const SHOWN = 'show config lists the settings';

/** @param askPassword asks for another password; what it makes of nothing is none */
export function* setup<Secret>(
  context: Context,
  access: Access<Secret>,
  askPassword: () => Generator<number, Secret | undefined, void>,
  table: readonly Command[],
): Job {
  const { output } = context;
  output.line('Enter takes what stands in [ ]; ^C leaves everything as it is');
  const unchanged = `Nothing was changed; the settings in force are ${yield* keptNow(context)}`;
  // What is said wherever it ends, by ^C too.
  let outcome = unchanged;
  try {
    const lines = new Lines(context.registry.lines());
    const isPassword = yield* askAll(context, access, lines);
    const secret = isPassword ? yield* askPassword() : access.secret;
    // A password of nothing is none.
    showChanges(context, lines, secret === access.secret ? '' : secret === undefined ? '-' : '+');
    if (!(yield* yesOrNo(context, 'Set this', 'yes'))) return;
    outcome = `It is being set, and not saved; ${SHOWN}`;
    const refusals = yield* replaceAll(context, lines.all);
    for (const refusal of refusals) output.line(refusal);
    outcome = unchanged;
    if (refusals.length > 0) return;
    if (isPassword) access.change(secret);
    outcome = `In force, and perhaps not saved; ${SHOWN}`;
    outcome = yield* keep(context, table);
  } finally {
    output.line(outcome);
  }
}

/** Asks all but the password itself; answers whether there is to be another. */
function* askAll(
  context: Context,
  access: { readonly secret: unknown },
  lines: Lines,
): Generator<number, boolean, void> {
  const lan = yield* askLan(context, lines);
  yield* askWan(context, lines, lan);
  yield* askTime(context, lines);
  const prompt = `${access.secret === undefined ? 'A' : 'Another'} password for this console`;
  return yield* yesOrNo(context, prompt, 'no');
}

/** Saves; answers what came of it. */
function* keep(context: Context, table: readonly Command[]): Answer {
  const why = whyUnsaved(context);
  if (why !== undefined) return `In force until the next reset, as nothing can be saved: ${why}; ${SHOWN}`;
  try {
    yield* runLine(table, 'save');
    return `In force, and saved; ${SHOWN}`;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    context.output.line(error.message);
    return `In force, and not saved; ${SHOWN}`;
  }
}

function* runLine(table: readonly Command[], line: string): Job {
  const found = findCommand(table, line);
  if ('refusal' in found) throw new Refusal(found.refusal);
  const job = found.command.run(found.args);
  if (job !== undefined) yield* job;
}
