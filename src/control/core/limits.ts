// Sizes and rates of control's tables, with unit and reason. Those of the plane: src/base/limits.ts.

import { TCP_CONNECTION_COUNT, TICKS_PER_SECOND } from '../../base/limits.ts';

/**
 * The longest datagram that control sends, bytes: DNS answers by EDNS0 (RFC 6891, section 6.2.5). For a longer answer a host
 * is told to come by TCP.
 */
export const UDP_SEND_BYTES = 4096;

/**
 * Of the heap, what is left to everything else when an overlay is loaded: on a board of 4 MB with a long configuration as
 * much as its services take at their busiest. Where there is less, the overlays that are loaded are given up first; is that
 * not enough, the command that wants it is refused.
 */
export const OVERLAY_SPARE_BYTES = 32 * 1024;
/**
 * Of the heap, what a command that runs must leave to everything else, in pieces of the second size. One that does not is
 * ended with an error, its overlays are given up, and nobody else notices; less would end control at its next query.
 */
export const COMMAND_SPARE_BYTES = 12 * 1024;
export const COMMAND_SPARE_PIECE = 4 * 1024;
/**
 * What a long table of /proc/net wants (300 rules: 42 KB of text) with what reads it in a pipe: its text, the same while it grows, and its lines. Where the
 * heap has less, parts that were not wanted just now are given up before.
 */
export const TABLE_SPARE_BYTES = 256 * 1024;
/** How long an overlay stays that is not wanted; when it is again, it is loaded again, in 30 to 250 ms. */
export const OVERLAY_IDLE_TICKS = 60 * TICKS_PER_SECOND;
/** Of those that were wanted so lately code is at work: given up, they would be there twice when they are wanted again. */
export const OVERLAY_WORK_TICKS = 2 * TICKS_PER_SECOND;
/**
 * How often room is made for overlays, which takes 0.1 s of control's time and none of the packets': a host that opens
 * connections (net/tcp.ts) could ask for it each time. Who finds no room in between is refused at once.
 */
export const OVERLAY_COLLECT_TICKS = 2 * TICKS_PER_SECOND;

/**
 * How long an overlay may be waited for that is read from the disk (disk-overlays.ts): 40 KB take a card 20 to 40 ms. Control does nothing else
 * meanwhile; a step that takes 5 s is a hang. A disk that took longer than the second for nothing is not asked again for the third: who wants an overlay is refused.
 */
export const OVERLAY_DISK_TICKS = 2 * TICKS_PER_SECOND;
export const OVERLAY_SLOW_TICKS = 1 * TICKS_PER_SECOND;
export const OVERLAY_HOLD_TICKS = 10 * TICKS_PER_SECOND;

/**
 * Of the heap, what is left to everything else when it lends pages to the lines of sections (sections.ts). Where there is less,
 * the line, the import or the copy for `confirm` is refused, and nothing else happens.
 */
export const SECTION_SPARE_BYTES = 64 * 1024;

/** Kept scripts run so long after everything is in force: what they do wrong finds the board forwarding and its console there. */
export const SHELL_START_TICKS = 2 * TICKS_PER_SECOND;

/** Lines that the log keeps: a day of an ordinary router. One more takes the place of the oldest. 200 x 256 characters are 51 KB, of lines that long. */
export const LOG_LINES = 200;
/** Characters of a line's text: what a firewall says of a packet, its options left out. What is longer is cut there. */
export const LOG_TEXT = 256;
/**
 * Lines that a facility may log at once, and the seconds after which it may log one more. Those beyond are left out, and its
 * next line says how many: one that says too much takes no other's place.
 */
export const LOG_BURST = 20;
export const LOG_REFILL_SECONDS = 3;
/**
 * A line that a facility says again within so many seconds is counted, not written. How often is told after as many, then
 * after four times as many each time, up to the most, or when it says something else or the log is looked at.
 */
export const LOG_FOLD_SECONDS = 60;
export const LOG_FOLD_MOST_SECONDS = 3600;
/**
 * Facilities whose rate is watched; each service is one. With one more the facility that has been silent longest is
 * forgotten, what was not told of it is, and it may log anew.
 */
