// Rules that cut the LAN off from the router itself - its addresses by DHCP, its names, its pings - are told of, once by the line that does
// it. It is no refusal: who means it, means it, and `confirm` takes it back. What is cut off the plane says, of a packet of each kind that
// nobody has sent (explain/probe.ts), whatever rules and chains it is that do it.

import { DROP_REJECTED, DROP_RULE } from '../../base/counters.ts';
import { INTERFACE_LAN } from '../../base/limits.ts';
import { i32at, u16at } from '../../base/memory.ts';
import { PROBE_VERDICT } from '../../base/probe-record.ts';
import * as record from '../../base/rule-record.ts';
import { ICMP_ECHO_REQUEST } from '../../wire/icmp.ts';
import { PROTOCOL_ICMP, PROTOCOL_UDP } from '../../wire/ipv4.ts';
import { prefixOf } from '../core/addresses.ts';
import type { Machine } from '../core/machine.ts';
import { type Made, probe } from './explain/probe.ts';
import type { Line } from './line.ts';
import { isOpen, setTold, TOLD_CUT, TOLD_CUT_SHIFT, TOLD_UNASKED, told } from './memory.ts';

const DHCP_SERVER = 67;
const DHCP_CLIENT = 68;
const DNS = 53;
const CLIENT = 1024;
const BROADCAST = -1;
/** What is asked of the router by the LAN, and what it answers: a bit each, in this order. */
const NAMES = ['DHCP', 'DNS', 'pings to the router', 'answers of DHCP', 'answers of DNS'];
const ASKED = 7;
const UNASKED = "nat's INPUT is not asked: what the router itself gets keeps its source";

/** Which of these are cut off, a bit each. */
function cutOff(machine: Machine): number {
  const prefix = prefixOf(INTERFACE_LAN);
  if (prefix === undefined || prefix.length > 29) return 0;
  const { address, length } = prefix;
  const network = address & (-1 << (32 - length));
  const host = (network | 2) === address ? network | 3 : network | 2;
  const ask = (bit: number, made: Omit<Made, 'state'>, state = 0): number => {
    if (!probe(machine, { ...made, state }, true)) return 0;
    const verdict = i32at(PROBE_VERDICT);
    return verdict === DROP_RULE || verdict === DROP_REJECTED ? 1 << bit : 0;
  };
  const udp = { protocol: PROTOCOL_UDP, kind: 0 };
  const asked = { ...udp, sourcePort: CLIENT, source: host, destination: address, link: INTERFACE_LAN };
  const answer = { ...udp, source: address, destination: host, link: -1 };
  return (
    ask(0, { ...asked, source: 0, sourcePort: DHCP_CLIENT, destination: BROADCAST, port: DHCP_SERVER }) |
    ask(1, { ...asked, port: DNS }) |
    ask(2, { ...asked, protocol: PROTOCOL_ICMP, kind: ICMP_ECHO_REQUEST << 8, port: 0 }) |
    ask(3, { ...answer, sourcePort: DHCP_SERVER, port: DHCP_CLIENT }) |
    ask(4, { ...answer, sourcePort: DNS, port: CLIENT }, record.STATE_BIT_ESTABLISHED)
  );
}

/** What is to be said when rules have changed: of what is cut off now, and was not before. */
export function lanNews(machine: Machine): string | undefined {
  if (!isOpen()) return undefined;
  const before = (told() & TOLD_CUT) >> TOLD_CUT_SHIFT;
  const cut = cutOff(machine);
  setTold(TOLD_CUT, cut << TOLD_CUT_SHIFT);
  const news = cut & ~before;
  if (news === 0) return undefined;
  const names = NAMES.filter((_, bit) => (news & (1 << bit)) !== 0);
  const last = names.pop() as string;
  const list = names.length === 0 ? last : `${names.join(', ')} and ${last}`;
  const isAsked = (news & ASKED) !== 0;
  const chain = isAsked ? 'INPUT -i lan' : 'OUTPUT -o lan';
  return `The LAN's ${list} are now dropped: iptables -I ${chain} -j ACCEPT lets them ${isAsked ? 'in' : 'out'}`;
}

/** The same of nat's rules: those about what the router itself gets are taken, and counted by none. */
export function natNews(): string | undefined {
  if (!isOpen()) return undefined;
  const before = told() & TOLD_UNASKED;
  const isUnasked = u16at(record.chainAt(record.CHAIN_NAT_INPUT) + record.CHAIN_RULES) !== 0;
  setTold(TOLD_UNASKED, isUnasked ? TOLD_UNASKED : 0);
  return isUnasked && before === 0 ? UNASKED : undefined;
}

/** The same of a line that has just been done. What can only let more pass is not looked at: a packet takes control 2 ms. */
export function lanWarning(
  machine: Machine,
  { chain, commands, jump, name, table }: Line,
): string | undefined {
  if (table === record.TABLE_NAT) return natNews();
  if (chain === 'FORWARD' || chain === 'POSTROUTING') return undefined;
  if (commands === 'N' || commands === 'X' || commands === 'E') return undefined;
  if ((commands === 'P' && name === 'ACCEPT') || jump === 'ACCEPT' || jump === 'LOG') {
    // What was cut off may be no more, and is to be told of when it is again.
    if ((told() & TOLD_CUT) === 0) return undefined;
  }
  return lanNews(machine);
}
