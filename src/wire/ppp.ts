// PPP and SLIP on a wire: numbers, offsets and options. RFC 1661 (packets, LCP), RFC 1662 (framing), RFC 1332 and 1877 (IPCP), RFC
// 1334 (PAP), RFC 1994 (CHAP), RFC 2433 and 2759 (MS-CHAP), RFC 1144 (Van Jacobson's header compression), RFC 1055 (SLIP).
// Not here: framing (src/plane/link/hdlc.ts, slip.ts), compression (src/plane/link/vj.ts), what is negotiated (src/control/ppp/).
//
//    7e | ff 03 | protocol | information ...                      | FCS-16 | 7e
//       | ACFC  | PFC: one |  0      1            2        4      | low byte first
//       | none  | byte     |  | code | identifier | length | data |

// --- framing: RFC 1662 --------------------------------------------------------------------------------------
export const HDLC_FLAG: i32 = 0x7e;
export const HDLC_ESCAPE: i32 = 0x7d;
/** What a byte behind HDLC_ESCAPE has turned over. */
export const HDLC_TURN: i32 = 0x20;
export const HDLC_ADDRESS: i32 = 0xff;
export const HDLC_CONTROL: i32 = 0x03;
/** Before the first byte; over a whole good frame with its FCS; and what turns the sum into the FCS. */
export const FCS_FIRST: i32 = 0xffff;
export const FCS_GOOD: i32 = 0xf0b8;
export const FCS_TURN: i32 = 0xffff;
export const FCS_BYTES: i32 = 2;
/** x^16 + x^12 + x^5 + 1, bits reversed. */
export const FCS_POLYNOMIAL: i32 = 0x8408;
/** Control characters below this may be in a map (ACCM). */
export const ACCM_END: i32 = 32;
export const ACCM_ALL: i32 = -1;

// --- SLIP: RFC 1055 --------------------------------------------------------------------------------------------
export const SLIP_END: i32 = 0xc0;
export const SLIP_ESCAPE: i32 = 0xdb;
export const SLIP_ESCAPED_END: i32 = 0xdc;
export const SLIP_ESCAPED_ESCAPE: i32 = 0xdd;
/** The first byte of a frame of CSLIP (RFC 1144, appendix A.2): bits of its kind, over an IP version of 4. */
export const CSLIP_COMPRESSED: i32 = 0x80;
export const CSLIP_UNCOMPRESSED: i32 = 0x70;
export const CSLIP_KIND: i32 = 0xf0;
export const CSLIP_IP: i32 = 0x40;

// --- protocols -----------------------------------------------------------------------------------------------
export const PPP_IP: i32 = 0x0021;
export const PPP_VJ_COMPRESSED: i32 = 0x002d;
export const PPP_VJ_UNCOMPRESSED: i32 = 0x002f;
export const PPP_IPCP: i32 = 0x8021;
export const PPP_CCP: i32 = 0x80fd;
export const PPP_LCP: i32 = 0xc021;
export const PPP_PAP: i32 = 0xc023;
export const PPP_LQR: i32 = 0xc025;
export const PPP_CHAP: i32 = 0xc223;
/** Those below may go with one byte in place of two (PFC). */
export const PPP_ONE_BYTE: i32 = 0x100;

// --- control packets: RFC 1661, section 5 ------------------------------------------------------------------------
export const CP_CODE: i32 = 0;
export const CP_IDENTIFIER: i32 = 1;
export const CP_LENGTH: i32 = 2;
export const CP_HEADER_BYTES: i32 = 4;
/** What every link carries until it is open, and the least that one may be told to. */
export const PPP_MRU_DEFAULT: i32 = 1500;
export const PPP_MRU_LEAST: i32 = 128;

