// The sim board: the firmware's bundle under QuickJS and its plane as WebAssembly, in one linear memory as on
// the 486, with Node in the place of the floor. Cards are rings in the plane's memory, the console is serial
// port 0's rings, time is ticks that the caller gives: real ones, or as many as a test wants.
// Not here: what the wires lead to (network.ts, TAPs, tests), the host's terminal (tools/start-sim.ts).

import { type Plane, planeNames } from '../../firmware/host.ts';
import {
  SERIAL_RX_HEAD,
  SERIAL_RX_TAIL,
  SERIAL_TX_HEAD,
  SERIAL_TX_TAIL,
  serialAt,
} from '../../hal/serial/ns16550.ts';
import { bundle } from '../../image/bundle.ts';
import { type Embedded, embed, type Firmware, heapTopAt } from '../../image/embed.ts';
import { heapBytes } from '../../image/heap.ts';
import { compilePlane } from '../../image/plane-wasm.ts';
import {
  FACT_DRIVE,
  FACT_HEAP_BYTES,
  FACT_MEMORY_KIB,
  FACT_RESTART_REASON,
  FACT_RESTARTS,
  HOST_HEAP_FREE,
  HOST_IN8,
  HOST_IN16,
  HOST_IN32,
  HOST_LEND,
  HOST_PHYSICAL,
  HOST_PLANE,
  HOST_PUT,
  HOST_RESET,
  RESTART_EXCEPTION,
  RESTART_NONE,
} from '../../src/base/abi.ts';
import {
  BOARD_AT,
  BOARD_SIM,
  BOOT_FACTS_AT,
  HOST_RESULT_AT,
  MEDIUM_AT,
  NOW_AT,
  WAKE_AT,
} from '../../src/base/cells.ts';
import { IF_QUEUE_LENGTH, interfaceAt } from '../../src/base/interface.ts';
import {
  FRAME_TAGGED_MAX,
  PLANE_BASE,
  PLANE_BYTES,
  SERIAL_RECEIVE_AT,
  SERIAL_RECEIVE_BYTES,
  SERIAL_TRANSMIT_AT,
  SERIAL_TRANSMIT_BYTES,
} from '../../src/base/limits.ts';
import { PACKET_FRAME, PACKET_HEADER, PACKET_IP, PACKET_LENGTH } from '../../src/base/packet.ts';
import { FIRST_DISK, type SimDisk } from './disk.ts';
import type { SimFloppy } from './floppy.ts';
import { type SimPort, SimSerial } from './serial.ts';

/** Steps of control in one go; a console job yields after each row, so that this is a few hundred rows. */
const STEP_LIMIT = 2000;
/** Control may die this often before the sim gives up: then it dies at every start. */
const RESTART_LIMIT = 5;
const CARDS = [0, 1];
/** The serial port that is the console. */
const CONSOLE = 0;
/** Refills of a card's ring from the queue before it: each holds TRANSMIT_QUEUE_LIMIT frames. */
const SEND_ROUNDS = 4;

export interface SimOptions {
  /** A frame leaves by card 0 (LAN) or 1 (WAN). The bytes are the receiver's to keep. */
  onFrame(card: number, frame: Uint8Array): void;
  /** Text from the console. */
  onOutput(text: string): void;
  /** The disk, or the floppy; without one, nothing can be saved. */
  disk?: SimDisk | SimFloppy;
  /** The board was reset; it is starting again. */
  onReset?(): void;
  /** Serial ports beside the console: 1 to 3, which are COM2 to COM4. */
  serial?: readonly number[];
  /** The engine's WebAssembly, if it is to be another than the board's. */
  wasm?: Uint8Array<ArrayBuffer>;
  /** The firmware, if it is to be another. */
  firmware?: Firmware;
  /** A reading of the PIT for the entropy pool; a counter by default, so that runs repeat. */
  sample?(): number;
}

