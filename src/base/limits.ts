// Every size, depth and timeout of the plane, with unit and reason, and the map of its memory.
//
// The map is a chain: each region starts where the one before it ends, and the sum is asserted by
// limits.test.ts. Every size is a multiple of 64 bytes, so each region starts on a cache line (and on
// a multiple of every field's size). Address 0 means "none"; nothing is kept below PLANE_FIRST.

import { DEMAND_BYTES, FCS_TABLE_BYTES, LINE_BYTES, PPPOE_COUNT } from './line-limits.ts';

/** Where the plane's memory lies in QuickJS's linear memory: in the hole between data and stack. */
export const PLANE_BASE: i32 = 0x40000;

/** Ticks of the PIT a second. The period kernels' HZ: `ipfwadm -M -l` shows hundredths. */
export const TICKS_PER_SECOND: i32 = 100;

// --- links and their devices ----------------------------------------------------------------------
/**
 * LAN, WAN, two for further cards, and four for links on serial ports and on other links. At most 8: that many bits has WORK_DRAIN
 * (cells.ts), and so many numbers a kept route (src/plane/flow/kept-route.ts). One that is not used costs its record, and nothing else.
 */
export const INTERFACE_COUNT: i32 = 8;
export const INTERFACE_BYTES: i32 = 256;
export const INTERFACE_LAN: i32 = 0;
export const INTERFACE_WAN: i32 = 1;
/** Cards that are looked for: boards have two to four slots. One more is not found, and said nowhere. With the serial ports at most 8 (WORK_RECEIVE). */
export const NIC_COUNT: i32 = 4;
/** One driver's state a card. */
export const NIC_BYTES: i32 = 256;
/** Frames waiting for a card. More only adds delay: 32 full frames are 31 ms at 10 Mb/s. */
export const TRANSMIT_QUEUE_LIMIT: i32 = 32;
/**
 * Frames waiting for a card with which an echo request is not answered any more: all others have the rest of the queue, so
 * who pings with large datagrams loses his own answers. A datagram of 10 kB in fragments is 7.
 */
export const ECHO_QUEUE_LIMIT: i32 = 8;
/** Counts of the PIT, 838 ns each, between two ticks. */
export const TICK_COUNTS: i32 = 11932;
/**
 * Counts between two ticks in which frames are taken. Past it they wait in the cards' rings for the next tick, and
 * what has no room there the cards drop and count: a flood costs its own frames and those that come with it, and
 * leaves control a quarter of the processor.
 */
export const RECEIVE_TICK_COUNTS: i32 = ((TICK_COUNTS / 4) | 0) * 3;
/** Frames that the interpreted engine takes before control has its turn: at 80,000 instructions, 40 ms. */
export const INTERPRETED_FRAMES: i32 = 16;
/** Pieces of work behind one interrupt where no floor counts the time (tests, the sim board). */
export const WORK_PIECES: i32 = 512;
/**
 * Frames of known sessions (src/plane/flow/known-flow.ts) that are taken in one piece, while they have no more bytes together than
 * KNOWN_BYTES: of 60 bytes, three take as long with an ISA bus as one does that opens a session. Any other frame ends its piece.
 */
export const KNOWN_FRAMES: i32 = 3;
export const KNOWN_BYTES: i32 = 160;
/** Frames that go from a queue to its card in one piece. A card has room for two; QEMU's has it again at once. */
export const DRAIN_FRAMES: i32 = 4;
/**
 * After so many bytes the piece ends, and a datagram from a card that is longer than the second is sent in a piece of its own:
 * on an ISA bus, at 0.5 us for a word, a full frame takes 0.38 ms to take and as long to send.
 */
export const DRAIN_BYTES: i32 = 256;
export const TRANSMIT_AT_ONCE: i32 = 586;
/** Between two cards that move 32 bits at a time, by PCI, a full frame takes less than a third of that. */
export const TRANSMIT_AT_ONCE_WIDE: i32 = 1600;
/** Frames taken out of a ring that overran before its card hears again: room for another third of the ring. */
export const RECOVERY_FRAMES: i32 = 16;
/** Frames passed over in one piece while there is no buffer. */
export const SKIP_FRAMES: i32 = 8;
/** A card that has not sent a frame after this many ticks is reset: 16 collisions take at most 0.4 s. */
export const NIC_TRANSMIT_TICKS: i32 = 50;
/** What an Ethernet frame carries, and the frame with its header of 14 bytes. */
export const DATAGRAM_MAX: i32 = 1500;
export const FRAME_MAX: i32 = 14 + DATAGRAM_MAX;
/** A full frame that came with a tag of IEEE 802.1Q, which is taken off at the door (src/wire/ethernet.ts). */
export const FRAME_TAGGED_MAX: i32 = FRAME_MAX + 4;
export const MTU_DEFAULT: i32 = 1500;

