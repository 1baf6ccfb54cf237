// The overlay `tcp`: a connection. Most names are asked and answered by UDP, and then there is none.
// Not here: ports and places, which are always there (../core/net/tcp.ts).

declare module '../core/overlays.ts' {
  interface Overlays {
    tcp: typeof import('./overlay.ts');
  }
}

export { TcpConnection } from '../core/net/tcp-connection.ts';
