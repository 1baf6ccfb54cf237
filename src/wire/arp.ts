// ARP for IPv4 on Ethernet (RFC 826): where what is in a packet. Not here: what is sent and answered (src/plane/link/).
//
//    0       2       4      5      6    8            14           18           24           28
//    | hw 1  | 0800  | 6    | 4    | op | sender MAC | sender IP  | target MAC | target IP  |

export const ARP_TYPES: i32 = 0;
/** Both lengths, and the operation behind them. */
export const ARP_LENGTHS: i32 = 4;
export const ARP_OPERATION: i32 = 6;
export const ARP_SENDER_MAC: i32 = 8;
export const ARP_SENDER: i32 = 14;
export const ARP_TARGET_MAC: i32 = 18;
export const ARP_TARGET: i32 = 24;
export const ARP_BYTES: i32 = 28;

/** The word at ARP_TYPES: hardware 1 (Ethernet), protocol 0800 (IPv4). */
export const ARP_ETHERNET_IPV4: i32 = 0x00010800;
/** The word at ARP_LENGTHS, but for the operation: 6 bytes and 4. */
export const ARP_SIX_AND_FOUR: i32 = 0x06040000;
export const ARP_REQUEST: i32 = 1;
export const ARP_REPLY: i32 = 2;
