// The UDP header (RFC 768): source port, destination port, length, checksum. Not here: whether one is whole (ipv4.ts).

export const UDP_LENGTH: i32 = 4;
export const UDP_CHECKSUM: i32 = 6;
export const UDP_HEADER_BYTES: i32 = 8;