export const LOG_FACILITIES = 24;

// The DHCP server. Its table of leases is in the plane's memory (LEASE_COUNT), and who is heard first is decided there
// (src/plane/local/punt.ts): a station that has settled has a turn of its own; newcomers share one, the loud another, and
// strangers, of whom neither ARP nor the leases know, a third. The same are told apart here (../dhcp/rates.ts).
/** Seconds of a lease: half a day, so that a network that changed is right the next morning. */
export const DHCP_LEASE_SECONDS = 43200;
/** Least and most that can be set: a client renews at half; ticks wrap after 248 days. What is outside is refused. */
export const DHCP_LEASE_LEAST_SECONDS = 120;
export const DHCP_LEASE_MOST_SECONDS = 100 * 86400;
/**
 * Seconds of a lease while three quarters of the pool are taken, or until a reserved address is free. Hosts then renew
 * every five minutes; nobody loses anything.
 */
export const DHCP_LEASE_SHORT_SECONDS = 600;
/**
 * Seconds that an offer waits for its request: a client that retries for a while still gets it. After them the address is
 * another's to have, and the client is offered one again.
 */
export const DHCP_OFFER_SECONDS = 30;
/**
 * Where no other address is left, so many: clients answer an offer in one or two. So a flood of made-up ones, which are
 * served 4 a second (DHCP_NEW_TICKS), has 20 addresses of the pool after its first five seconds, and leaves the others.
 */
export const DHCP_OFFER_LEAST_SECONDS = 5;
/** Seconds that an address which a stranger uses is left alone; meanwhile the pool is one smaller. */
export const DHCP_QUARANTINE_SECONDS = 600;
/** Days that an address is remembered for a client which is gone. It then gets whichever is free. */
export const DHCP_HISTORY_SECONDS = 100 * 86400;
/** Ticks from the question who has an address to the offer: an answer takes some ms, a sleeping radio 100. */
export const DHCP_PROBE_TICKS = 20;
/** Ticks for that at a client's start with an address that we do not know: it asks itself, too, and people wait. */
export const DHCP_REBOOT_TICKS = 8;
/**
 * Messages that wait for that, and their bytes: an office of 150 that gets its power back. A 486 begins with some 15 in the
 * time of an answer, so the bytes are those of a faster board. One more is dropped, and its client asks again after 3 to
 * 4 s. New hosts suffer from a flood of new ones; who has a lease is offered it without a probe.
 */
export const DHCP_PENDING = 160;
export const DHCP_PENDING_BYTES = 64 * 1024;
/**
 * Addresses tried for one client whose candidates are all taken by strangers; 0.6 s, udhcpc waits for 3. After them the
 * client hears nothing until it asks again, and is offered others then.
 */
export const DHCP_PROBE_TRIES = 3;
/**
 * Clients without a lease that are served at once, and ticks after which one more is: an office of 150, and 4 a second, of
 * strangers, of newcomers, and of relays each. A made-up one costs the same, and may take an address until its offer or
 * short lease is over. Past it new hosts of the same kind ask again, for as long as the flood lasts; who has a lease does
 * not come here. A settled station's clients are as many as its messages.
 */
export const DHCP_NEW_BURST = 160;
export const DHCP_NEW_TICKS = 25;
/**
 * Strangers' messages that are read at once, two of each host of an office, and ticks after which one more is: 16 a second
 * cost a quarter of a 66 MHz board, and a flood's first 320 what it has in 5 s, once in 20 s. Past it they are dropped
 * unread: strangers suffer, who is known does not. Of a flood of F made-up clients a second a new host's DISCOVER is read with
 * a chance of 16 in F and served with 4 in F. It tries five times in its first minute (RFC 2131, section 4.1), and of 40 such
 * hosts all had a lease then beside 5 made-up ones a second, 90 % beside 10, 55 % beside 20, 12 % beside 50, none beside 100. A host repeats itself and a made-up one does not, but to see that the plane would have to remember
 * all who asked in the 4 s between two tries, 32 KB of bits at 3,000 a second, and who goes round 10,000 stations
 * repeats himself as well. So it is not done.
 * Relays have as much again, and stations for which there is no place (DHCP_STATIONS).
 */
