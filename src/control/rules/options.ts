// Which options there are, of the command itself and of each match and target, and how one is found by its name or an unambiguous
// beginning, as getopt_long does: what was loaded last is looked at first. Not here: what an option does (matches.ts, targets.ts).

import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../wire/ipv4.ts';

export const MAIN = 0;
export const TCP = 1;
export const UDP = 2;
export const ICMP = 3;
export const STATE = 4;
export const CONNTRACK = 5;
export const MULTIPORT = 6;
export const LIMIT = 7;
export const MARK_MATCH = 8;
export const CONNMARK_MATCH = 9;
export const LENGTH = 10;
export const TOS_MATCH = 11;
export const TTL = 12;
export const MAC = 13;
export const IPRANGE = 14;
export const ADDRTYPE = 15;
export const PKTTYPE = 16;
export const STATISTIC = 17;
export const TIME = 18;
export const RECENT = 19;
export const CONNLIMIT = 20;
export const COMMENT = 21;
export const TCPMSS_MATCH = 22;
/** Targets; those without options have none of these numbers. */
export const REJECT = 23;
export const LOG = 24;
export const MASQUERADE = 25;
export const SNAT = 26;
export const DNAT = 27;
export const REDIRECT = 28;
export const NETMAP = 29;
export const TOS_TARGET = 30;
export const MARK_TARGET = 31;
export const CONNMARK_TARGET = 32;
export const TCPMSS_TARGET = 33;

/** Names of matches by their numbers; what a target's number is here, targetNamed() says. */
const MATCHES =
  ' tcp udp icmp state conntrack multiport limit mark connmark length tos ttl mac iprange addrtype pkttype statistic time recent connlimit comment tcpmss'.split(
    ' ',
  );
const TARGETS = 'REJECT LOG MASQUERADE SNAT DNAT REDIRECT NETMAP TOS MARK CONNMARK TCPMSS'.split(' ');

/** The number of a match, 0 if there is none of the name. */
export function matchNamed(name: string): number {
  return Math.max(0, MATCHES.indexOf(name));
}

/** The match that a protocol's options load, 0 if there is none. */
export function matchOf(protocol: number): number {
  if (protocol === PROTOCOL_TCP) return TCP;
  if (protocol === PROTOCOL_UDP) return UDP;
  return protocol === PROTOCOL_ICMP ? ICMP : 0;
}

/** The number of a target that has options of its own, 0 if there is none of the name. */
export function targetNamed(name: string): number {
  const place = TARGETS.indexOf(name);
  return place < 0 ? 0 : REJECT + place;
}

export function extensionName(extension: number): string {
  return (extension < REJECT ? MATCHES[extension] : TARGETS[extension - REJECT]) as string;
}

/**
 * Of each extension its options: a name, how it goes on (= by an argument, : by none, ? by one that may be left out), its number, and ! if
 * it may be inverted, * if it must be there. Of two names with one number the first is the one that errors speak of. Those of the
 * command have the letter of their short form for a number.
 */
