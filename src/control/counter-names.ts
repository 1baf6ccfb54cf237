// The plane's counters in words, in the order of src/plane/counters.ts. The type asks for a line for each
// counter there; counter-names.test.ts compares the order.

import * as counters from '../plane/counters.ts';

type Constant = keyof typeof counters;
export type CounterName = Extract<Constant, `DROP_${string}` | `COUNT_${string}`>;

/** A counter's constant and what it counts; drops say what was dropped, or why. */
export const COUNTER_NAMES: Record<CounterName, string> = {
  DROP_NO_BUFFER: 'no packet buffer was free',
  DROP_FRAME_SHORT: 'shorter than an Ethernet header',
  DROP_NOT_FOR_US: 'for another station',
  DROP_ETHERTYPE: 'neither IPv4 nor ARP',
  DROP_ARP_MALFORMED: 'malformed ARP',
  DROP_IP_HEADER: 'malformed IP header',
  DROP_IP_CHECKSUM: 'wrong IP header checksum',
  DROP_IP_LENGTH: 'IP length does not fit the frame',
  DROP_IP_OPTIONS: 'malformed IP options',
  DROP_SOURCE_ROUTE: 'source routed',
  DROP_TTL: 'time to live used up',
  DROP_MARTIAN_SOURCE: 'source that no host can have',
  DROP_MARTIAN_DESTINATION: 'destination that no host can have',
  DROP_SPOOFED_FROM_WAN: 'came from the WAN with a LAN source',
  DROP_FOREIGN_FROM_LAN: 'came from the LAN with a foreign source',
  DROP_SAME_INTERFACE: 'would go out where it came in',
  DROP_NO_ROUTE: 'no route to the destination',
  DROP_INTERFACE_DOWN: 'the outgoing interface is down',
  DROP_TRANSMIT_FULL: 'transmit queue full',
  DROP_TRANSMIT_ERROR: 'the card refused to send it',
  DROP_ARP_QUEUE_FULL: 'too many packets wait for ARP',
  DROP_ARP_FAILED: 'no answer to ARP',
  DROP_FRAGMENT_MALFORMED: 'malformed fragment',
  DROP_FRAGMENT_OVERLAP: 'overlapping fragments',
  DROP_FRAGMENT_LIMIT: 'too many fragments wait',
  DROP_FRAGMENT_TIMEOUT: 'fragments whose first never came',
  DROP_TOO_BIG: 'larger than the MTU with DF set',
  DROP_TRANSPORT_HEADER: 'malformed transport header',
  DROP_ICMP_CHECKSUM: 'wrong ICMP checksum',
  DROP_ICMP_MALFORMED: 'malformed ICMP',
  DROP_ICMP_UNMATCHED: 'ICMP error about no known packet',
  DROP_ICMP_TYPE: 'ICMP type that is not let through',
  DROP_UNSOLICITED: 'nobody inside asked for it',
  DROP_FILTERED: 'from another sender than the mapping allows',
  DROP_TABLE_FULL: 'masquerade table full',
  DROP_HOST_SHARE: 'the host has used up its share of the table',
  DROP_NO_PORT: 'no free port to masquerade with',
  DROP_TCP_STATE: 'does not fit the TCP connection',
  DROP_PROTOCOL: 'protocol that cannot be masqueraded',
  DROP_PUNT_FULL: 'control had too many packets waiting',
  DROP_LOCAL_CLOSED: 'for a closed port of the router',
  DROP_BROADCAST: 'broadcast that is not forwarded',
  COUNT_ICMP_SENT: 'ICMP errors sent',
  COUNT_ICMP_LIMITED: 'ICMP errors not sent, too many a second',
  COUNT_ECHO_ANSWERED: 'pings answered',
  COUNT_ARP_CONFLICT: 'another station used an address of ours',
  COUNT_MASQUERADE_NEW: 'masquerade entries made',
  COUNT_MASQUERADE_EXPIRED: 'masquerade entries expired',
  COUNT_EVICTED_UNANSWERED: 'unanswered entries removed for new ones',
  COUNT_EVICTED_CLOSED: 'closed entries removed for new ones',
  COUNT_EVICTED_SHARE: 'entries of the largest host removed for others',
  COUNT_MSS_CLAMPED: 'TCP segment sizes lowered',
  COUNT_FRAGMENTED: 'packets fragmented',
  COUNT_RING_OVERRUN: 'receive rings of cards that overflowed',
  COUNT_SERIAL_OVERRUN: 'serial bytes lost',
  COUNT_FORWARDED: 'packets forwarded',
  COUNT_PUNTED: 'packets given to control',
  COUNT_CARD_RESET: 'cards reset because they hung',
};

/** A counter as people see it, `drop-no-buffer`, and its index. */
export interface Counter {
  name: string;
  index: number;
  meaning: string;
}

const INDICES = new Map<string, unknown>(Object.entries(counters));

export function counterList(): Counter[] {
  return Object.entries(COUNTER_NAMES).map(([constant, meaning]) => ({
    name: constant
      .replace(/^COUNT_/, '')
      .toLowerCase()
      .replaceAll('_', '-'),
    index: INDICES.get(constant) as number,
    meaning,
  }));
}