// --- packet buffers ----------------------------------------------------------------------------------
/** Metadata and headroom, 50 bytes, a tagged frame of 1,518, and 16 bytes of scratch behind it (packet.ts). */
export const BUFFER_BYTES: i32 = 1600;
/** Two full transmit queues, the punt ring, waiting fragments and ARP, and some in hand. */
export const BUFFER_COUNT: i32 = 160;
/**
 * So many on boards with less RAM than SMALL_BOARD_KIB. Without the reserve below they are 72: of one full transmit queue, 32, beside a
 * page's 40 questions for control, or beside a datagram of 28 fragments that wait for their first one. Packets that pass through have
 * all of theirs in any case. Where both directions are fuller than their links, eight packets may wait for anything else, of which
 * sources have their turns as ever: names are slow then, and nothing is lost of what goes through.
 */
export const BUFFER_COUNT_SMALL: i32 = 96;
/** Free buffers below which nothing may wait (for ARP, a first fragment, control): forwarding goes first. */
export const POOL_RESERVE: i32 = 24;

// --- serial ports --------------------------------------------------------------------------------------
export const SERIAL_COUNT: i32 = 4;
export const SERIAL_STATE_BYTES: i32 = 128;
/** Powers of two. A paste at 115200 baud brings 11.5 bytes a millisecond: 4,096 bytes are 355 ms. */
export const SERIAL_RECEIVE_BYTES: i32 = 4096;
export const SERIAL_TRANSMIT_BYTES: i32 = 4096;

// --- lines: serial ports that carry frames (line-limits.ts has what lies in them) ----------------------------
/** What the heap lends for compression, a page for a port. */
export const VJ_PAGE: i32 = 4096;
/** In part of a line's rate: bytes of a tick, 10 bits each. */
export const LINE_TICK_BITS: i32 = 10 * TICKS_PER_SECOND;

// --- control's queue -------------------------------------------------------------------------------------
/**
 * Packets waiting for control, by class: what links say of themselves (PPP's own frames), DHCP, UDP from inside (DNS), TCP from inside, what else comes from inside,
 * answers from outside. A full class gives a place to who holds fewer by taking one from who holds most, so the one
 * who floods loses first (src/plane/local/punt.ts). A page's 20 names ask 40 questions at once, within 4 ms, in which control answers none;
 * of each shared queue one packet stays beside them. Together little more than half of all buffers: the others are for
 * packets that pass through, and where these want more, what waits here goes first (POOL_RESERVE).
 */
export const PUNT_LINK_LIMIT: i32 = 8;
export const PUNT_DHCP_LIMIT: i32 = 8;
export const PUNT_UDP_LIMIT: i32 = 44;
export const PUNT_TCP_LIMIT: i32 = 12;
export const PUNT_OTHER_LIMIT: i32 = 4;
export const PUNT_ANSWER_LIMIT: i32 = 20;
export const PUNT_LIMIT: i32 =
  PUNT_LINK_LIMIT + PUNT_DHCP_LIMIT + PUNT_UDP_LIMIT + PUNT_TCP_LIMIT + PUNT_OTHER_LIMIT + PUNT_ANSWER_LIMIT;
/**
 * Of a full class a station keeps so many places before those that asked for more lately: a name's A, AAAA and HTTPS are asked
 * for at once. What it asks for beyond them beside as many as fill the class waits for its next try.
 */
export const PUNT_KEPT: i32 = 4;
/** A queue for each source of a class that has something waiting: there are never more than packets. */
export const PUNT_QUEUE_BYTES: i32 = 32;
/** How many queues are in use, and of each class how many packets wait and when it had its turn. */
export const PUNT_STATE_BYTES: i32 = 64;
/**
 * Stations of the inside links, in sets of eight (src/plane/link/station.ts). Where all of a set have settled the ninth has no record: it
 * shares the newcomers' queue, and beside a flood of theirs it is served by chance.
 */
export const STATION_SETS: i32 = 64;
export const STATION_SET: i32 = 8;
export const STATION_BYTES: i32 = 16;
export const STATION_STATE_BYTES: i32 = 64;
/** DHCP answers that pass to the WAN's client at once, and ticks until one more does: a server sends one or two. */
export const DHCP_REPLY_BURST: i32 = 8;
export const DHCP_REPLY_TICKS: i32 = 25;
export const DHCP_REPLY_BYTES: i32 = 64;
/** Ports and ICMP identifiers on which the router itself listens: 64 are for DNS queries under way. */
export const SOCKET_COUNT: i32 = 128;
export const SOCKET_BYTES: i32 = 16;