export const DHCP_MESSAGE_BURST = 320;
export const DHCP_MESSAGE_TICKS = 6;
/**
 * A message of more options, or pieces of them, than any client sends takes up to five times as long, and counts as so many
 * messages: 64 of the worst are read at once, and three a second.
 */
export const DHCP_MESSAGE_PIECES = 32;
export const DHCP_MESSAGE_LONG = 5;
/**
 * Messages of a known station that are read at once, and ticks after which one more is: a host that starts by the network
 * and then from its disk sends some ten. One a second costs a fiftieth of a 66 MHz board, or twice that if each
 * is of another new client; one that is not read costs 70,000 to 100,000 instructions, its way by the card included. The loud have as much, together.
 * Past it the station's own messages are dropped unread; where it is a bridge that speaks for others under its own
 * station address, those wait for each other.
 */
export const DHCP_STATION_BURST = 16;
export const DHCP_STATION_TICKS = 100;
/**
 * Settled stations, and newcomers, that said something lately. One more, of either kind, shares a rate like the strangers' with
 * its like: an office that asks at once fits in. Where as many are made up, others wait at a new lease; 64 that say as much
 * as they may take the time that DHCP has, which is a turn of five while there is other work (src/plane/local/punt.ts).
 */
export const DHCP_STATIONS = 64;
/**
 * Relays that said something lately: each is read as far as strangers are, divided by how many they are, so that they have what
 * one has. One more is a settled station like others, and the hosts behind it wait. Whoever is known may say that it is
 * one: three made-up ones leave a fourth 80 messages at once and 4 a second, for the time that they take part.
 */
export const DHCP_RELAYS = 4;
/** Reservations, and options that are set by hand. One more is refused at the console. */
export const DHCP_RESERVATIONS = 64;
export const DHCP_OPTIONS = 16;
/**
 * Notes to a store that outlives power: at once, and seconds after which one more may be written. A lease that was not
 * noted runs all the same; only after a power cut its host must prove its address by renewing, and gets it if it is free.
 */
export const DHCP_NOTE_BURST = 64;
export const DHCP_NOTE_SECONDS = 60;

// --- DNS ------------------------------------------------------------------------------------------------
/**
 * Answers kept, bytes with 2 for each TTL, and how many: an answer is 130 bytes on average. One more pushes out those that
 * were asked for once and longest ago; who asks for them again waits for a server. One longer than UDP_SEND_BYTES is not kept.
 */
export const DNS_CACHE_BYTES = 64 * 1024;
/** A power of two. */
export const DNS_CACHE_ENTRIES = 512;
/** On a board with less memory both are half of it. */
export const DNS_CACHE_BOARD_KIB = 6144;
/**
 * Of the heap, what the cache leaves to others when it is doubled: it begins small. Where there is less it stays as it is, for so many ticks
 * at least, and answers are pushed out earlier.
 */
export const DNS_CACHE_SPARE_BYTES = 64 * 1024;
export const DNS_CACHE_REFUSED_TICKS = 60 * TICKS_PER_SECOND;
/** Records of a message whose TTLs are counted down; an answer with more is passed on and not kept. */
export const DNS_RECORDS = 128;
/**
 * Records of an answer at most: 512 addresses are 8 KB. One with more is SERVFAIL to who asked for it; walking the 1,489
 * empty records that a message of 16 KB has room for would hold the others up.
 */
export const DNS_ANSWER_RECORDS = 512;
/**
 * Parameters and address hints of the SVCB and HTTPS records of an answer that are looked through (rebind.ts): a hundred
 * services with two addresses each. An answer with more is refused as one with a private address is.
 */
export const DNS_HINTS = 400;
/** Seconds for which what does not exist is kept without a SOA record that says so, and what was refused as private. */
export const DNS_NEGATIVE_SECONDS = 30;
/** Domains that have servers of their own (set dns forward). One more is refused at the console. */
export const DNS_FORWARDS = 16;
/**
 * Queries under way to servers: each has a socket of its own (SOCKET_COUNT). One more ends the oldest of the client, or the
 * source, that has most, with SERVFAIL, if that is more than DNS_FAIR; one for which others wait as well is left to them
 * first. If nobody has so many, it waits (DNS_QUEUED). Who came by TCP waits in its connection.
 */