export const CONFIGURE_REQUEST: i32 = 1;
export const CONFIGURE_ACK: i32 = 2;
export const CONFIGURE_NAK: i32 = 3;
export const CONFIGURE_REJECT: i32 = 4;
export const TERMINATE_REQUEST: i32 = 5;
export const TERMINATE_ACK: i32 = 6;
export const CODE_REJECT: i32 = 7;
/** Of LCP alone. */
export const PROTOCOL_REJECT: i32 = 8;
export const ECHO_REQUEST: i32 = 9;
export const ECHO_REPLY: i32 = 10;
export const DISCARD_REQUEST: i32 = 11;
/** RFC 1570: told, never obeyed. */
export const IDENTIFICATION: i32 = 12;
export const TIME_REMAINING: i32 = 13;
/** Before the data of echo and discard: the sender's magic number. */
export const ECHO_MAGIC_BYTES: i32 = 4;

/** Type and length, then the value. */
export const OPTION_HEADER_BYTES: i32 = 2;

// Options of LCP (RFC 1661, section 6; RFC 1662, section 7.1).
export const LCP_MRU: i32 = 1;
export const LCP_ACCM: i32 = 2;
export const LCP_AUTHENTICATION: i32 = 3;
export const LCP_QUALITY: i32 = 4;
export const LCP_MAGIC: i32 = 5;
export const LCP_PFC: i32 = 7;
export const LCP_ACFC: i32 = 8;
export const LCP_CALLBACK: i32 = 13;

// Options of IPCP (RFC 1332, section 3; RFC 1877, section 1).
export const IPCP_ADDRESSES: i32 = 1;
export const IPCP_COMPRESSION: i32 = 2;
export const IPCP_ADDRESS: i32 = 3;
export const IPCP_DNS_1: i32 = 129;
export const IPCP_NBNS_1: i32 = 130;
export const IPCP_DNS_2: i32 = 131;
export const IPCP_NBNS_2: i32 = 132;

// --- authentication -----------------------------------------------------------------------------------------------
export const PAP_REQUEST: i32 = 1;
export const PAP_ACK: i32 = 2;
export const PAP_NAK: i32 = 3;

export const CHAP_CHALLENGE: i32 = 1;
export const CHAP_RESPONSE: i32 = 2;
export const CHAP_SUCCESS: i32 = 3;
export const CHAP_FAILURE: i32 = 4;
/** Algorithms, the byte behind the protocol in LCP's option. */
export const CHAP_MD5: i32 = 5;
export const CHAP_MS_1: i32 = 0x80;
export const CHAP_MS_2: i32 = 0x81;
/** Bytes of a response: of MD5; of MS-CHAP, both versions (RFC 2433, section 4; RFC 2759, section 4). */
export const CHAP_MD5_BYTES: i32 = 16;
export const MS_RESPONSE_BYTES: i32 = 49;
export const MS_1_CHALLENGE_BYTES: i32 = 8;
export const MS_2_CHALLENGE_BYTES: i32 = 16;
/** Within a response of MS-CHAP. Version 1: LAN Manager's, NT's, whether NT's is to be used; 2: the peer's challenge, zeroes, NT's. */
export const MS_NT_RESPONSE: i32 = 24;
export const MS_NT_RESPONSE_BYTES: i32 = 24;
export const MS_FLAGS: i32 = 48;

// --- compressed TCP/IP headers: RFC 1144, section 3.2 ---------------------------------------------------------------
/** Bits of the first byte: which fields follow, in the order of the last four, and that a connection's number does. */
export const VJ_CONNECTION: i32 = 0x40;
export const VJ_ID: i32 = 0x20;
export const VJ_PUSH: i32 = 0x10;
export const VJ_SEQUENCE: i32 = 0x08;
export const VJ_ACK: i32 = 0x04;
export const VJ_WINDOW: i32 = 0x02;
export const VJ_URGENT: i32 = 0x01;
/** Two sets of fields that do not occur, for what occurs most: an echoed key, and data one way. */
export const VJ_SPECIAL_ECHO: i32 = VJ_SEQUENCE | VJ_WINDOW | VJ_URGENT;
export const VJ_SPECIAL_DATA: i32 = VJ_SEQUENCE | VJ_ACK | VJ_WINDOW | VJ_URGENT;
export const VJ_SPECIALS: i32 = VJ_SPECIAL_DATA;
/** The longest: both bytes, the checksum, five fields of three bytes. */
export const VJ_MOST_BYTES: i32 = 19;
/** The shortest: the first byte and the checksum. */
export const VJ_LEAST_BYTES: i32 = 3;
