// Types of arguments: what each is called, an example, and why a word is refused. The commands read their arguments
// themselves; what is refused here they refuse too (schema.test.ts), so this is for completion, help and marks.
// Not here: the form in which a command names its types (grammar.ts).

import { parseAddress, parsePrefix } from '../core/address.ts';
import { parseZone } from '../core/timezone.ts';
import { ZONE_NAME } from '../core/zone.ts';
import type { Parameter } from './grammar.ts';

interface Type {
  /** After "is", as in "an address". */
  what: string;
  example: string;
  /** Why a word is not of this type, or undefined; `before` is the argument before it. */
  refuse(text: string, parameter: Parameter, before?: string): string | undefined;
}

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;
const CARD = /^([0-9a-f]{2}(:[0-9a-f]{2}){5}|0x[0-9a-f]{1,4})$/i;
const CLIENT = /^([0-9a-f]{2}(:[0-9a-f]{2}){5}|id:([0-9a-f]{2}:?){2,})$/i;

const whyAddress = (text: string): string | undefined => textOf(parseAddress(text));
const textOf = (result: unknown): string | undefined => (typeof result === 'string' ? result : undefined);
const unless = (fits: boolean, why: string): string | undefined => (fits ? undefined : why);
const isDomain = (text: string): boolean =>
  text.length <= 253 &&
  text
    .replace(/\.$/, '')
    .split('.')
    .every(label => /^[a-z0-9_-]{1,63}$/i.test(label));

function whyNumber(text: string, { least, most }: Parameter): string | undefined {
  if (!/^\d{1,10}$/.test(text)) return `${text} is not a number`;
  return unless(Number(text) >= least && Number(text) <= most, `it is not ${least} to ${most}`);
}

/** What a keyword's value may be; by it the values' names in a form are told apart from keywords. */
const VALUES: Record<string, (text: string) => boolean> = {
  N: text => /^\d{1,10}$/.test(text),
  ADDRESS: text => whyAddress(text) === undefined,
  NETWORK: text => typeof parsePrefix(text) !== 'string',
};

/** The keywords of a type `words`, as in count/N|udp. */
export function keywords(values: readonly string[]): string[] {
  return values.map(value => value.split('/')[0] as string);
}

/** The kind of value that follows a keyword, or undefined if none does. */
export function valueAfter(values: readonly string[], keyword: string | undefined): string | undefined {
  return values.map(value => value.split('/')).find(([name]) => name === keyword)?.[1];
}

function whyNoWord(text: string, { values }: Parameter, before?: string): string | undefined {
  const kind = valueAfter(values, before);
  if (kind === undefined) return unless(keywords(values).includes(text), 'it is no word that is known here');
  return unless(VALUES[kind]?.(text) === true, `it is no ${kind} for ${before}`);
}