/** TCP connections of the router itself, all services together (src/control/core/limits.ts): 6 for others, the rest our own. */
export const TCP_CONNECTION_COUNT: i32 = 8;
export const TCP_CONNECTION_BYTES: i32 = 8;
/** What our interfaces take in one segment, and two of them, which is what a connection lets be on its way. */
export const TCP_MSS: i32 = 1460;
export const TCP_WINDOW_BYTES: i32 = 2 * TCP_MSS;

// --- neighbours and routes -----------------------------------------------------------------------------------
/**
 * A power of two. When all are taken the one that was unused longest goes, next hops of routes last: with more
 * hosts than places all are served, and those that speak seldom are asked for again before each packet.
 */
export const NEIGHBOUR_COUNT: i32 = 512;
export const NEIGHBOUR_BYTES: i32 = 48;
/** Chains of the hash (u16 heads); the top 9 bits of it choose one. */
export const NEIGHBOUR_BUCKETS: i32 = 512;
/**
 * Records looked at for one that may go: a quarter of them may turn out to be in use, and all next hops of routes.
 * Past the quarter one in use goes, whose host is then asked for again.
 */
export const NEIGHBOUR_EVICT_LOOKS: i32 = 64;
/** The whole table is looked at once in this time, a slice each tick. */
export const NEIGHBOUR_SWEEP_TICKS: i32 = 64;
/**
 * Packets that wait for the sake of one host (RFC 1122, 2.3.2.2 asks for one); a 10 kB datagram in fragments is 7.
 * Past it that host's own packets are dropped, until its neighbours answer or are given up.
 */
export const NEIGHBOUR_HELD_SHARE: i32 = 8;
/**
 * Packets that wait for all neighbours together. Past it, as below POOL_RESERVE, who has the most of them loses
 * the oldest to who has less; when 32 hosts wait for one each, the next one's first packet is dropped.
 */
export const NEIGHBOUR_HELD_LIMIT: i32 = 32;
/** Requests sent for a neighbour before it is given up, and the time between two (RFC 1122, 2.3.2.1: 1 s). */
export const NEIGHBOUR_TRIES: i32 = 3;
export const NEIGHBOUR_RETRY_TICKS: i32 = 1 * TICKS_PER_SECOND;
/** A neighbour in use is asked again, by unicast, this long after it was last heard. */
export const NEIGHBOUR_CONFIRMED_TICKS: i32 = 60 * TICKS_PER_SECOND;
/** A neighbour is forgotten this long after it was last used. */
export const NEIGHBOUR_IDLE_TICKS: i32 = 600 * TICKS_PER_SECOND;
/** Polls of a station whose address another claims, and the least time between two: a host answers in milliseconds. */
export const NEIGHBOUR_CHECKS: i32 = 2;
export const NEIGHBOUR_CHECK_TICKS: i32 = 25;
/** Least time between two defences of our address (RFC 5227, 2.4: DEFEND_INTERVAL, 10 s). */
export const ARP_DEFEND_TICKS: i32 = 10 * TICKS_PER_SECOND;
export const ROUTE_COUNT: i32 = 32;
export const ROUTE_BYTES: i32 = 32;
/** Addresses whose way is remembered, a power of two. */
export const ROUTE_CACHE_COUNT: i32 = 64;
export const ROUTE_CACHE_BYTES: i32 = 16;
/** What the cache was filled under, of each link (src/plane/ip/route.ts). */
export const ROUTE_STATE_BYTES: i32 = (16 * INTERFACE_COUNT + 63) & ~63;

// --- fragments ---------------------------------------------------------------------------------------------------
/**
 * Datagrams in fragments at a time, half of them for each side. Past it the oldest of the source goes that has the
 * most; its other fragments are dropped. From outside, where sources can be forged, that is the oldest of all.
 */
