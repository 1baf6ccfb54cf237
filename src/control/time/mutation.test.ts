// The NTP client under replies that are damaged: cut at every length, and with bytes changed, put in and taken out.
// It never dies, and sets the clock from no reply that breaks a check of RFC 4330, section 5; those that keep them all
// set it right. The checks stand here a second time, as the RFC lists them.

import test, { type ExecutionContext } from 'ava';
import { runSeed, seeded } from '../../../tools/harness/random.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Context } from '../core/context.ts';
import type { Datagram, Receive } from '../core/net/udp.ts';
import type { WallClock } from '../core/wall-clock.ts';
import { NtpClient } from './ntp.ts';
import { NTP_BYTES } from './ntp-message.ts';

const SERVER = '192.0.2.1';
const ADDRESS = 0xc0000201 | 0;
const PORT = 4123;
/** 2026-11-21 03:15:02 in seconds since 1900. */
const TIME = 1795230902 + 2208988800;
const NTP_TO_UNIX_MS = 2208988800n * 1000n;
/** Between question and answer. */
const WAY_TICKS = 5;
const WAY_MS = (WAY_TICKS * 1000) / TICKS_PER_SECOND;
/** A microsecond in 2^32 parts of a millisecond: closer times are the same to who computes with 53 bits. */
const CLOSE = 4294967n;

/** A client that has just asked, and what it does with one datagram. */
function fixture() {
  let tick = 0;
  let timer: Timer | undefined;
  const clock: Clock = {
    now: () => tick,
    uptime: () => tick,
    whole: at => at,
    after: (ticks, run) => {
      timer = { tick: tick + ticks, run };
      return timer;
    },
    cancel: () => {
      timer = undefined;
    },
    run: () => {},
    next: () => 0,
  };
  let request = new Uint8Array(0);
  let receive: Receive = () => {};
  let random = 0x1234567;
  const udp = {
    openRandom: (_interfaces: number, handler: Receive) => {
      receive = handler;
      return PORT;
    },
    close: () => {},
    send: (_address: number, _port: number, _from: number, data: Uint8Array) => {
      request = data.slice();
      return true;
    },
  };
  const times: number[] = [];
  const wallClock = {
    milliseconds: () => undefined,
    isPossible: () => true,
    set: (time: number) => times.push(time),
    text: () => '',
  } as unknown as WallClock;
  const context = { clock, udp, log: () => {}, random: () => (random = Math.imul(random, 0x9e3779b1) + 1) };
  const ntp = new NtpClient(
    context as unknown as Context,
    wallClock,
    () => {},
    () => {},
  );
  ntp.add(SERVER, ADDRESS);
  ntp.start();
  const due = timer as unknown as Timer;
  tick = due.tick;
  due.run();
  const hear = (data: Uint8Array, source = ADDRESS, sourcePort = 123): number | undefined => {
    tick += WAY_TICKS;
    receive({ source, sourcePort, data } as Datagram);
    return times.shift();
  };
  return { request, hear, ntp };
}

/** A good reply, received and sent at TIME and a quarter. */
function replyTo(request: Uint8Array): Uint8Array {
  const reply = new Uint8Array(NTP_BYTES);
  const view = new DataView(reply.buffer);
  reply.set([(4 << 3) | 4, 2, 6, 0xe8, 0, 0, 0x10, 0, 0, 0, 0x20, 0, 10, 0, 0, 1]);
  reply.set(request.subarray(40, 48), 24);
  for (const at of [32, 40]) {
    view.setUint32(at, TIME);
    view.setUint32(at + 4, 0x40000000);
  }
  return reply;
}

/** Milliseconds since 1900 in 2^32 parts of one, era 1 behind era 0: RFC 4330, section 3. */
function fixedPoint(view: DataView, at: number): bigint {
  const value = view.getBigUint64(at) * 1000n;
  return view.getUint8(at) < 0x80 ? value + (1000n << 64n) : value;
}

