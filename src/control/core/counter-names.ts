// The plane's counters in words, in the order of src/base/counters.ts, which counter-names.test.ts compares. They are
// text and not a table of constants because the heap would hold that five times over, for a rare command.

import { COUNT_ICMP_SENT, DROP_NO_BUFFER } from '../../base/counters.ts';

/** What was dropped, or why: a name and its meaning a line, from DROP_NO_BUFFER on. */
const DROPS = `\
no-buffer no packet buffer was free
frame-short shorter than an Ethernet header
not-for-us for another station
ethertype neither IPv4 nor ARP
arp-malformed malformed ARP
ip-header malformed IP header
ip-checksum wrong IP header checksum
ip-length IP length does not fit the frame
ip-options malformed IP options
source-route source routed
ttl time to live used up
martian-source source that no host can have
martian-destination destination that no host can have
spoofed-from-wan came from the WAN with a LAN source
foreign-from-lan came from the LAN with a foreign source
same-interface would go out where it came in
no-route no route to the destination
interface-down the outgoing interface is down
transmit-full transmit queue full
transmit-error the card refused to send it
arp-queue-full too many packets wait for ARP
arp-failed no answer to ARP
fragment-malformed malformed fragment
fragment-overlap overlapping fragments
fragment-limit too many fragments wait
fragment-timeout fragments whose first never came
too-big larger than the MTU with DF set
transport-header malformed transport header
icmp-checksum wrong ICMP checksum
icmp-malformed malformed ICMP
icmp-unmatched ICMP error about no known packet
icmp-type ICMP type that is not let through
unsolicited nobody inside asked for it
filtered from another sender than the mapping allows
table-full masquerade table full
host-share the host has used up its share of the table
no-port no free port to masquerade with
tcp-state does not fit the TCP connection
protocol protocol that cannot be masqueraded
punt-full control had too many packets waiting
local-closed for a closed port of the router
broadcast broadcast that is not forwarded
vlan not of the VLAN in which the WAN is
rule refused by a rule or a policy
rejected refused by a rule, and the sender was told
rule-loop asked too many rules
queue-delay waited too long for a slow line
no-call no call came about for it`;

/** What else is counted, from COUNT_ICMP_SENT on. */
const COUNTS = `\
icmp-sent ICMP errors sent
icmp-limited ICMP errors not sent, too many a second
echo-answered pings answered
arp-conflict another station used an address of ours
masquerade-new masquerade entries made
masquerade-expired masquerade entries expired
evicted-unanswered unanswered entries removed for new ones
evicted-closed closed entries removed for new ones
evicted-share entries of the largest host removed for others
mss-clamped TCP segment sizes lowered
fragmented packets fragmented
ring-overrun receive rings of cards that overflowed
serial-overrun serial bytes lost
forwarded packets forwarded
punted packets given to control
card-reset cards reset because they hung
idle-interrupt interrupts with nothing to do for a card`;

/** A counter as people see it, `drop-no-buffer`, and its index. */
export interface Counter {
  name: string;
  index: number;
  meaning: string;
}

export function counterList(): Counter[] {
  return [...parse(DROPS, 'drop-', DROP_NO_BUFFER), ...parse(COUNTS, '', COUNT_ICMP_SENT)];
}

function parse(text: string, prefix: string, first: number): Counter[] {
  return text.split('\n').map((line, i) => {
    const space = line.indexOf(' ');
    return { name: prefix + line.slice(0, space), index: first + i, meaning: line.slice(space + 1) };
  });
}
