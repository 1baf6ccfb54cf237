// PPP over Ethernet on a wire: numbers, offsets and tags. RFC 2516; RFC 4638 (PPP-Max-Payload).
// Not here: who is asked for a session (src/control/ppp/discovery.ts), what is in one (ppp.ts).
//
//    0     1     2         4        6
//    | 11  | code| session | length | tags, each: type 2, length 2, value
//                                   | or of a session: protocol 2, information

export const ETHERTYPE_DISCOVERY: i32 = 0x8863;
export const ETHERTYPE_SESSION: i32 = 0x8864;

export const PPPOE_VERSION: i32 = 0;
export const PPPOE_CODE: i32 = 1;
export const PPPOE_SESSION: i32 = 2;
export const PPPOE_LENGTH: i32 = 4;
export const PPPOE_HEADER_BYTES: i32 = 6;
/** Version 1, type 1. */
export const PPPOE_VERSION_1: i32 = 0x11;

export const PPPOE_PADI: i32 = 0x09;
export const PPPOE_PADO: i32 = 0x07;
export const PPPOE_PADR: i32 = 0x19;
export const PPPOE_PADS: i32 = 0x65;
export const PPPOE_PADT: i32 = 0xa7;
export const PPPOE_DATA: i32 = 0x00;

export const TAG_TYPE: i32 = 0;
export const TAG_LENGTH: i32 = 2;
export const TAG_HEADER_BYTES: i32 = 4;

export const TAG_END: i32 = 0x0000;
export const TAG_SERVICE: i32 = 0x0101;
export const TAG_CONCENTRATOR: i32 = 0x0102;
export const TAG_HOST_UNIQ: i32 = 0x0103;
export const TAG_COOKIE: i32 = 0x0104;
export const TAG_RELAY: i32 = 0x0110;
export const TAG_MAX_PAYLOAD: i32 = 0x0120;
export const TAG_SERVICE_ERROR: i32 = 0x0201;
export const TAG_SYSTEM_ERROR: i32 = 0x0202;
export const TAG_GENERIC_ERROR: i32 = 0x0203;

/** Of Ethernet's 1,500 bytes the header and the protocol are no datagram's. */
export const PPPOE_MRU: i32 = 1492;
/** A discovery packet's payload has no more (RFC 2516, section 5.1). */
export const PPPOE_TAGS_MOST: i32 = 1484;
