// `ipchains -C`: what a chain says to a packet that is made up of the line's words. The plane walks it, as it walks it for packets that come
// (src/plane/filter/probe.ts), and counts nothing; so a fragment is asked about as what it is a part of.

import { i32at } from '../../../base/memory.ts';
import { RULE_LINKS_AT } from '../../../base/rule-limits.ts';
import * as record from '../../../base/rule-record.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP } from '../../../wire/ipv4.ts';
import { TCP_ACK, TCP_SYN } from '../../../wire/tcp.ts';
import type { Machine } from '../../core/machine.ts';
import { isBuiltIn } from '../chains.ts';
import { askAlone } from '../explain/probe.ts';
import { fail } from './refuse.ts';
import { type ChainsRule, FLAG_SYN } from './rule.ts';

const WORDS: Record<number, string> = {
  [record.TARGET_ACCEPT]: 'accepted',
  [record.TARGET_DROP]: 'denied',
  [record.TARGET_REJECT]: 'rejected',
  [record.TARGET_MASQUERADE]: 'masqueraded',
  [record.TARGET_REDIRECT]: 'redirected',
  [record.WALK_OPEN]: 'accepted',
  [record.WALK_DROP]: 'denied',
  [record.WALK_REJECT]: 'rejected',
  [record.WALK_MASQUERADE]: 'masqueraded',
  [record.WALK_LOOP]: 'caught in loop',
};

/** The word that -C prints. */
export function verdictOf(machine: Machine, chain: number, packet: ChainsRule, link: number): string {
  const { protocol, ports } = packet;
  const isIcmp = protocol === PROTOCOL_ICMP;
  const flags = (packet.flags & FLAG_SYN) !== 0 ? TCP_SYN : TCP_ACK;
  const answer = askAlone(
    machine,
    {
      protocol,
      source: packet.source,
      destination: packet.destination,
      sourcePort: ports[0],
      port: isIcmp ? 0 : ports[2],
      kind: protocol === PROTOCOL_TCP ? flags : isIcmp ? (ports[0] << 8) | (ports[2] & 0xff) : 0,
      link,
      state: 0,
    },
    { chain, names: i32at(RULE_LINKS_AT + 4 * link), via: 0 },
  );
  if (answer === undefined) fail('Cannot allocate memory');
  return WORDS[answer] ?? (isBuiltIn(chain) ? 'accepted' : 'passed through chain');
}
