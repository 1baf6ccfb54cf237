// Sizes of what serial links need, PPP's and SLIP's, with what happens at each. Where it lies, limits.ts says.

/** The record of a line (line-record.ts), and the table of the FCS, which all lines share. */
export const LINE_BYTES: i32 = 256;
export const FCS_TABLE_BYTES: i32 = 512;
/** PPPoE sessions: a provider's, and a second one's. Their lines have the numbers behind the serial ports'. */
export const PPPOE_COUNT: i32 = 2;
/** TCP connections whose headers are kept each way (RFC 1144 has 16): of one more, the one that was silent longest is sent whole again. */
export const VJ_SLOT_COUNT: i32 = 16;
/** The longest header, IP's and TCP's with all options, and 8 bytes that are kept beside it. */
export const VJ_HEADER_MOST: i32 = 120;
export const VJ_SLOT_BYTES: i32 = 8 + VJ_HEADER_MOST;
/** One way's state, and its slots behind it. */
export const VJ_STATE_BYTES: i32 = 64;
export const VJ_BYTES: i32 = VJ_STATE_BYTES + VJ_SLOT_COUNT * VJ_SLOT_BYTES;
/** A line's two, which are a page: what comes may use all slots, as nobody tells a peer of SLIP's that there are fewer; what goes has one less. */
export const VJ_OUT_SLOTS: i32 = VJ_SLOT_COUNT - 1;
export const VJ_PAGE_BYTES: i32 = VJ_BYTES + VJ_STATE_BYTES + VJ_OUT_SLOTS * VJ_SLOT_BYTES;
/** Bytes of a line that are framed or unframed in one piece of work, at 35 instructions each. */
export const LINE_PIECE_BYTES: i32 = 128;
/** Frames of control's and answered echoes that wait for a line. One more is dropped, as a line would do it. */
export const LINE_OWN_LIMIT: i32 = 4;
/**
 * Bytes that may wait for the port when the next frame is begun, beside a tick's worth by its rate: what is behind them waits in the link's
 * queue, which chooses. The chip asks for more when it is empty, so at 300 baud nothing need wait before it.
 */
export const LINE_AHEAD_LEAST: i32 = 4;
/** Bytes that have come are looked at when they are a quarter of a tick's worth, or these, or a frame's end is the last of them; else by the tick. */
export const LINE_BATCH_MOST: i32 = 32;
/**
 * Links that may be dialled by a packet, from this number on, and the words of each that say which packets: one more is refused at the
 * console. A link's record, and what they have in common (demand-record.ts).
 */
export const DEMAND_FIRST: i32 = 4;
export const DEMAND_COUNT: i32 = 4;
export const DEMAND_WORDS: i32 = 8;
export const DEMAND_LINK_BYTES: i32 = 16 + 8 * DEMAND_WORDS;
/**
 * Packets that wait for a call, of all links, and of one host: one more of a host is dropped. Where all places are taken a host that has fewer
 * gets one of who has most; as many hosts with one each keep theirs, and who comes later sends again by itself while the modem dials.
 */
export const DEMAND_PLACES: i32 = 8;
export const DEMAND_HOST_PLACES: i32 = 3;
export const DEMAND_PLACE_BYTES: i32 = 8;
export const DEMAND_BYTES: i32 =
  (DEMAND_COUNT * DEMAND_LINK_BYTES + DEMAND_PLACES * DEMAND_PLACE_BYTES + 24 + 63) & ~63;
/** How long one waits, in seconds: a modem takes 25 to 45, BSD gives up opening TCP after 75. Then its sender is told that nobody is there. */
export const DEMAND_HOLD_SECONDS: i32 = 75;
/** For so long after an answer of control's packets do not ask it again, ticks. */
export const DEMAND_QUIET_TICKS: i32 = 200;