export const FRAGMENT_CONTEXT_COUNT: i32 = 64;
/** 56 bytes of state and the ranges of what has been seen. */
export const FRAGMENT_CONTEXT_BYTES: i32 = 160;
/** Every second of a datagram's 45 fragments is 23 ranges. What would need one more is dropped. */
export const FRAGMENT_RANGE_COUNT: i32 = 26;
/** RFC 1122, 3.3.2 reassembles for 60 s at least; a router that only remembers ports may forget sooner. */
export const FRAGMENT_LIFE_TICKS: i32 = 30 * TICKS_PER_SECOND;
/** Fragments wait this long for their first one: reordering takes milliseconds. */
export const FRAGMENT_WAIT_TICKS: i32 = 5 * TICKS_PER_SECOND;
/** Fragments of one side that wait for their first ones: 65,535 bytes by an MTU of 1,500 are 45 fragments. */
export const FRAGMENT_HELD_SIDE: i32 = 44;
/**
 * The same of both sides: 20 are left to one whatever the other holds. Past these two, as below POOL_RESERVE, the
 * source that has the most of them on that side loses its oldest datagram to one that has less.
 */
export const FRAGMENT_HELD_LIMIT: i32 = 64;
/** Fragments that follow their first one, or one that came later, at once: 10,000 instructions, full ones. */
export const FRAGMENT_RELEASE: i32 = 3;
/** Then so many each tick, all datagrams together: 8 full frames are the 10 ms of a tick at 10 Mb/s. */
export const FRAGMENT_TICK_RELEASE: i32 = 8;

// --- ICMP --------------------------------------------------------------------------------------------------------
/**
 * Errors (and resets) to one host: this many at once, then one each ICMP_REFILL_TICKS (RFC 1812, 4.3.2.8), both on
 * average. Past it the host hears nothing until it has another bucket, which is within a second; so do the others
 * that share its bucket by chance.
 */
export const ICMP_BURST: i32 = 25;
export const ICMP_REFILL_TICKS: i32 = 10;
/**
 * Buckets of an interface, a power of two; together they let 320 errors a second out. Inside, one more is for all whose
 * source address is not known to be theirs (src/plane/ip/sender.ts), so that made-up ones do not empty the others'.
 */
export const ICMP_BUCKETS: i32 = 32;
/** Which addresses share a bucket is drawn anew after this time. */
export const ICMP_KEY_TICKS: i32 = 1 * TICKS_PER_SECOND;
/** The largest error, with its IP header (RFC 1812, 4.3.2.3). */
export const ICMP_ERROR_BYTES: i32 = 576;

// --- masquerading ----------------------------------------------------------------------------------------------
/**
 * Sessions. When all are in use a new one takes the place of another (src/plane/flow/flow-admission.ts): one that nobody has
 * answered, a closed one, then one of the host that holds the most. A host within its share always gets a place; one
 * over its share is refused, and nobody else. A power of two, 32,768 at most (src/plane/flow/kept-route.ts).
 */
export const MASQUERADE_COUNT: i32 = 4096;
export const MASQUERADE_BYTES: i32 = 96;
/**
 * Boards with less RAM than this, in KiB, have so many sessions, and what the others would take for control's heap
 * (sessionLimit() in flow-record.ts), as they have less buffers. When they are all in use, the same happens as above.
 */
export const SMALL_BOARD_KIB: i32 = 5 * 1024;
export const MASQUERADE_COUNT_SMALL: i32 = 2048;
/**
 * Places in which a session is looked for first, a power of two (src/plane/flow/known-flow.ts). Of sessions that share one the last that was found
 * by its chain is there; the others cost 90 instructions more a packet.
 */
export const KNOWN_COUNT: i32 = 1024;
/** Chains of the tuples, two a flow (u16 heads); the top 13 bits of the hash choose one. */
export const TUPLE_BUCKETS: i32 = 8192;
/** Chains in each of the three other hash tables (u16 heads); the top 12 bits of the hash choose one. */
export const MASQUERADE_BUCKETS: i32 = 4096;
/**
 * Sessions in one chain. The keys are secret, so chance alone makes chains, and a full table's longest has 8 or 9. A
 * session whose chain is full is refused (DROP_TABLE_FULL); the host's next try has another port, and another chain.
 */
export const MASQUERADE_CHAIN_LIMIT: i32 = 24;
/** The last entries go only to hosts that hold no more than their share: room for one host's evening. */
export const MASQUERADE_RESERVE: i32 = 256;
/**
 * How many of a list's oldest entries are looked at for one that may go. Where none of them is of a host over its
 * share, the oldest goes, or whoever asks is refused if it is over its own.
 */
export const MASQUERADE_EVICT_WINDOW: i32 = 8;
/** An answered UDP or ICMP session that was used in this time is not idle, and stays while another is. */
export const MASQUERADE_IDLE_SECONDS: i32 = 10;
/** A tunnel without ports that was silent for so long goes to the next inside host that asks for its remote host. */
export const TUNNEL_IDLE_SECONDS: i32 = 60;
/**
 * Sessions that one tick ends, 500 instructions each. What more is due waits: all 4,096 at once are gone after 5.1 s.
 */
