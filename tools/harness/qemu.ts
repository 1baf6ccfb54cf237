// A 486 by QEMU: started with its serial console and its monitor (QMP) on unix sockets, and ended by pid.
//
// Always TCG, never KVM: KVM lets instructions through that a 486 does not have, and here it is slower too.
// The machine waits (-S) until console and monitor are connected, so no character of the boot is lost.
// Not here: what is typed (console.ts), where the cards' wires lead (namespace.ts, wire.ts).

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Console } from './console.ts';
import { within } from './namespace.ts';
import { Processes, type Running } from './processes.ts';
import type { DgramWire } from './wire.ts';

export type Wire =
  | { readonly tap: string }
  /** UDP ports of an address of this machine: QEMU's own, and where it sends (wire.ts). */
  | DgramWire
  | { readonly user: true };

export interface Card {
  readonly model: 'ne2k_isa' | 'ne2k_pci';
  readonly wire: Wire;
  readonly mac?: string;
  /** ISA only. */
  readonly port?: number;
  readonly irq?: number;
}

export interface MachineOptions {
  readonly machine?: 'isapc' | 'pc';
  readonly cpu?: string;
  /** MiB. */
  readonly memory?: number;
  /** Image of the first IDE disk, or of the first floppy. Not written to, unless `writable`. */
  readonly disk?: string;
  readonly floppy?: string;
  readonly writable?: boolean;
  /** The floppy is write-protected. */
  readonly isProtected?: boolean;
  readonly cards?: readonly Card[];
  /** Virtual nanoseconds an instruction are 2^icount; time then follows the instructions alone. */
  readonly icount?: number;
  /**
   * With icount: false (the default) skips to the next timer when the processor sleeps; true sleeps really, so that
   * virtual time keeps to real time, which frames paced from outside need.
   */
  readonly sleep?: boolean;
  /** With sleep: waits as well when the processor was faster than its time, which otherwise runs ahead under load. */
  readonly align?: boolean;
  /** The network namespace in which QEMU runs, where its TAPs are. */
  readonly namespace?: string;
  /** What COM2 and those behind it are wired to, in QEMU's words: `unix:PATH,server=on,wait=off`, or a pty's `/dev/pts/7`. */
  readonly serial?: readonly string[];
  readonly extra?: readonly string[];
}

/** The two ISA cards of the reference board, first the LAN's, then the WAN's. */
export function isaCards(lan: Wire, wan: Wire): Card[] {
  return [
    { model: 'ne2k_isa', port: 0x300, irq: 9, mac: '52:54:00:12:34:01', wire: lan },
    { model: 'ne2k_isa', port: 0x320, irq: 10, mac: '52:54:00:12:34:02', wire: wan },
  ];
}

export function pciCards(lan: Wire, wan: Wire): Card[] {
  return [
    { model: 'ne2k_pci', mac: '52:54:00:12:34:01', wire: lan },
    { model: 'ne2k_pci', mac: '52:54:00:12:34:02', wire: wan },
  ];
}

/** The command line but for the sockets of console and monitor. */
export function machineArguments(options: MachineOptions): string[] {
  const words = ['-M', options.machine ?? 'isapc', '-cpu', options.cpu ?? '486', '-accel', 'tcg'];
  words.push('-m', `${1024 * (options.memory ?? 8)}k`, '-nodefaults', '-display', 'none');
  const icount = options.icount;
  if (icount !== undefined)
    words.push(
      '-icount',
      `shift=${icount},sleep=${options.sleep === true ? 'on' : 'off'}${options.align === true ? ',align=on' : ''}`,
    );
  const snapshot = options.writable === true ? 'off' : 'on';
  if (options.disk !== undefined) {
    words.push('-drive', `file=${options.disk},format=raw,if=ide,index=0,snapshot=${snapshot}`);
  }
  if (options.floppy !== undefined) {
    const kept = options.isProtected === true ? 'readonly=on' : `snapshot=${snapshot}`;
    words.push('-drive', `file=${options.floppy},format=raw,if=floppy,index=0,${kept}`);
  }
  for (const [index, card] of (options.cards ?? []).entries()) words.push(...cardArguments(card, index));
  return [...words, ...(options.extra ?? [])];
}

function cardArguments(card: Card, index: number): string[] {
  const id = `wire${index}`;
  const place =
    card.model === 'ne2k_isa'
      ? `,iobase=0x${(card.port ?? 0x300).toString(16)},irq=${card.irq ?? 9}`
      : ',romfile='; // no network boot, and no ROM file needed
  const mac = card.mac === undefined ? '' : `,mac=${card.mac}`;
  return ['-netdev', `${netdev(card.wire)},id=${id}`, '-device', `${card.model},netdev=${id}${place}${mac}`];
}

function netdev(wire: Wire): string {
  if ('tap' in wire) return `tap,ifname=${wire.tap},script=no,downscript=no`;
  if ('user' in wire) return 'user';
  const { host, local, remote } = wire.dgram;
  const end = (name: string, port: number): string =>
    `${name}.type=inet,${name}.host=${host},${name}.port=${port}`;
  return `dgram,${end('local', local)},${end('remote', remote)}`;
}

