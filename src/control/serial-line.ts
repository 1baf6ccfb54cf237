// A serial port's rings as control uses them (hal/serial/ns16550.ts moves the other ends): whole runs of
// bytes are copied, as a byte at a time would be slower than the line.

import {
  SERIAL_MODE,
  SERIAL_OVERRUNS,
  SERIAL_RING_FULL,
  SERIAL_RX_HEAD,
  SERIAL_RX_TAIL,
  SERIAL_TX_HEAD,
  SERIAL_TX_TAIL,
  SERIAL_XON_XOFF,
  serialAt,
} from '../../hal/serial/ns16550.ts';
import {
  SERIAL_RECEIVE_AT,
  SERIAL_RECEIVE_BYTES,
  SERIAL_TRANSMIT_AT,
  SERIAL_TRANSMIT_BYTES,
} from '../plane/limits.ts';
import { i32at, puti32 } from '../plane/memory.ts';
import type { Line } from './console/console.ts';
import type { Machine } from './machine.ts';

export function createSerialLine(machine: Machine, index: number): Line {
  const { memory } = machine;
  const receiveAt = SERIAL_RECEIVE_AT + index * SERIAL_RECEIVE_BYTES;
  const transmitAt = SERIAL_TRANSMIT_AT + index * SERIAL_TRANSMIT_BYTES;

  let mode = 0;

  return {
    setTransparent: on => {
      if (on) mode = i32at(serialAt(index) + SERIAL_MODE);
      machine.plane.serialSetMode(index, on ? mode & ~SERIAL_XON_XOFF : mode);
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
      return (i32at(state + SERIAL_OVERRUNS) + i32at(state + SERIAL_RING_FULL)) | 0;
    },
    write: text => {
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
    },
  };
}
