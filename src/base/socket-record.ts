// What plane and control say of a socket. Not here: the table (src/plane/local/sockets.ts).

/** With the interfaces' bits: it asks, and hears whom it has asked. */
export const SOCKET_CLIENT: i32 = 0x10000;