export const MASQUERADE_END_LIMIT: i32 = 8;
/** Entries that one tick visits at least while those of a lost address are looked for. */
export const MASQUERADE_REAP_SLICE: i32 = 96;
/**
 * Outside addresses that have sessions, those lost and not cleared up yet among them. While all are taken a session
 * by yet another is refused (DROP_TABLE_FULL): eight changes of address in 5 s.
 */
export const OUTSIDE_COUNT: i32 = 8;
/** Identifiers that are drawn for an ICMP query whose own is taken: 8 fail once in 4,000 million with all sessions ICMP's. */
export const IDENTIFIER_TRIES: i32 = 8;
/**
 * Places that are tried for an inside host's record, from each of its two, before it shares the common one. Hosts that
 * share it count as one that may not push out answered sessions while they hold more than one host's share.
 */
export const HOST_PROBES: i32 = 8;
/** Inside hosts whose share is accounted, a power of two. */
export const HOST_COUNT: i32 = 256;
export const HOST_BYTES: i32 = 32;
/** Forwards of ports, a place for each host of one (src/plane/flow/forwards.ts). `set forward` is refused when all are in use. */
export const FORWARD_COUNT: i32 = 32;
export const FORWARD_BYTES: i32 = 32;
/**
 * Servers (server-record.ts): the hosts of all forwards, and some that are set no more and still have sessions. When there are more of
 * these, the one with the fewest sessions is forgotten, whose sessions go on. At most 63 (SERVER_MASK).
 */
export const SERVER_COUNT: i32 = 48;
export const SERVER_BYTES: i32 = 32;
/** Sessions by forwards that wait to be logged, a power of two: control looks once a second, and counts those that had no place. */
export const FORWARD_LOG_COUNT: i32 = 16;
export const FORWARD_LOG_BYTES: i32 = 16;
/** Further outside addresses, and networks that stand for one inside (alias-record.ts). `set wan also` and `set nat one-to-one` are refused when all are in use. */
export const ALIAS_COUNT: i32 = 16;
export const ALIAS_BYTES: i32 = 16;
/** Triggers (src/plane/flow/triggers.ts): `set trigger` is refused when all are in use. */
export const TRIGGER_COUNT: i32 = 8;
/** Openings of one: a host inside and whom it has asked. Another takes the place of the oldest, of the same host if that has a quarter of them. */
export const TRIGGER_OPENINGS: i32 = 8;
export const TRIGGER_OPENING_BYTES: i32 = 16;
export const TRIGGER_BYTES: i32 = 16 + TRIGGER_OPENINGS * TRIGGER_OPENING_BYTES;
/** Seconds after the last packet of its control session in which an opening lets somebody in: the 2.0 kernel's. */
export const TRIGGER_SECONDS: i32 = 15;
/**
 * A forward of so many ports at most keeps them from mappings; one of more gets only what no mapping has. Thus a forward of
 * all ports takes none from the hosts inside.
 */
export const FORWARD_KEPT_PORTS: i32 = 1024;
/** TCP and UDP, each: ports of mappings, ports of the router, and the words of both that are full, even and odd. */
export const PORT_MAP_BYTES: i32 = 2 * 8192 + 2 * 256;
export const IDENTIFIER_MAP_BYTES: i32 = 8192;

// --- small state blocks ----------------------------------------------------------------------------------------
export const CELLS_BYTES: i32 = 512;
export const PARAMETER_COUNT: i32 = 64;
export const COUNTER_COUNT: i32 = 128;
export const POOL_STATE_BYTES: i32 = 64;
/** 64 bytes, 24 a link, and the packets that wait with their holders (neighbour-record.ts). */
export const ARP_STATE_BYTES: i32 = (64 + 24 * INTERFACE_COUNT + 12 * NEIGHBOUR_HELD_LIMIT + 63) & ~63;
export const FRAGMENT_STATE_BYTES: i32 = 64 + 12 * FRAGMENT_CONTEXT_COUNT;
export const MASQUERADE_STATE_BYTES: i32 = 256;
export const ENTROPY_BYTES: i32 = 256;
/** A row of buckets an interface, whole cache lines. */
export const ICMP_STATE_BYTES: i32 = 64 + ((INTERFACE_COUNT * (ICMP_BUCKETS + 1) * 8 + 63) & ~63);
export const IDENTIFICATION_STATE_BYTES: i32 = 64;
/** Counters (u16) that pairs of addresses share by chance, a power of two (src/plane/ip/identification.ts). */
export const IDENTIFICATION_COUNT: i32 = 1024;
/** Control's settings as text, for when control is started again: as much as a saved configuration has room for. */
export const CONFIGURATION_BYTES: i32 = 16384;
/**
 * The lines of the sections (src/control/core/sections.ts), and as much again for a text beside the one in force: that to which
 * control goes back, one that is imported, the saved one at a start. Both have only the pages that they need, which are the
 * heap's otherwise (LENT_AT). All that is saved has 64 KB together (CONFIG_TEXT_MAX), a page more is for a floppy's header: who
 * adds a line that has no room is told so.
 */