export const DNS_FLIGHTS = 64;
/**
 * Of them, those of one client: a page's 20 names ask 40 questions at once. One more ends the oldest of its own, or waits if
 * it came by TCP.
 */
export const DNS_CLIENT_FLIGHTS = 48;
/** As many at a time are nobody's fault, when all are taken: a host that starts asks for some ten names. */
export const DNS_FAIR = 16;
/** Behind as many, those whose server has been silent for one try go for who has fewer: else four hosts could shut all out. */
export const DNS_FAIR_SILENT = 4;
/**
 * Queries that wait for a place among those: with them, 150 hosts with two names each. At 450 bytes each, while they wait,
 * 4.8 s at most (DNS_WAIT_TICKS). One more sends away the oldest of who has most, with SERVFAIL.
 */
export const DNS_QUEUED = 256;
export const DNS_QUEUED_BYTES = 48 * 1024;
/**
 * Clients that wait for answers, together: 150 hosts that ask for one name when the day begins, and as many for others. At
 * 64 bytes each, as far as they were ever needed. One more sends away the oldest of who has most, with SERVFAIL; as many
 * clients with one each lose the oldest.
 */
export const DNS_WAITERS = 320;
/** Of those who wait for one answer, so many are given it at once, and the next a tick later. */
export const DNS_GIVEN = 32;
/** Servers that are asked in turn. More are refused at the console; of a lease's those behind them are not asked. */
export const DNS_SERVERS = 4;
/** Names set by hand, and domains whose names may have private addresses. One more is refused at the console. */
export const DNS_HOSTS = 32;
export const DNS_ALLOWED = 16;
/**
 * What servers are told that we take by UDP: no fragments on any link (DNS flag day 2020). A longer answer is cut, and its
 * host comes by TCP, by which it is asked for again.
 */
export const DNS_UPSTREAM_BYTES = 1232;
/**
 * A query is sent this often at most, and waited for so long, ticks, where its server is known to answer in a quarter of that:
 * of a link and server that lose a third together one in 1,300 fails. A slower server has four times its own time, at most
 * DNS_TRY_MOST_TICKS each, one that has not answered yet DNS_TRY_NEW_TICKS at least. After DNS_WAIT_TICKS it is SERVFAIL, before resolvers give up
 * at 5 s.
 */
export const DNS_TRY_TICKS: readonly number[] = [30, 40, 55, 70, 85, 100, 100];
export const DNS_TRY_MOST_TICKS = 150;
export const DNS_TRY_NEW_TICKS = 75;
/**
 * For so long a query waits for a socket, buffer or connection of ours, ticks: as long as for a server's answers. Then it is
 * SERVFAIL to who asked; the server is not blamed.
 */
export const DNS_WAIT_TICKS = 480;
/** For so long it waits where a link is dialled for it, ticks: a modem takes half of it. */
export const DNS_DIAL_TICKS = 60 * TICKS_PER_SECOND;
/** Tries in a row without an answer, for so many ticks, after which a server is asked last, and how long until it is tried again. */
export const DNS_FAILURES = 2;
export const DNS_BLAME_TICKS = 120;
export const DNS_DOWN_TICKS = 1500;
/** Before that it is asked whether it is there; a slow one answers within so many ticks. */
export const DNS_PROBE_TICKS = 300;
/** By TCP each try has a handshake, too. */
export const DNS_TCP_TICKS = 300;
/** A server that has refused a connection is asked by UDP, also for clients of TCP, for so long. */
export const DNS_NO_TCP_TICKS = 6000;
/** A connection to a server that nobody waits for is closed after so many ticks, or earlier if its place is wanted. */
export const DNS_PIPE_IDLE_TICKS = 300;
/** Wrong answers to one query after which it is asked anew from another port. */
export const DNS_SPOOFS = 16;
/** Answers in a row without the case of the letters that were sent, after which a server gets names as they were asked. */
export const DNS_SPOILS = 3;
/**
 * The longest answer taken by TCP: with its length it is what a connection may hold (TCP_SEND_BYTES). A longer one is SERVFAIL
 * to who asked for it; others of its connection come.
 */
