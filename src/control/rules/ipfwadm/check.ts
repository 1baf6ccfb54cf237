// `ipfwadm -c`: what a category says to a packet that is made up of the line's words. The plane walks it, as it walks it for packets that come
// (src/plane/filter/probe.ts), and counts nothing. Its interface is the name and the address that the line says, as in the kernel of 2.0, whether or
// not there is one of both.

import { i32at } from '../../../base/memory.ts';
import { RULE_LINKS_AT } from '../../../base/rule-limits.ts';
import * as record from '../../../base/rule-record.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../../wire/ipv4.ts';
import { TCP_SYN } from '../../../wire/tcp.ts';
import type { Machine } from '../../core/machine.ts';
import { askAlone } from '../explain/probe.ts';
import { type Aliases, linkOfName, nameBits } from '../links.ts';
import { isOpen } from '../memory.ts';
import { fail } from './refuse.ts';
import * as own from './rule.ts';

const PROTOCOLS = [0, PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_ICMP];
const WORDS: Record<number, string> = {
  [record.TARGET_DROP]: 'denied',
  [record.TARGET_REJECT]: 'rejected',
  [record.TARGET_MASQUERADE]: 'masqueraded',
  [record.WALK_DROP]: 'denied',
  [record.WALK_REJECT]: 'rejected',
  [record.WALK_MASQUERADE]: 'masqueraded',
};

/** The word that -c prints behind `packet`. */
export function verdictOf(machine: Machine, aliases: Aliases, chain: number, packet: own.FwadmRule): string {
  if (!isOpen()) return 'accepted';
  const protocol = PROTOCOLS[packet.flags & own.KIND] as number;
  const [port = 0] = packet.sourcePorts;
  const [other = 0] = packet.destinationPorts;
  // A packet that is made up has no ACK.
  const flags = (packet.flags & own.SYN) !== 0 ? TCP_SYN : 0;
  const link = linkOfName(aliases, packet.link);
  const answer = askAlone(
    machine,
    {
      ...{ protocol, source: packet.source, destination: packet.destination, sourcePort: port, port: other },
      kind: protocol === PROTOCOL_TCP ? flags : protocol === PROTOCOL_ICMP ? port << 8 : 0,
      ...{ link, state: 0 },
    },
    { chain, names: link < 0 ? nameBits(packet.link) : i32at(RULE_LINKS_AT + 4 * link), via: packet.via },
  );
  if (answer === undefined) fail('setsockopt failed: Cannot allocate memory');
  return WORDS[answer] ?? 'accepted';
}
