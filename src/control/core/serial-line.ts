// A serial port's rings as control uses them (hal/serial/ns16550.ts moves the other ends): whole runs of
// bytes are copied, as a byte at a time would be slower than the line. `set console flow`: how a paste is slowed down.

import {
  SERIAL_FRAMING_ERRORS,
  SERIAL_LOST,
  SERIAL_LOST_FROM,
  SERIAL_LOST_TO,
  SERIAL_OVERRUNS,
  SERIAL_PARITY_ERRORS,
  SERIAL_RING_FULL,
  SERIAL_RX_HEAD,
  SERIAL_RX_TAIL,
  SERIAL_TX_HEAD,
  SERIAL_TX_TAIL,
  SERIAL_XON_XOFF,
  serialAt,
} from '../../../hal/serial/ns16550.ts';
import {
  SERIAL_RECEIVE_AT,
  SERIAL_RECEIVE_BYTES,
  SERIAL_TRANSMIT_AT,
  SERIAL_TRANSMIT_BYTES,
} from '../../base/limits.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { Refusal } from './console/command.ts';
import type { Line } from './console/terminal.ts';
import type { Machine } from './machine.ts';
import type { Setting } from './setting.ts';

export interface SerialLine extends Line {
  /** Settings of the line. */
  settings(): Setting[];
  /** Lets the driver know of them, and output go that the peer has stopped. */
  release(): void;
}

/**
 * Names of the driver's modes. RTS falls in each when the ring fills, as a cable without that line is none the worse
 * for it; CTS is obeyed where it is said to be there.
 */
const FLOWS = ['none', 'rts-cts', 'xon-xoff', 'both'];
const FLOW_DEFAULT = SERIAL_XON_XOFF;

export function createSerialLine(machine: Machine, index: number): SerialLine {
  const { memory } = machine;
  const receiveAt = SERIAL_RECEIVE_AT + index * SERIAL_RECEIVE_BYTES;
  const transmitAt = SERIAL_TRANSMIT_AT + index * SERIAL_TRANSMIT_BYTES;

  let flow = FLOW_DEFAULT;
  let isTransparent = false;
  const release = () => machine.plane.serialSetMode(index, isTransparent ? flow & ~SERIAL_XON_XOFF : flow);
  const setFlow = (mode: number): void => {
    flow = mode;
    release();
  };

  return {
    release,
    settings: () => [
      {
        words: 'console flow',
        arguments: `${FLOWS.join('|')}=${FLOWS[FLOW_DEFAULT]}`,
        help: 'how a paste is made to wait, and what makes the output wait',
        set: ([text = '']) => {
          const mode = FLOWS.indexOf(text);
          if (mode < 0)
            throw new Refusal(`Cannot set console flow ${text}: it is one of ${FLOWS.join(', ')}`);
          setFlow(mode);
        },
        unset: () => setFlow(FLOW_DEFAULT),
        lines: () => (flow === FLOW_DEFAULT ? [] : [`set console flow ${FLOWS[flow]}`]),
      },
    ],
    setTransparent: on => {
      isTransparent = on;
      release();
    },
    read: (into, at) => {
      const state = serialAt(index);
      const head = i32at(state + SERIAL_RX_HEAD);
      const waiting = (i32at(state + SERIAL_RX_TAIL) - head) | 0;
      const from = head & (SERIAL_RECEIVE_BYTES - 1);
      // Up to the ring's end; what has wrapped comes with the next call.
      const count = Math.min(waiting, SERIAL_RECEIVE_BYTES - from, into.length - at);
      if (count > 0) {
        into.set(memory.subarray(receiveAt + from, receiveAt + from + count), at);
        puti32(state + SERIAL_RX_HEAD, (head + count) | 0);
      }
      return count;
    },
    holds: byte => {
      const state = serialAt(index);
      const tail = i32at(state + SERIAL_RX_TAIL);
      for (let at = i32at(state + SERIAL_RX_HEAD); at !== tail; at = (at + 1) | 0) {
        if (memory[receiveAt + (at & (SERIAL_RECEIVE_BYTES - 1))] === byte) return true;
      }
      return false;
    },
    lost: () => {
      const state = serialAt(index);
      const ours = i32at(state + SERIAL_OVERRUNS) + i32at(state + SERIAL_RING_FULL);
      return (ours + i32at(state + SERIAL_PARITY_ERRORS) + i32at(state + SERIAL_FRAMING_ERRORS)) | 0;
    },
    takeLoss: () => {
      const state = serialAt(index);
      if (i32at(state + SERIAL_LOST) === 0) return undefined;
      machine.lock();
      const head = i32at(state + SERIAL_RX_HEAD);
      const loss = {
        from: (i32at(state + SERIAL_LOST_FROM) - head) | 0,
        to: (i32at(state + SERIAL_LOST_TO) - head) | 0,
      };
      puti32(state + SERIAL_LOST, 0);
      machine.unlock();
      return loss;
    },
    put: bytes => putBytes(machine, transmitAt, index, bytes),
    write: text => putText(machine, transmitAt, index, text),
  };
}

/** Puts bytes into the ring, all or, where there is no room, none. */
function putBytes(machine: Machine, transmitAt: number, index: number, bytes: Uint8Array): boolean {
  const { memory } = machine;
  const state = serialAt(index);
  const tail = i32at(state + SERIAL_TX_TAIL);
  const { length } = bytes;
  if (length > SERIAL_TRANSMIT_BYTES - ((tail - i32at(state + SERIAL_TX_HEAD)) | 0)) return false;
  const from = tail & (SERIAL_TRANSMIT_BYTES - 1);
  const first = Math.min(length, SERIAL_TRANSMIT_BYTES - from);
  memory.set(first === length ? bytes : bytes.subarray(0, first), transmitAt + from);
  if (first < length) memory.set(bytes.subarray(first), transmitAt);
  puti32(state + SERIAL_TX_TAIL, (tail + length) | 0);
  machine.plane.serialStart(index);
  return true;
}

/** Puts as many characters into the ring as there is room for; answers how many. */
function putText(machine: Machine, transmitAt: number, index: number, text: string): number {
  const { memory } = machine;
  const state = serialAt(index);
  const tail = i32at(state + SERIAL_TX_TAIL);
  const filled = (tail - i32at(state + SERIAL_TX_HEAD)) | 0;
  const count = Math.min(text.length, SERIAL_TRANSMIT_BYTES - filled);
  for (let i = 0; i < count; i++) {
    memory[transmitAt + ((tail + i) & (SERIAL_TRANSMIT_BYTES - 1))] = text.charCodeAt(i);
  }
  if (count > 0) {
    puti32(state + SERIAL_TX_TAIL, (tail + count) | 0);
    machine.plane.serialStart(index);
  }
  return count;
}
