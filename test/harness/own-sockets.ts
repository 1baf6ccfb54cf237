// Sockets of a namespace's kernel, for what a router sends of its own and what it hears: whole datagrams go out as they are given (raw(7),
// IPPROTO_RAW), UDP ports and ICMP's answers are listened to. Not here: frames (tap.ts).

import koffi from 'koffi';
import { inNamespace } from './tap.ts';

const libc = koffi.load('libc.so.6');
const socket = libc.func('int socket(int domain, int type, int protocol)');
const bind = libc.func('int bind(int fd, const void *address, unsigned int length)');
const sendto = libc.func(
  'long sendto(int fd, const void *buffer, size_t count, int flags, const void *address, unsigned int length)',
);
const recvfrom = libc.func(
  'long recvfrom(int fd, void *buffer, size_t count, int flags, void *address, void *length)',
);
const close = libc.func('int close(int fd)');

const AF_INET = 2;
const SOCK_DGRAM = 2;
const SOCK_RAW = 3;
const IPPROTO_ICMP = 1;
const IPPROTO_RAW = 255;
const MSG_DONTWAIT = 0x40;
const BUFFER_BYTES = 2048;
const ICMP_ECHO_REPLY = 0;

export interface OwnSockets {
  /** Sends a datagram, header and all. */
  send(datagram: Uint8Array): void;
  /** What has been heard since the last time: `udp 10.0.0.1:53>1026 20 bytes`, `echo 10.0.0.1 77`. */
  heard(): string[];
  close(): void;
}

/** A sockaddr_in. */
function addressOf(bytes: Uint8Array, port: number): Buffer {
  const address = Buffer.alloc(16);
  address.writeUInt16LE(AF_INET, 0);
  address.writeUInt16BE(port, 2);
  address.set(bytes, 4);
  return address;
}

/** Opens them in a namespace, to hear these UDP ports. */
export function openOwnSockets(namespace: string, ports: readonly number[]): OwnSockets {
  const { raw, icmp, udp } = inNamespace(namespace, () => ({
    raw: socket(AF_INET, SOCK_RAW, IPPROTO_RAW) as number,
    icmp: socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) as number,
    udp: ports.map(() => socket(AF_INET, SOCK_DGRAM, 0) as number),
  }));
  for (const [i, fd] of udp.entries())
    if (bind(fd, addressOf(new Uint8Array(4), ports[i] as number), 16) !== 0)
      throw new Error(`Cannot listen to port ${ports[i]} in ${namespace}`);
  const buffer = Buffer.alloc(BUFFER_BYTES);
  const from = Buffer.alloc(16);
  const length = Buffer.alloc(4);
  const next = (fd: number): number => {
    length.writeUInt32LE(from.length, 0);
    return Number(recvfrom(fd, buffer, buffer.length, MSG_DONTWAIT, from, length));
  };
  const sender = (): string => from.subarray(4, 8).join('.');
  return {
    send: datagram =>
      void sendto(raw, datagram, datagram.length, 0, addressOf(datagram.subarray(16, 20), 0), 16),
    heard: () => {
      const all: string[] = [];
      for (const [i, fd] of udp.entries())
        for (let bytes = next(fd); bytes >= 0; bytes = next(fd))
          all.push(`udp ${sender()}:${from.readUInt16BE(2)}>${ports[i]} ${bytes} bytes`);
      for (let bytes = next(icmp); bytes >= 28; bytes = next(icmp))
        if (buffer[20] === ICMP_ECHO_REPLY) all.push(`echo ${sender()} ${buffer.readUInt16BE(24)}`);
      return all;
    },
    close: () => {
      for (const fd of [raw, icmp, ...udp]) close(fd);
    },
  };
}
