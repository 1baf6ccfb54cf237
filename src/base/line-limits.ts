// Sizes of what serial links need, PPP's and SLIP's, with what happens at each. Where it lies is not said here: a board without such links
// has none of it.

/** The record of a line (line-record.ts), and the table of the FCS, which all lines share. */
export const LINE_BYTES: i32 = 192;
export const FCS_TABLE_BYTES: i32 = 512;
/** TCP connections whose headers are kept each way (RFC 1144 has 16): of one more, the one that was silent longest is sent whole again. */
export const VJ_SLOT_COUNT: i32 = 16;
/** The longest header, IP's and TCP's with all options, and 8 bytes that are kept beside it. */
export const VJ_HEADER_MOST: i32 = 120;
export const VJ_SLOT_BYTES: i32 = 8 + VJ_HEADER_MOST;
/** One way's state, and its slots behind it. */
export const VJ_STATE_BYTES: i32 = 64;
export const VJ_BYTES: i32 = VJ_STATE_BYTES + VJ_SLOT_COUNT * VJ_SLOT_BYTES;