/**
 * The time that the reply tells, Unix milliseconds; undefined if it must not be believed; 'close' if it left less than a
 * microsecond before the question came, which may be believed or not.
 */
function truth(reply: Uint8Array, request: Uint8Array): number | 'close' | undefined {
  if (reply.length < NTP_BYTES) return undefined;
  const view = new DataView(reply.buffer, reply.byteOffset);
  const [leap, version, mode] = [reply[0]! >> 6, (reply[0]! >> 3) & 7, reply[0]! & 7];
  if (leap === 3 || version === 0 || version > 4 || mode !== 4) return undefined;
  if (reply[1] === 0 || reply[1]! > 15) return undefined;
  if (Buffer.compare(reply.subarray(24, 32), request.subarray(40, 48)) !== 0) return undefined;
  if (Math.abs(view.getInt32(4)) >= 65536 || view.getUint32(8) >= 65536) return undefined;
  if (view.getBigUint64(40) === 0n) return undefined;
  const [received, transmitted] = [fixedPoint(view, 32), fixedPoint(view, 40)];
  if (transmitted + CLOSE < received) return undefined;
  if (transmitted < received) return 'close';
  const held = Number((transmitted - received) >> 32n);
  const delay = Math.max(0, WAY_MS - held);
  return Number((transmitted >> 32n) - NTP_TO_UNIX_MS) + delay / 2;
}

/** Lets a client hear a reply to its question; whether the clock was set. */
function check(t: ExecutionContext, change: (reply: Uint8Array) => Uint8Array, what: string): boolean {
  const { request, hear, ntp } = fixture();
  const reply = change(replyTo(request));
  const expected = truth(reply, request);
  if (expected === 'close') return false;
  const time = hear(reply);
  const isRight =
    time === undefined || expected === undefined ? time === expected : Math.abs(time - expected) <= 2;
  if (!isRight) t.fail(`${what}: ${time}, not ${expected}, by ${Buffer.from(reply).toString('hex')}`);
  // What is believed or a kiss ends the question; all else leaves it open for the true answer.
  if (ntp.state === 'ASKED') {
    const late = hear(replyTo(request));
    if (late === undefined || expected !== undefined) t.fail(`${what}: the true answer came too late`);
  }
  return time !== undefined;
}

test('every reply cut at every length', t => {
  for (let length = 0; length <= NTP_BYTES; length++) {
    t.is(
      check(t, reply => reply.slice(0, length), `${length} bytes`),
      length === NTP_BYTES,
    );
  }
});

test('every reply with bytes changed, put in and taken out', t => {
  const seed = runSeed();
  const random = seeded(seed);
  let set = 0;
  for (let i = 0; i < 20_000; i++) {
    const change = (reply: Uint8Array): Uint8Array => {
      const bytes = [...reply];
      for (let edits = 1 + random.below(4); edits > 0; edits--) {
        // Seldom the nonce: without it nothing else is looked at.
        const at = random.chance(0.05) ? 24 + random.below(8) : (32 + random.below(40)) % NTP_BYTES;
        const value = random.chance(0.5)
          ? random.below(256)
          : [0, 1, 0x24, 0xe4, 0x7f, 0x80, 255][random.below(7)]!;
        const kind = random.below(12);
        if (kind === 0) bytes.splice(at, 1);
        else if (kind === 1) bytes.splice(at, 0, value);
        else bytes[at] = value;
      }
      return Uint8Array.from(bytes);
    };
    if (check(t, change, `MASQBOX_SEED=${seed}, reply ${i}`)) set++;
  }
  t.true(set > 2000 && set < 18_000, `MASQBOX_SEED=${seed}: ${set} of 20000 set the clock`);
});

test('a good reply of another host or from another port sets nothing', t => {
  for (const [source, port] of [
    [ADDRESS ^ 1, 123],
    [ADDRESS, 124],
  ] as const) {
    const { request, hear, ntp } = fixture();
    t.is(hear(replyTo(request), source, port), undefined);
    t.is(ntp.state, 'ASKED');
  }
});