export const SECTION_TEXT_BYTES: i32 = 65536 + 4096;
/** Sections that there may be: one more ends the build. Of each text, the bytes of every section, and the bytes that are lent. */
export const SECTION_COUNT: i32 = 6;
export const SECTION_STATE_BYTES: i32 = 64;
/** Which lines of the saved text were refused at the start: its CRC-32, and a bit for each line of a character or more. */
export const REFUSED_BYTES: i32 = 64 + ((SECTION_TEXT_BYTES / 16) | 0);
/** Leases of the DHCP server: 256 serve a /24, the largest LAN that is usual here. */
export const LEASE_COUNT: i32 = 256;
/** State, hardware address, client identifier and host name of one. */
export const LEASE_BYTES: i32 = 128;
/**
 * Whether the table holds anything; then its columns of addresses, of key hashes and of the stations whose lease
 * runs, and the records.
 */
export const LEASE_STATE_BYTES: i32 = 64;
/** The message that gave the WAN its lease, with its tick, for when control is started again: 8 + 1,472, rounded. */
export const WAN_LEASE_BYTES: i32 = 1536;
/**
 * A sector on its way between the disk and control's heap; users take turns (hal/disk/). No sector here or in the
 * store's memory lies on two pages, so that a floppy's DMA reaches each in one piece.
 */
export const DISK_BUFFER_BYTES: i32 = 512;
/** What control's store reads and writes at a time: 32 sectors. */
export const STORE_BYTES: i32 = 16384;
/** Bytes of a text that are looked at in one go, for a line (text.ts) or a sum: 10,000 instructions, with interrupts off. */
export const FIND_BYTES: i32 = 1024;
/** What SHA-256 works in (sha256.ts). */
export const HASH_BYTES: i32 = 704;
/** The key of keyed-hash.ts, and room for the text of its callers: a DNS name has 255 bytes. */
export const KEYED_HASH_BYTES: i32 = 64;
export const KEYED_TEXT_BYTES: i32 = 256;
/** Whether control goes back to other settings unless it is told otherwise: mark, tick, and where they lie. */
export const ROLLBACK_BYTES: i32 = 64;

// --- copies of frames for control ---------------------------------------------------------------------------
/** Ten full frames, or 140 headers: what the serial line carries away in a second and a half. */
export const CAPTURE_BYTES: i32 = 16 * 1024;
/** What stands before the frame in a record. */
export const CAPTURE_RECORD_BYTES: i32 = 16;
/** Conditions of one filter. */
export const CAPTURE_TERM_COUNT: i32 = 16;
/** 32 bytes and the terms, 12 each. */
export const CAPTURE_STATE_BYTES: i32 = 256;
/** The hardware watchdog's kind, place and times (hal/watchdog/). */
export const WATCHDOG_BYTES: i32 = 64;
/** Control says every 5 s that it is alive; dying and starting anew takes it 6 s. */
export const WATCHDOG_SILENT_TICKS: i32 = 20 * TICKS_PER_SECOND;