export const DNS_TCP_BYTES = 16 * 1024 - 2;
/** The longest query. A longer one is not answered by UDP, and ends the connection by TCP. */
export const DNS_QUERY_BYTES = 4096;
/**
 * Queries of one connection that wait for answers, and bytes of answers that wait to be sent; what comes behind them is read
 * when there are fewer, and the client's window closes meanwhile. A client that takes no answers for 10 s is cut off.
 */
export const DNS_TCP_QUERIES = 24;
export const DNS_TCP_UNSENT = 4096;

/**
 * TCP connections of the router itself, all services together. When all are taken, one to a DNS server that nobody waits for
 * goes for a client, and then those of clients as below; a query that wants one to a server waits, 4.8 s at most.
 */
export const TCP_CONNECTIONS: number = TCP_CONNECTION_COUNT;
/**
 * Of these, at most so many were opened by others: the rest is for asking upstream. One more ends the one that has been
 * idle longest, of the client that has most; while all are busy it is refused by a reset (net/tcp.ts).
 */
export const TCP_ACCEPTED = 6;
/**
 * Of these, those of one client, which is a station (net/client.ts). One more ends its own that has been idle longest, or is
 * refused if all are busy.
 */
export const TCP_CLIENT = 3;
/**
 * Bytes that wait to be sent or acknowledged: a DNS message of 16 KB is far more than any in use. What has no room behind
 * them waits, a query as it is and an answer by being asked for again; who does not take his answers waits for himself.
 */
export const TCP_SEND_BYTES = 16 * 1024;
/**
 * Answers to segments that make no sense, a second: resets and challenge ACKs (RFC 5961, section 7). Past it such segments
 * are dropped, and whose connection is out of step is put right a second later; no other notices.
 */
export const TCP_REPAIRS_PER_SECOND = 50;

/**
 * Leases of the WAN shorter than this are refused, seconds: they would be renewed without a pause. The WAN stays without an
 * address, and the log says why.
 */
export const LEASE_LEAST_SECONDS = 10;
/** What a lease without a time is taken for. It is renewed in half of it; the server says then if that was wrong. */
export const LEASE_UNTOLD_SECONDS = 3600;
/** Longer ones are renewed as if they had this many seconds (180 days): ticks wrap after 248 days. */
export const LEASE_MOST_SECONDS = 180 * 86400;
/**
 * A server's MTU below this many bytes is ignored: every host takes datagrams of 576 (RFC 791, section 3.1), so no
 * link that has DHCP needs less, while a forged 68 would cut every packet into crumbs.
 */
export const LEASE_MTU_LEAST = 576;
/**
 * Routes that a lease may bring, its default route among them: with those set by hand (STATIC_ROUTES) and the modem's they
 * fill the plane's table (ROUTE_COUNT). More are left out, the last of the server's list first, and go by the default route.
 */
export const LEASE_ROUTES = 15;
/** DNS servers, and NTP servers, that are taken from a lease; those that it names behind them are not asked. */
export const LEASE_SERVERS = 4;

/** NTP servers that can be set: any of them will do. One more is refused at the console. */
export const NTP_SERVERS = 4;
/** Addresses of a name that are tried in a round, 3 s for each that is silent; the next look-up may bring others. */
export const NTP_ADDRESSES = 4;
/**
 * Lines sent to a syslog receiver at once, and a second: a twentieth of a 486 at most. Those beyond are left out of what it
 * gets, and the next says how many; the log itself has them.
 */
export const SYSLOG_BURST = 50;
export const SYSLOG_PER_SECOND = 10;
/**
 * Lines that wait for the receiver's name to be resolved, or for room among the packets that wait for its station's
 * address. One more is left out; how many were, the receiver is told.
 */
export const SYSLOG_WAITING = 20;
/** Static routes, half of the plane's table: the other half is the WAN's. One more is refused at the console. */
export const STATIC_ROUTES = 16;

/** Seconds that a new record of the flash log waits for others, and one that only says that all is as it was. */
export const STORE_SOON_SECONDS = 2;
export const STORE_LATER_SECONDS = 600;