const SPECS = [
  'append=A delete=D check=C insert=I replace=R list?L list-rules?S flush?F zero?Z new-chain=N delete-chain?X rename-chain=E policy=P ' +
    'source=s destination=d src=s dst=d protocol=p in-interface=i jump=j table=t match=m numeric:n out-interface=o verbose:v wait?w ' +
    'wait-interval?W exact:x fragments:f version:V help?h line-numbers:0 modprobe=M set-counters=c goto=g ipv4:4 ipv6:6',
  'source-port=1! sport=1! destination-port=2! dport=2! syn:3! tcp-flags=4! tcp-option=5!',
  'source-port=1! sport=1! destination-port=2! dport=2!',
  'icmp-type=1!*',
  'state=1!*',
  'ctstate=1! ctproto=2! ctorigsrc=2! ctorigdst=2! ctreplsrc=2! ctrepldst=2! ctstatus=2! ctexpire=2! ctorigsrcport=2! ctorigdstport=2! ' +
    'ctreplsrcport=2! ctrepldstport=2! ctdir=2',
  'source-ports=1! sports=1! destination-ports=2! dports=2! ports=3!',
  'limit=1 limit-burst=2',
  'mark=1!*',
  'mark=1!*',
  'length=1!*',
  'tos=1!*',
  'ttl-lt=1 ttl-gt=2 ttl-eq=3! ttl=3!',
  'mac-source=1!*',
  'src-range=1! dst-range=2!',
  'src-type=1! dst-type=2! limit-iface-in:3 limit-iface-out:4',
  'pkt-type=1!*',
  'mode=1* probability=2! every=3! packet=4',
  'datestart=1 datestop=2 timestart=3 timestop=4 contiguous:5 weekdays=6! monthdays=7! days=6! localtz:8 utc:9 kerneltz:8',
  'set:1! rcheck:2! update:3! remove:4! seconds=5 reap:6 hitcount=7 rttl:8 name=9 rsource:10 rdest:11 mask=12',
  'connlimit-upto=1! connlimit-above=2! connlimit-mask=3 connlimit-saddr:4 connlimit-daddr:5',
  'comment=1*',
  'mss=1!*',
  'reject-with=1',
  'log-level=1 log-prefix=2 log-tcp-sequence:3 log-tcp-options:4 log-ip-options:5 log-uid:6 log-macdecode:7',
  'to-ports=1 random:3 random-fully:4',
  'to-source=2* random:3 random-fully:4 persistent:5',
  'to-destination=2* random:3 persistent:5',
  'to-ports=1 random:3',
  'to=1*',
  'set-tos=1 and-tos=2 or-tos=3 xor-tos=4',
  'set-xmark=1 set-mark=2 and-mark=3 or-mark=4 xor-mark=5',
  'set-xmark=1 set-mark=2 and-mark=3 or-mark=4 xor-mark=5 save-mark:6 restore-mark:7 ctmask=8 nfmask=9 mask=10',
  'set-mss=1 clamp-mss-to-pmtu:2',
];

/** An option as a number: what identifies it and, in these bits, what it takes. */
export const TAKES = 1;
export const MAY_TAKE = 2;
export const INVERTS = 4;
export const NEEDED = 8;
export const OPTION_SHIFT = 4;

/** Of each extension its options by name; made when a line names it. */
const tables: (Map<string, number> | undefined)[] = [];
const needed: (number | undefined)[] = [];

function optionsOf(extension: number): Map<string, number> {
  const there = tables[extension];
  if (there !== undefined) return there;
  const made = new Map<string, number>();
  for (const word of (SPECS[extension] as string).split(' ')) {
    let at = 0;
    while (!'=:?'.includes(word.charAt(at))) at++;
    const mark = word.charAt(at);
    let option = mark === '=' ? TAKES : mark === '?' ? MAY_TAKE : 0;
    if (word.endsWith('*')) option |= NEEDED;
    if (word.includes('!', at)) option |= INVERTS;
    const rest = word
      .slice(at + 1)
      .replace('!', '')
      .replace('*', '');
    const number = extension === MAIN ? rest.charCodeAt(0) : Number(rest);
    made.set(word.slice(0, at), option | (number << OPTION_SHIFT));
  }
  tables[extension] = made;
  return made;
}

/** An extension's option of this very name, or -1. */
export function optionNamed(extension: number, name: string): number {
  return optionsOf(extension).get(name) ?? -1;
}

/** The first name of an option's number, for errors. */
export function optionName(extension: number, number: number): string {
  for (const [name, option] of optionsOf(extension)) if (option >> OPTION_SHIFT === number) return name;
  return '';
}

/** What optionBeginning() answers where none begins so, and where several do that differ. */
export const NOTHING = -1;
export const AMBIGUOUS = -2;

/** Which extension's option begins so: extension << 16 | option; or NOTHING, or AMBIGUOUS. */
export function optionBeginning(extensions: readonly number[], name: string): number {
  let found = NOTHING;
  for (const extension of extensions) {
    for (const [own, option] of optionsOf(extension)) {
      if (!own.startsWith(name)) continue;
      const one = (extension << 16) | option;
      if (found >= 0 && found !== one) return AMBIGUOUS;
      found = one;
    }
  }
  return found;
}

/** Options of an extension that must be there, a bit each by their numbers. */
export function neededOf(extension: number): number {
  const there = needed[extension];
  if (there !== undefined) return there;
  let bits = 0;
  for (const option of optionsOf(extension).values())
    if ((option & NEEDED) !== 0) bits |= 1 << (option >> OPTION_SHIFT);
  needed[extension] = bits;
  return bits;
}
