// `npm start -- --sim`: the sim board's console on this terminal, with a small LAN and WAN in this process.
// Ctrl-T opens a prompt of the simulation, where the LAN's hosts are told what to do; Ctrl-], or Ctrl-C
// twice, leaves. Without a terminal, lines come in by pipe, and those that start with `sim ` are for the simulation.

import { join } from 'node:path';
import { createSimBoard, type SimBoard } from '../board/sim/board.ts';
import { fileMedium, type SimDisk, simDisk } from '../board/sim/disk.ts';
import { Network } from '../board/sim/network.ts';
import { IF_ADDRESS, interfaceAt } from '../src/base/interface.ts';
import { INTERFACE_LAN, INTERFACE_WAN, TICKS_PER_SECOND } from '../src/base/limits.ts';
import { parseAddress } from '../src/control/core/address.ts';
import { createLeaving, releaseTerminal } from './leaving.ts';

const TALK = '\x14';
/** What `save` writes to, from one start to the next. */
const DISK = join(import.meta.dirname, '../build/sim-disk.img');
const TICK_MILLISECONDS = 1000 / TICKS_PER_SECOND;
/** A lease takes some five seconds: a server is listened for, and the address probed. */
const WAN_MILLISECONDS = 20_000;
/** After a pause of the process, at most so much time is made up for. */
const CATCH_UP_TICKS = 100;

const ADVICE = `
Below is the console of the sim board: the firmware of the 486 under Node, with two hosts on its LAN and a
made-up internet on its WAN, from which it gets its address within seconds. Ctrl-T talks to the hosts; Ctrl-], or Ctrl-C
twice, leaves. To try:

  help                            what the router can do
  Ctrl-T get 198.51.100.7         the laptop fetches a page through the router
  show masq                       the session that it made
  ping www.example.com            the name comes from the provider
`;

const SIM_HELP = `sim commands: [desk] ping ADDRESS, [desk] get ADDRESS, [desk] udp ADDRESS PORT, help
Every address answers, but for 192.0.2.x. The hosts are laptop (.10) and desk (.11).`;

function say(text: string): void {
  process.stdout.write(`\r\n${text.replaceAll('\n', '\r\n')}\r\n`);
}

/** Runs a line of the simulation. */
export function simCommand(network: Network, line: string): string | undefined {
  const words = line.trim().split(/\s+/);
  const host = words[0] === 'desk' ? 1 : 0;
  if (words[0] === 'desk' || words[0] === 'laptop') words.shift();
  const [verb, text = '', port = '7'] = words;
  if (verb === '' || verb === undefined) return undefined;
  if (verb !== 'ping' && verb !== 'get' && verb !== 'udp') return SIM_HELP;
  const address = parseAddress(text);
  if (typeof address === 'string') return `Cannot ${verb} ${text}: ${address}`;
  if (verb === 'ping') network.ping(host, address);
  else if (verb === 'get') network.get(host, address);
  else if (/^\d{1,5}$/.test(port) && Number(port) < 65536) network.udp(host, address, Number(port));
  else return `Cannot send to port ${port}: it is not 0 to 65535`;
  return undefined;
}

/** Board and network, joined. Frames for the router are queued, as a wire would, so that calls do not nest. */
export async function simulate(
  output: (text: string) => void,
  report: (text: string) => void,
  disk?: SimDisk,
) {
  const queue: { card: number; frame: Uint8Array }[] = [];
  let board: SimBoard | undefined;
  const network = new Network({
    send: (card, frame) => queue.push({ card, frame }),
    report,
    lanAddress: () => {
      const memory = board?.memory;
      if (memory === undefined) return 0;
      return new DataView(memory.buffer, memory.byteOffset).getInt32(
        interfaceAt(INTERFACE_LAN) + IF_ADDRESS,
        true,
      );
    },
  });
  board = await createSimBoard({
    onFrame: (card, frame) => network.frame(card, frame),
    onOutput: output,
    ...(disk === undefined ? {} : { disk }),
  });
  const settle = (): void => {
    board.run();
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      board.receive(next.card, next.frame);
      board.run();
    }
  };
  return { board, network, settle };
}

async function main(): Promise<void> {
  const { stdin } = process;
  process.stdout.write(`${ADVICE}\n`);
  const { board, network, settle } = await simulate(
    text => process.stdout.write(text),
    say,
    simDisk(fileMedium(DISK)),
  );
  let at = performance.now();
  const timer = setInterval(() => {
    const ticks = Math.floor((performance.now() - at) / TICK_MILLISECONDS);
    at += ticks * TICK_MILLISECONDS;
    board.advance(Math.min(ticks, CATCH_UP_TICKS));
    settle();
  }, TICK_MILLISECONDS);
  const type = (text: string): void => {
    board.type(text);
    settle();
  };
  let hasLeft = false;
  const leave = (): void => {
    if (hasLeft) return;
    hasLeft = true;
    clearInterval(timer);
    releaseTerminal(stdin);
    process.stdout.write('\r\n');
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, leave);
  process.stdout.on('error', leave); // who read it is gone
  const run = (line: string): void => {
    const answer = simCommand(network, line);
    if (answer !== undefined) say(answer);
    settle();
  };
  // Before the first prompt is seen, or a Ctrl-C for it would still be the terminal's.
  if (stdin.isTTY) joinTerminal(type, run, leave);
  settle();
  if (!stdin.isTTY) {
    // Nobody who types by a pipe can see when the WAN has its address.
    for (let i = 0; i < WAN_MILLISECONDS / TICK_MILLISECONDS && !hasWan(board); i++)
      await new Promise(resolve => setTimeout(resolve, TICK_MILLISECONDS));
    joinPipe(type, run, leave);
  }
}

function hasWan({ memory }: SimBoard): boolean {
  const at = interfaceAt(INTERFACE_WAN) + IF_ADDRESS;
  return new DataView(memory.buffer, memory.byteOffset).getInt32(at, true) !== 0;
}

/** Keys go to the board, but for a line after Ctrl-T, which is the simulation's. */
function joinTerminal(type: (text: string) => void, run: (line: string) => void, leave: () => void): void {
  let talking: string | undefined;
  const isLeaving = createLeaving();
  process.stdin.setRawMode(true);
  process.stdin.on('end', leave);
  process.stdin.on('data', (bytes: Buffer) => {
    if (isLeaving(bytes)) {
      leave();
      return;
    }
    for (const key of bytes.toString('latin1')) {
      if (key === TALK && talking === undefined) {
        talking = '';
        process.stdout.write('\r\nsim> ');
      } else if (talking === undefined) type(key);
      else if (key === '\r' || key === '\n' || key === '\x03') {
        const line = key === '\x03' ? '' : talking;
        talking = undefined;
        run(line);
        type('\r');
      } else if (key === '\x7f' || key === '\b') {
        if (talking !== '') process.stdout.write('\b \b');
        talking = talking.slice(0, -1);
      } else if (key >= ' ') {
        talking += key;
        process.stdout.write(key);
      }
    }
  });
}

function joinPipe(type: (text: string) => void, run: (line: string) => void, leave: () => void): void {
  let rest = '';
  process.stdin.on('data', (bytes: Buffer) => {
    const lines = (rest + bytes.toString('latin1')).split('\n');
    rest = lines.pop() as string;
    for (const line of lines) {
      if (line.startsWith('sim ')) run(line.slice('sim '.length));
      else type(`${line}\r`);
    }
  });
  // What was typed last may still be at work: a ping takes five seconds.
  process.stdin.on('end', () => setTimeout(leave, 6000));
}

if (process.argv[1] === import.meta.filename) await main();