export interface SimBoard {
  /** A frame comes in by a card. False if the card's ring is full: the frame is lost, as on a wire. */
  receive(card: number, frame: Uint8Array): boolean;
  /** Text is typed. What the receive ring has no room for waits. */
  type(text: string): void;
  /** So many ticks pass, of 10 ms each. */
  advance(ticks: number): void;
  /** Lets control run as long as it wants to, within a bound. */
  run(): void;
  /** The plane's memory; another one after a reset. */
  readonly memory: Uint8Array;
  /** What is wired to a serial port of the options. */
  port(index: number): SimPort;
  /** The native plane; another one after a reset. */
  readonly plane: Plane;
  /** The engine; another one after a reset or a restart of control. */
  readonly engine: Embedded;
}

/** Thrown through the engine by HOST_RESET, which does not return. */
class BoardReset extends Error {}

type Exports = Record<string, (...args: number[]) => number>;

/** What is the same for every start. */
interface Parts {
  disk?: SimDisk | SimFloppy;
  bundle: Firmware;
  plane: WebAssembly.Module;
  serial: SimSerial;
  wasm?: Uint8Array<ArrayBuffer>;
}

interface Running {
  engine: Embedded;
  plane: Plane;
  memory: Uint8Array;
  words: Int32Array;
}

/** No chip answers but the serial ports': reads float high. */
const portsOf = (serial: SimSerial) => ({
  in8: (port: number) => (serial.has(port) ? serial.bus.in8(port) : 0xff),
  in16: () => 0xffff,
  in32: () => -1,
  out8(port: number, value: number) {
    if (serial.has(port)) serial.bus.out8(port, value);
  },
  out16() {},
  out32() {},
  ins16() {},
  outs16() {},
  ins32() {},
  outs32() {},
  store16() {},
  store32() {},
});

/** Puts engine and plane into one memory; `kept` is the plane's memory of before, when only control died. */
function boot(parts: Parts, put: (character: number) => void, kept?: Uint8Array): Running {
  const { engine, calls, words } = start(parts, put);
  const { buffer } = engine.memory;
  const before = new Uint8Array(buffer.slice(0, PLANE_BASE));
  const env = { memory: engine.memory, abort() {} };
  const exports = new WebAssembly.Instance(parts.plane, { env, port: portsOf(parts.serial) })
    .exports as Exports;
  const changed = before.findIndex((byte, i) => new Uint8Array(buffer)[i] !== byte);
  if (changed >= 0)
    throw new Error(`The plane's WebAssembly brings data to ${changed}, which is the engine's`);
  for (const name of planeNames(exports)) calls.push(exports[name] as Exports[string]);
  const memory = new Uint8Array(buffer, PLANE_BASE, PLANE_BYTES);
  if (kept !== undefined) memory.set(kept);
  return { engine, plane: exports as unknown as Plane, memory, words };
}

/** Starts the engine with a host whose plane functions are still to be put into `calls`. */
function start(parts: Parts, put: (character: number) => void) {
  const calls: Exports[string][] = [];
  let heapFree = (): number => 0;
  let memoryOf = (): Uint8Array => new Uint8Array(0);
  const host = (op: number, ...args: number[]): void => {
    let result = 0;
    switch (op) {
      case HOST_PLANE:
        result = callPlane(calls, args);
        break;
      case HOST_PUT:
        put(args[0] as number);
        break;
      case HOST_RESET:
        throw new BoardReset();
      case HOST_HEAP_FREE:
        result = heapFree();
        break;
      case HOST_LEND:
        result = 1; // there is memory everywhere
        break;
      case HOST_PHYSICAL:
        result = args[0] as number;
        break;
      default:
        result = portCall(op, args, parts.disk, memoryOf());
    }
    words[HOST_RESULT_AT >> 2] = result;
  };
  const engine = embed(parts.bundle, host, undefined, parts.wasm);
  const { buffer } = engine.memory;
  const words = new Int32Array(buffer, PLANE_BASE, PLANE_BYTES >> 2);
  const memory = new Uint8Array(buffer, PLANE_BASE, PLANE_BYTES);
  memoryOf = () => memory;
  heapFree = () =>
    buffer.byteLength -
    (new Int32Array(buffer)[heapTopAt() >> 2] as number) +
    heapBytes(engine.memory, engine.stackPointer, false);
  return { engine, calls, words };
}

