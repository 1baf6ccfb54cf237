// The overlay `tcp`: a connection. Most names are asked and answered by UDP, and then there is none.
// Not here: ports and places, which are always there (../net/tcp.ts).

export { TcpConnection } from '../net/tcp-connection.ts';
