// `ipfwadm -c`: what a category says to a packet that is made up of the line's words. It is walked here, over the rules as they were
// written, and counts nothing. Not here: the walk of real packets (src/plane/filter/walk.ts).

import * as record from '../../../base/rule-record.ts';
import { firstRule, nextRule } from '../chains.ts';
import { isOpen } from '../memory.ts';
import { policyOf } from '../old/chains.ts';
import * as own from './rule.ts';

const POLICY_WORDS = ['accepted', 'accepted', 'denied', 'rejected', 'masqueraded', 'accepted'];

function isListed(ports: readonly number[], isRange: boolean, port: number): boolean {
  if (ports.length === 0) return true;
  if (isRange && port >= (ports[0] as number) && port <= (ports[1] as number)) return true;
  return ports.includes(port, isRange ? 2 : 0);
}

function applies(rule: own.FwadmRule, packet: own.FwadmRule): boolean {
  const { flags } = rule;
  const kind = flags & own.KIND;
  if (rule.via !== 0 && rule.via !== packet.via) return false;
  if (rule.link !== '' && rule.link !== packet.link) return false;
  if (kind !== 0 && kind !== (packet.flags & own.KIND)) return false;
  // A packet that is made up has no ACK.
  const isTcp = (packet.flags & own.KIND) === own.KIND_TCP;
  if (isTcp && (flags & own.ACK) !== 0) return false;
  if (isTcp && (flags & own.SYN) !== 0 && (packet.flags & own.SYN) === 0) return false;
  const [port = 0] = packet.sourcePorts;
  const [other = 0] = packet.destinationPorts;
  const isSourceRange = (flags & own.SOURCE_RANGE) !== 0;
  const isBetween = (from: number, to: number, fromPort: number, toPort: number): boolean => {
    if (((from ^ rule.source) & rule.sourceMask) !== 0) return false;
    if (((to ^ rule.destination) & rule.destinationMask) !== 0) return false;
    if (kind === own.KIND_ICMP) return isListed(rule.sourcePorts, isSourceRange, port);
    if (kind === 0) return true;
    const isTo = isListed(rule.destinationPorts, (flags & own.DESTINATION_RANGE) !== 0, toPort);
    return isTo && isListed(rule.sourcePorts, isSourceRange, fromPort);
  };
  if (isBetween(packet.source, packet.destination, port, other)) return true;
  return (flags & own.BOTH) !== 0 && isBetween(packet.destination, packet.source, other, port);
}

/** The word that -c prints behind `packet`. */
export function verdictOf(chain: number, packet: own.FwadmRule): string {
  if (!isOpen()) return 'accepted';
  for (let cell = firstRule(chain); cell !== 0; cell = nextRule(cell)) {
    const rule = own.readRule(cell);
    if (!applies(rule, packet)) continue;
    if ((rule.flags & own.MASQUERADE) !== 0) return 'masqueraded';
    if ((rule.flags & own.ACCEPT) !== 0) return 'accepted';
    return (rule.flags & own.REJECT) !== 0 ? 'rejected' : 'denied';
  }
  const policy = policyOf(chain);
  return policy === record.POLICY_HOUSE ? 'accepted' : (POLICY_WORDS[policy] as string);
}