// --- the map -------------------------------------------------------------------------------------------------
export const PLANE_FIRST: i32 = 64;
export const CELLS_AT: i32 = PLANE_FIRST;
export const PARAMETERS_AT: i32 = CELLS_AT + CELLS_BYTES;
export const COUNTERS_AT: i32 = PARAMETERS_AT + 4 * PARAMETER_COUNT;
export const POOL_STATE_AT: i32 = COUNTERS_AT + 4 * COUNTER_COUNT;
export const ARP_STATE_AT: i32 = POOL_STATE_AT + POOL_STATE_BYTES;
export const FRAGMENT_STATE_AT: i32 = ARP_STATE_AT + ARP_STATE_BYTES;
export const MASQUERADE_STATE_AT: i32 = FRAGMENT_STATE_AT + FRAGMENT_STATE_BYTES;
export const ENTROPY_AT: i32 = MASQUERADE_STATE_AT + MASQUERADE_STATE_BYTES;
export const ICMP_STATE_AT: i32 = ENTROPY_AT + ENTROPY_BYTES;
export const IDENTIFICATION_STATE_AT: i32 = ICMP_STATE_AT + ICMP_STATE_BYTES;
export const IDENTIFICATIONS_AT: i32 = IDENTIFICATION_STATE_AT + IDENTIFICATION_STATE_BYTES;
export const INTERFACES_AT: i32 = IDENTIFICATIONS_AT + 2 * IDENTIFICATION_COUNT;
export const NICS_AT: i32 = INTERFACES_AT + INTERFACE_COUNT * INTERFACE_BYTES;
export const SERIAL_STATES_AT: i32 = NICS_AT + NIC_COUNT * NIC_BYTES;
export const SERIAL_RECEIVE_AT: i32 = SERIAL_STATES_AT + SERIAL_COUNT * SERIAL_STATE_BYTES;
export const SERIAL_TRANSMIT_AT: i32 = SERIAL_RECEIVE_AT + SERIAL_COUNT * SERIAL_RECEIVE_BYTES;
export const PUNT_STATE_AT: i32 = SERIAL_TRANSMIT_AT + SERIAL_COUNT * SERIAL_TRANSMIT_BYTES;
export const PUNT_QUEUES_AT: i32 = PUNT_STATE_AT + PUNT_STATE_BYTES;
export const STATION_STATE_AT: i32 = PUNT_QUEUES_AT + PUNT_LIMIT * PUNT_QUEUE_BYTES;
export const STATIONS_AT: i32 = STATION_STATE_AT + STATION_STATE_BYTES;
export const DHCP_REPLY_AT: i32 = STATIONS_AT + STATION_SETS * STATION_SET * STATION_BYTES;
export const SOCKETS_AT: i32 = DHCP_REPLY_AT + DHCP_REPLY_BYTES;
export const NEIGHBOURS_AT: i32 = SOCKETS_AT + SOCKET_COUNT * SOCKET_BYTES;
export const NEIGHBOUR_HEADS_AT: i32 = NEIGHBOURS_AT + NEIGHBOUR_COUNT * NEIGHBOUR_BYTES;
export const ROUTES_AT: i32 = NEIGHBOUR_HEADS_AT + 2 * NEIGHBOUR_BUCKETS;
export const ROUTE_CACHE_AT: i32 = ROUTES_AT + ROUTE_COUNT * ROUTE_BYTES;
export const ROUTE_STATE_AT: i32 = ROUTE_CACHE_AT + ROUTE_CACHE_COUNT * ROUTE_CACHE_BYTES;
export const FRAGMENTS_AT: i32 = ROUTE_STATE_AT + ROUTE_STATE_BYTES;
export const HOSTS_AT: i32 = FRAGMENTS_AT + FRAGMENT_CONTEXT_COUNT * FRAGMENT_CONTEXT_BYTES;
export const FORWARDS_AT: i32 = HOSTS_AT + HOST_COUNT * HOST_BYTES;
export const SERVERS_AT: i32 = FORWARDS_AT + FORWARD_COUNT * FORWARD_BYTES;
export const FORWARD_LOG_AT: i32 = SERVERS_AT + SERVER_COUNT * SERVER_BYTES;
export const TRIGGERS_AT: i32 = FORWARD_LOG_AT + 64 + FORWARD_LOG_COUNT * FORWARD_LOG_BYTES;
export const ALIASES_AT: i32 = TRIGGERS_AT + TRIGGER_COUNT * TRIGGER_BYTES;
export const HOST_TREE_AT: i32 = ALIASES_AT + ALIAS_COUNT * ALIAS_BYTES;
export const PORT_MAPS_AT: i32 = HOST_TREE_AT + HOST_COUNT;
export const TUPLE_HEADS_AT: i32 = PORT_MAPS_AT + 2 * PORT_MAP_BYTES + IDENTIFIER_MAP_BYTES;
export const MASQUERADE_MAP_HEADS_AT: i32 = TUPLE_HEADS_AT + 2 * TUPLE_BUCKETS;
export const MASQUERADE_PORT_HEADS_AT: i32 = MASQUERADE_MAP_HEADS_AT + 2 * MASQUERADE_BUCKETS;
export const MASQUERADE_PEER_HEADS_AT: i32 = MASQUERADE_PORT_HEADS_AT + 2 * MASQUERADE_BUCKETS;
export const KNOWN_AT: i32 = MASQUERADE_PEER_HEADS_AT + 2 * MASQUERADE_BUCKETS;
export const MASQUERADE_AT: i32 = KNOWN_AT + 4 * KNOWN_COUNT;
export const BUFFERS_AT: i32 = MASQUERADE_AT + MASQUERADE_COUNT * MASQUERADE_BYTES;
export const CAPTURE_STATE_AT: i32 = BUFFERS_AT + BUFFER_COUNT * BUFFER_BYTES;
export const CAPTURE_AT: i32 = CAPTURE_STATE_AT + CAPTURE_STATE_BYTES;
/** Table of crc32.ts, which is not part of the plane's state. */
export const CRC_TABLE_AT: i32 = CAPTURE_AT + CAPTURE_BYTES;
export const CONFIGURATION_AT: i32 = CRC_TABLE_AT + 1024;
export const LEASE_STATE_AT: i32 = CONFIGURATION_AT + CONFIGURATION_BYTES;
export const LEASE_ADDRESSES_AT: i32 = LEASE_STATE_AT + LEASE_STATE_BYTES;
export const LEASE_HASHES_AT: i32 = LEASE_ADDRESSES_AT + 4 * LEASE_COUNT;
export const LEASE_STATIONS_AT: i32 = LEASE_HASHES_AT + 4 * LEASE_COUNT;
export const LEASES_AT: i32 = LEASE_STATIONS_AT + 4 * LEASE_COUNT;
export const WAN_LEASE_AT: i32 = LEASES_AT + LEASE_COUNT * LEASE_BYTES;
export const DISK_BUFFER_AT: i32 =
  (WAN_LEASE_AT + WAN_LEASE_BYTES + DISK_BUFFER_BYTES - 1) & ~(DISK_BUFFER_BYTES - 1);
