// What plane and control say of a socket. Not here: the table (src/plane/local/sockets.ts).

/** With the interfaces' bits: it asks, and hears whom it has asked. */
export const SOCKET_CLIENT: i32 = 0x10000;
/** In place of the interfaces' bits: all that are inside and up, whichever these are at the time. */
export const SOCKET_INSIDE: i32 = 0x20000;