/** Ports: those of the disk, or nothing that answers. */
function portCall(op: number, args: readonly number[], disk: Parts['disk'], memory: Uint8Array): number {
  if (disk !== undefined) return disk.call(op, args, memory) ?? 0;
  return op === HOST_IN8 || op === HOST_IN16 || op === HOST_IN32 ? -1 : 0;
}

function callPlane(calls: Exports[string][], args: number[]): number {
  const call = calls[args[0] as number];
  if (call === undefined) throw new Error(`There is no plane function ${args[0]}, there are ${calls.length}`);
  return call(...args.slice(1)) ?? 0;
}

/** Readings of a PIT that repeat in every run: 11,932 counts a tick. */
function repeatableSamples(): () => number {
  let state = 1;
  return () => {
    state = (state * 75 + 74) % 65537;
    return state % 11932;
  };
}

/** The board of one createSimBoard(). */
class Board implements SimBoard {
  private readonly put: (character: number) => void;
  private readonly sample: () => number;
  private typed = '';
  private restarts = 0;
  private running: Running;

  constructor(
    private readonly parts: Parts,
    private readonly options: SimOptions,
  ) {
    this.put = character => options.onOutput(String.fromCharCode(character));
    this.sample = options.sample ?? repeatableSamples();
    this.running = boot(parts, this.put);
    this.powerOn(RESTART_NONE);
  }

  get memory(): Uint8Array {
    return this.running.memory;
  }

  port(index: number): SimPort {
    const port = this.parts.serial.ports.get(index);
    if (port === undefined) throw new Error(`There is no serial port ${index}`);
    return port;
  }

  get plane(): Plane {
    return this.running.plane;
  }

  get engine(): Embedded {
    return this.running.engine;
  }

  receive(card: number, frame: Uint8Array): boolean {
    const { plane, memory } = this.running;
    if (frame.length > FRAME_TAGGED_MAX) return false;
    const packet = plane.allocate();
    if (packet === 0) return false;
    memory.set(frame, packet + PACKET_FRAME);
    memory[packet + PACKET_HEADER] = PACKET_IP - PACKET_FRAME;
    this.setWord(packet + PACKET_LENGTH, frame.length - (PACKET_IP - PACKET_FRAME));
    const taken = plane.ringPut(card, packet) === 1;
    if (taken) plane.interrupt(plane.nicIrq(card), this.sample());
    else plane.release(packet);
    this.send();
    return taken;
  }

  type(text: string): void {
    this.typed += text;
  }