export interface QmpAnswer {
  readonly [name: string]: unknown;
}

export class Machine {
  readonly console: Console;
  readonly pid: number;
  readonly #running: Running;
  readonly #monitor: Monitor;
  readonly #directory: string;

  private constructor(running: Running, directory: string, serial: Console, monitor: Monitor) {
    this.#running = running;
    this.#directory = directory;
    this.console = serial;
    this.#monitor = monitor;
    this.pid = running.child.pid!;
  }

  /** Starts a machine; it runs from the moment this resolves. */
  static async start(options: MachineOptions, processes = new Processes()): Promise<Machine> {
    const directory = await mkdtemp(join(tmpdir(), 'masqbox-qemu-'));
    const serial = join(directory, 'serial');
    const monitor = join(directory, 'monitor');
    const words = ['qemu-system-i386', ...machineArguments(options), '-S'];
    words.push('-chardev', `socket,id=serial,path=${serial},server=on,wait=off`, '-serial', 'chardev:serial');
    for (const wire of options.serial ?? []) words.push('-serial', wire);
    words.push('-chardev', `socket,id=monitor,path=${monitor},server=on,wait=off`);
    words.push('-mon', 'chardev=monitor,mode=control');
    const place = options.namespace === undefined ? {} : { within: within(options.namespace) };
    const running = processes.start(words, place);
    try {
      const control = new Monitor(await connect(monitor, running));
      const machine = new Machine(running, directory, new Console(await connect(serial, running)), control);
      await control.ready;
      await control.execute('qmp_capabilities');
      await control.execute('cont');
      return machine;
    } catch (error) {
      await running.stop();
      await rm(directory, { recursive: true, force: true });
      throw new Error(`Cannot start QEMU: ${(error as Error).message}\n${running.report()}`);
    }
  }

  /** Resolves when QEMU has ended, by itself or by stop(). */
  get whenEnded(): Promise<void> {
    return this.#running.whenEnded;
  }

  /** A QMP command. */
  async monitor(command: string, args: QmpAnswer = {}): Promise<unknown> {
    return await this.#monitor.execute(command, args);
  }

  /** A command of the human monitor, for what QMP lacks: `info registers`, `x /4xw 0x...`. */
  async human(line: string): Promise<string> {
    return String(await this.monitor('human-monitor-command', { 'command-line': line }));
  }

  /** Guest-physical memory. */
  async memory(address: number, bytes: number): Promise<Uint8Array> {
    const file = join(this.#directory, 'memory');
    await this.monitor('pmemsave', { val: address, size: bytes, filename: file });
    return await readFile(file);
  }

  /** Guest memory by its virtual address, as the processor sees it. */
  async virtualMemory(address: number, bytes: number): Promise<Uint8Array> {
    const file = join(this.#directory, 'memory');
    await this.monitor('memsave', { val: address, size: bytes, filename: file });
    return await readFile(file);
  }

  /** True until QEMU ends. */
  get alive(): boolean {
    return !this.#running.ended;
  }

  async stop(): Promise<void> {
    this.console.close();
    this.#monitor.close();
    await this.#running.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Connects to a socket that QEMU is about to make. */
async function connect(path: string, running: Running): Promise<Socket> {
  for (let attempt = 0; attempt < 1200 && !running.ended; attempt++) {
    const socket = await new Promise<Socket | undefined>(resolve => {
      const candidate = createConnection(path);
      candidate.once('connect', () => resolve(candidate)).once('error', () => resolve(undefined));
    });
    if (socket !== undefined) return socket;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(running.ended ? 'it ended at once' : `nobody listens on ${path}`);
}

/** QMP: a line of JSON each way; events are passed over. */
class Monitor {
  readonly ready: Promise<void>;
  readonly #socket: Socket;
  readonly #waiting: { resolve(value: unknown): void; reject(error: Error): void }[] = [];
  #text = '';

  constructor(socket: Socket) {
    this.#socket = socket;
    let greet = (): void => {};
    this.ready = new Promise(resolve => {
      greet = resolve;
    });
    socket.setEncoding('utf8').on('data', (text: string) => {
      const lines = (this.#text + text).split('\n');
      this.#text = lines.pop()!;
      for (const line of lines) this.#take(JSON.parse(line), greet);
    });
    const fail = (): void => {
      for (const { reject } of this.#waiting.splice(0)) reject(new Error('QEMU closed its monitor'));
      greet();
    };
    socket.on('close', fail).on('error', fail);
  }

  async execute(command: string, args: QmpAnswer = {}): Promise<unknown> {
    return await new Promise((resolve, reject) => {
      if (this.#socket.destroyed) {
        reject(new Error('QEMU closed its monitor'));
        return;
      }
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(message: QmpAnswer, greet: () => void): void {
    if ('QMP' in message) greet();
    if ('return' in message) this.#waiting.shift()?.resolve(message['return']);
    if ('error' in message) this.#waiting.shift()?.reject(new Error(JSON.stringify(message['error'])));
  }
}
