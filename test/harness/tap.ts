// A TAP device of a network namespace as an end of a wire, by koffi: for frames between Node and a kernel.
// Linux: Documentation/networking/tuntap.rst; setns(2) for the namespace.

import koffi from 'koffi';
import type { End } from '../../tools/harness/wire.ts';

const libc = koffi.load('libc.so.6');
const openFile = libc.func('int open(const char *path, int flags)');
const close = libc.func('int close(int fd)');
const read = libc.func('long read(int fd, void *buffer, size_t count)');
const write = libc.func('long write(int fd, const void *buffer, size_t count)');
const ioctl = libc.func('int ioctl(int fd, unsigned long request, ...)');
const setns = libc.func('int setns(int fd, int type)');
const socket = libc.func('int socket(int domain, int type, int protocol)');
const poll = libc.func('int poll(void *fds, unsigned long count, int milliseconds)');

const O_RDWR = 2;
const O_NONBLOCK = 0x800;
const CLONE_NEWNET = 0x4000_0000;
const TUNSETIFF = 0x400454ca;
const IFF_TAP = 2;
const IFF_NO_PI = 0x1000;
const POLLIN = 1;
const AF_INET = 2;
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_NETFILTER = 12;
const NFNL_SUBSYS_CTNETLINK = 1;
const IPCTNL_MSG_CT_DELETE = 2;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const FRAME_BYTES = 2048;
/** poll() waits in a thread of the pool and cannot be called off, so it looks up this often. */
const POLL_MILLISECONDS = 100;
/** Frames taken in one go before others get their turn. */
const BURST = 64;

/** A TAP without an event loop: what is not taken waits in the device. */
export interface Tap {
  send(frame: Uint8Array): void;
  /** The next frame that the kernel has sent, or undefined. */
  take(): Uint8Array | undefined;
  close(): void;
}

/** The same TAP, for who asks himself when there may be a frame. */
export function openTapNow(name: string, namespace: string): Tap {
  const fd = inNamespace(namespace, () => attach(name));
  const frame = Buffer.alloc(FRAME_BYTES);
  return {
    send: bytes => void write(fd, bytes, bytes.length),
    take: () => {
      const length = Number(read(fd, frame, FRAME_BYTES));
      return length > 0 ? Uint8Array.from(frame.subarray(0, length)) : undefined;
    },
    close: () => void close(fd),
  };
}

/** Makes a namespace's kernel forget all connections that it tracks. The message is netlink(7)'s. */
export function forgetConnections(namespace: string): void {
  const fd = inNamespace(namespace, () => socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER));
  const message = Buffer.alloc(20); // struct nlmsghdr, struct nfgenmsg
  message.writeUInt32LE(message.length, 0);
  message.writeUInt16LE((NFNL_SUBSYS_CTNETLINK << 8) | IPCTNL_MSG_CT_DELETE, 4);
  message.writeUInt16LE(NLM_F_REQUEST | NLM_F_ACK, 6);
  message.writeUInt8(AF_INET, 16);
  const answer = Buffer.alloc(64); // struct nlmsghdr, struct nlmsgerr
  const isDone =
    Number(write(fd, message, message.length)) === message.length &&
    Number(read(fd, answer, answer.length)) > 20 &&
    answer.readInt32LE(16) === 0;
  close(fd);
  if (!isDone) throw new Error(`Cannot make the kernel forget the connections of ${namespace}`);
}

/** Opens a TAP, made if there is none of that name, in a namespace or in the current one. */
export function openTap(name: string, namespace?: string): End {
  const fd = namespace === undefined ? attach(name) : inNamespace(namespace, () => attach(name));
  const frame = Buffer.alloc(FRAME_BYTES);
  const end = {
    receive: (_frame: Uint8Array): void => {},
    // A full or downed device refuses the frame; a wire loses such frames silently.
    send: (bytes: Uint8Array): void => void write(fd, bytes, bytes.length),
    close: async (): Promise<void> => {
      open = false;
      await stopped;
      close(fd);
    },
  };
  let open = true;
  const drain = (): void => {
    for (let i = 0; i < BURST && open; i++) {
      const length = Number(read(fd, frame, FRAME_BYTES));
      if (length <= 0) return;
      end.receive(frame.subarray(0, length));
    }
  };
  const stopped = (async () => {
    const wait = Buffer.alloc(8); // struct pollfd
    while (open) {
      wait.writeInt32LE(fd, 0);
      wait.writeInt16LE(POLLIN, 4);
      await new Promise(resolve => poll.async(wait, 1, POLL_MILLISECONDS, resolve));
      drain();
    }
  })();
  return end;
}

function attach(name: string): number {
  const fd = openFile('/dev/net/tun', O_RDWR | O_NONBLOCK);
  if (fd < 0) throw new Error('Cannot open /dev/net/tun: it needs root and the tun driver');
  const request = Buffer.alloc(40); // struct ifreq
  request.write(name, 'latin1');
  request.writeInt16LE(IFF_TAP | IFF_NO_PI, 16);
  if (ioctl(fd, TUNSETIFF, 'void *', request) < 0) {
    close(fd);
    throw new Error(`Cannot attach TAP ${name}: does something else hold it?`);
  }
  return fd;
}

/** Runs a function with this thread in another network namespace. Only synchronous calls see it. */
export function inNamespace<T>(namespace: string, work: () => T): T {
  const here = openFile('/proc/thread-self/ns/net', 0);
  const there = openFile(`/run/netns/${namespace}`, 0);
  try {
    if (there < 0 || setns(there, CLONE_NEWNET) < 0) throw new Error(`Cannot enter namespace ${namespace}`);
    return work();
  } finally {
    setns(here, CLONE_NEWNET);
    close(here);
    if (there >= 0) close(there);
  }
}