  advance(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      this.running.plane.tick(this.sample());
      this.parts.serial.advance(line => this.running.plane.interrupt(line, this.sample()));
      this.send();
      this.run();
    }
  }

  private word(at: number): number {
    return this.running.words[at >> 2] as number;
  }

  private setWord(at: number, value: number): void {
    this.running.words[at >> 2] = value;
  }

  /** What the floor does before control's first step. */
  private powerOn(reason: number): void {
    const { engine } = this.running;
    this.setWord(BOARD_AT, BOARD_SIM);
    // A board without any is one whose disk does not answer.
    this.setWord(BOOT_FACTS_AT + 4 * FACT_DRIVE, this.parts.disk?.biosNumber ?? FIRST_DISK);
    if (this.parts.disk !== undefined) {
      this.setWord(MEDIUM_AT, this.parts.disk.mediumNumber);
      if (reason === RESTART_NONE) this.parts.disk.powerOn(this.running.memory);
    }
    this.setWord(BOOT_FACTS_AT + 4 * FACT_MEMORY_KIB, engine.memory.buffer.byteLength / 1024);
    this.setWord(BOOT_FACTS_AT + 4 * FACT_HEAP_BYTES, engine.memory.buffer.byteLength - engine.stackPointer);
    this.setWord(BOOT_FACTS_AT + 4 * FACT_RESTARTS, this.restarts);
    this.setWord(BOOT_FACTS_AT + 4 * FACT_RESTART_REASON, reason);
    this.setWord(WAKE_AT, this.word(NOW_AT));
  }

  /** Frames that the rings hold go out on the wires; then what waited for room moves on. */
  private send(): void {
    for (const card of CARDS) {
      for (let round = 0; round < SEND_ROUNDS; round++) {
        const sent = this.empty(card);
        if (sent === 0 || this.word(interfaceAt(card) + IF_QUEUE_LENGTH) === 0) break;
        this.running.plane.interrupt(this.running.plane.nicIrq(card), this.sample());
      }
    }
  }

  private empty(card: number): number {
    const { plane } = this.running;
    let sent = 0;
    for (let packet = plane.ringTake(card); packet !== 0; packet = plane.ringTake(card)) {
      const { memory } = this.running;
      const datagram = packet + PACKET_IP;
      const frame = memory.slice(
        datagram - (memory[packet + PACKET_HEADER] as number),
        datagram + this.word(packet + PACKET_LENGTH),
      );
      plane.release(packet);
      this.options.onFrame(card, frame);
      sent++;
    }
    return sent;
  }

  /** The serial port's other end: takes what is to be sent, gives what was typed as far as there is room. */
  private serial(): void {
    const state = serialAt(CONSOLE);
    const head = this.word(state + SERIAL_TX_HEAD);
    const count = (this.word(state + SERIAL_TX_TAIL) - head) | 0;
    let text = '';
    for (let i = 0; i < count; i++) {
      text += String.fromCharCode(
        this.running.memory[SERIAL_TRANSMIT_AT + ((head + i) & (SERIAL_TRANSMIT_BYTES - 1))] as number,
      );
    }
    this.setWord(state + SERIAL_TX_HEAD, (head + count) | 0);
    if (text !== '') this.options.onOutput(text);
    let tail = this.word(state + SERIAL_RX_TAIL);
    const room = SERIAL_RECEIVE_BYTES - ((tail - this.word(state + SERIAL_RX_HEAD)) | 0);
    for (const character of this.typed.slice(0, room)) {
      this.running.memory[SERIAL_RECEIVE_AT + (tail & (SERIAL_RECEIVE_BYTES - 1))] = character.charCodeAt(0);
      tail = (tail + 1) | 0;
    }
    this.typed = this.typed.slice(room);
    this.setWord(state + SERIAL_RX_TAIL, tail);
  }

  /** One step of control, and what the floor does when it ends otherwise than by returning. */
  private step(): void {
    try {
      this.running.engine.call();
    } catch (error) {
      this.serial();
      if (error instanceof BoardReset) {
        this.restarts = 0;
        this.running = boot(this.parts, this.put);
        this.powerOn(RESTART_NONE);
        this.options.onReset?.();
        return;
      }
      this.options.onOutput(
        `\r\nFloor: control ended by an exception: ${String(error).replaceAll('\n', '\r\n')}\r\n`,
      );
      this.restarts++;
      if (this.restarts > RESTART_LIMIT) throw error;
      this.running = boot(this.parts, this.put, this.running.memory);
      this.powerOn(RESTART_EXCEPTION);
    }
  }

  run(): void {
    this.serial();
    for (let i = 0; i < STEP_LIMIT && this.running.plane.wanted() !== 0; i++) {
      this.step();
      this.serial();
      this.send();
    }
    this.send();
  }
}

/** Builds the firmware as for the 486 and starts it. */
export async function createSimBoard(options: SimOptions): Promise<SimBoard> {
  const plane = await WebAssembly.compile(await compilePlane());
  const serial = new SimSerial(options.serial ?? []);
  const parts: Parts = { bundle: options.firmware ?? (await bundle()), plane, serial };
  if (options.disk !== undefined) parts.disk = options.disk;
  if (options.wasm !== undefined) parts.wasm = options.wasm;
  return new Board(parts, options);
}