export const TYPES: Record<string, Type> = {
  address: { what: 'an address', example: '192.168.0.10', refuse: whyAddress },
  prefix: {
    what: 'an address and the length of its prefix',
    example: '192.168.0.1/24',
    refuse: text => textOf(parsePrefix(text)),
  },
  network: {
    what: 'a network and the length of its prefix',
    example: '10.1.0.0/16',
    refuse: text => textOf(parsePrefix(text)),
  },
  ports: {
    what: 'a port, or the first and the last of some, behind an outside address and : or alone; or a mark',
    example: '6112-6119',
    refuse: text => unless(/^([\d.]+\.[\d.]+:)?\d{1,10}([-:]\d{1,5})?$/.test(text), 'it is no port'),
  },
  server: {
    what: 'a host, behind : its port, behind * how many sessions it gets in a row; or sticky, least, check tcp|ping SECONDS MISSES, most SESSIONS, log, autofw',
    example: '192.168.0.2:8000',
    refuse: text => {
      const [, address = ''] = /^([^:*]+)(?::\d{1,5})?(?:\*\d{1,3})?$/.exec(text) ?? [];
      if (/^(sticky|least|check|tcp|ping|most|log|autofw|\d{1,5})$/.test(text)) return undefined;
      return whyAddress(address);
    },
  },
  integer: { what: 'a number', example: '', refuse: whyNumber },
  choice: {
    what: 'one of',
    example: '',
    refuse: (text, { values }) => unless(values.includes(text), `it is one of ${values.join(', ')}`),
  },
  name: {
    what: "a host's name",
    example: 'printer',
    refuse: text => unless(LABEL.test(text), 'it is not letters, digits and hyphens, at most 63'),
  },
  domain: {
    what: 'a domain',
    example: 'lan',
    refuse: text => unless(isDomain(text), 'it is no domain name'),
  },
  host: {
    what: "an address or a host's name",
    example: '192.168.0.10',
    refuse: text =>
      /^[0-9.]+$/.test(text) ? whyAddress(text) : unless(isDomain(text), 'it is no name of a host'),
  },
  client: {
    what: 'a station address, or id: and an identifier',
    example: '00:11:22:33:44:55',
    refuse: text => unless(CLIENT.test(text), 'it is no station address'),
  },
  card: {
    what: 'a station address or a port',
    example: '0x300',
    refuse: text => unless(CARD.test(text), 'it is no station address and no port'),
  },
  session: {
    what: 'a protocol, an address or a port',
    example: 'tcp',
    refuse: (text, { values }) =>
      values.includes(text) || /^\d{1,5}$/.test(text) ? undefined : whyAddress(text),
  },
  interface: {
    what: 'an interface',
    example: 'lan',
    refuse: text => unless(text === 'lan' || text === 'wan', 'it is one of lan, wan'),
  },
  // Any word: what nobody logs under has not been logged.
  facility: { what: 'a service that logs', example: 'dhcp', refuse: () => undefined },
  zone: {
    what: 'a time zone by its name or as a POSIX string',
    example: 'Europe/Berlin',
    // Whether there is a zone of that name is the command's affair.
    refuse: text =>
      ZONE_NAME.test(text) ? undefined : textOf(parseZone(text.replace(/^(["'])(.*)\1$/, '$2'))),
  },
  hex: {
    what: 'pairs of hexadecimal digits',
    example: '0a1b',
    refuse: text => unless(/^([0-9a-f]{2})+$/i.test(text), 'it is not pairs of hexadecimal digits'),
  },
  command: { what: 'a command', example: 'show', refuse: () => undefined },
  words: { what: 'one of', example: '', refuse: whyNoWord },
  flags: {
    what: 'letters behind a hyphen',
    example: '',
    refuse: (text, { values }) =>
      unless(
        /^-[a-z]+$/i.test(text) && [...text.slice(1)].every(letter => values.includes(`-${letter}`)),
        'it is no option that is known here',
      ),
  },
  text: { what: 'text', example: 'text', refuse: () => undefined },
};

export function typeOf(parameter: Parameter): Type {
  return TYPES[parameter.type] ?? (TYPES.text as Type);
}

/** A parameter in words: "ADDRESS, an address, as in 192.168.0.10". */
export function describe(parameter: Parameter): string {
  const { label, type, values, least, most, unit, standard } = parameter;
  const { what } = typeOf(parameter);
  const ifNot = standard === '' ? '' : `, ${standard} if nothing is set`;
  if (type === 'words') return `${label}, of ${values.join(', ').replaceAll('/', ' ')}`;
  if (type === 'flags') return `${label}, of ${values.join(', ')}`;
  if (type === 'choice') return `${values.join(' or ')}${ifNot}`;
  if (type === 'integer') return `${label}, ${least} to ${most}${unit === '' ? '' : ` ${unit}`}${ifNot}`;
  const example = exampleOf(parameter);
  return `${label}, ${what}${example === '' || type === 'text' ? '' : `, as in ${example}`}${ifNot}`;
}

/** A word that could stand for it. */
export function exampleOf({ label, type, values, least, standard }: Parameter): string {
  const [first = ''] = values;
  if (type === 'words') return '';
  if (first !== '') return values.find(value => value !== standard) ?? first;
  if (label === 'FIRST') return '192.168.0.100';
  if (label === 'LAST') return '192.168.0.199';
  if (type === 'integer') return standard === '' ? String(least) : standard;
  return TYPES[type]?.example ?? '';
}