export const STORE_AT: i32 = DISK_BUFFER_AT + DISK_BUFFER_BYTES;
export const WATCHDOG_AT: i32 = STORE_AT + STORE_BYTES;
export const HASH_AT: i32 = WATCHDOG_AT + WATCHDOG_BYTES;
export const KEYED_HASH_AT: i32 = HASH_AT + HASH_BYTES;
export const KEYED_TEXT_AT: i32 = KEYED_HASH_AT + KEYED_HASH_BYTES;
export const TCP_CONNECTIONS_AT: i32 = KEYED_TEXT_AT + KEYED_TEXT_BYTES;
export const ROLLBACK_AT: i32 = TCP_CONNECTIONS_AT + TCP_CONNECTION_COUNT * TCP_CONNECTION_BYTES;
export const REFUSED_AT: i32 = ROLLBACK_AT + ROLLBACK_BYTES;
export const SECTION_STATE_AT: i32 = REFUSED_AT + REFUSED_BYTES;
/** Serial ports' lines, then those of PPPoE sessions. */
export const LINE_COUNT: i32 = SERIAL_COUNT + PPPOE_COUNT;
/** The lines' records, and the table of the FCS. */
export const LINES_AT: i32 = SECTION_STATE_AT + SECTION_STATE_BYTES;
export const FCS_TABLE_AT: i32 = LINES_AT + LINE_COUNT * LINE_BYTES;
export const DEMAND_AT: i32 = FCS_TABLE_AT + FCS_TABLE_BYTES;
export const PLANE_END: i32 = DEMAND_AT + DEMAND_BYTES;
/** The page that survives a reset (src/base/crash-page.ts), behind what is the plane's. */
export const CRASH_AT: i32 = (PLANE_END + 4095) & ~4095;
/** From here on there is no memory but what the heap lends, by the page (HOST_LEND). */
export const LENT_AT: i32 = CRASH_AT + 4096;
export const SECTION_TEXTS_AT: i32 = LENT_AT;
/** Where a floppy's saved settings lie at the start if they are more than the store has room for: in the second of both. */
export const LONG_SETTINGS_AT: i32 = SECTION_TEXTS_AT + SECTION_TEXT_BYTES;
/** What rules need, lent when the first one is set: src/base/rule-limits.ts has its map. */
export const RULES_AT: i32 = LONG_SETTINGS_AT + SECTION_TEXT_BYTES;
export const RULES_BYTES: i32 = 76 * 4096;
/** A page for each port whose line compresses, lent when it begins (src/control's side says when). */
export const VJ_PAGES_AT: i32 = RULES_AT + RULES_BYTES;
/** The queues of links that have a rate: a page for two links, lent when the first of them has one (queue-limits.ts). */
export const QUEUES_AT: i32 = VJ_PAGES_AT + SERIAL_COUNT * VJ_PAGE;
export const QUEUE_RECORD_BYTES: i32 = 2048;
/** The plane's memory in bytes, whole pages. */
export const PLANE_BYTES: i32 = QUEUES_AT + INTERFACE_COUNT * QUEUE_RECORD_BYTES;
