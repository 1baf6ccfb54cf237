// `npm start`: builds the image, boots it on an emulated 486 and gives its serial console to this terminal.
//
//    namespace masqbox-lan              QEMU                       this machine
//    dhclient -- TAP masqbox0 -- LAN card    | WAN card -- user network 10.0.2.0/24
//
// Needs root for namespace and TAP. Without it, or with --sim, the sim board runs (tools/start-sim.ts).
// Whatever ends it, the namespace goes: at a SIGKILL QEMU ends with it, and the next start clears up.

import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { makeCard, refuseCard } from './card.ts';
import { PROMPT } from './harness/console.ts';
import { plugIn } from './harness/laptop.ts';
import { namespaces } from './harness/namespace.ts';
import { Processes } from './harness/processes.ts';
import { isaCards, Machine } from './harness/qemu.ts';
import { createLeaving, releaseTerminal } from './leaving.ts';
import { SetupError, setup } from './setup.ts';

const NAMESPACE = 'masqbox-lan';
const TAP = 'masqbox0';
const PID_FILE = '/run/masqbox-start.pid';
const RESOLVER_DIRECTORY = `/etc/netns/${NAMESPACE}`;
/** dhclient's script and leases. Not in the directory above: `ip netns exec` would lay them over /etc. */
const FILES_DIRECTORY = '/run/masqbox-start';
const LAN_GATEWAY = '192.168.0.1';
/** In QEMU's user network, which gives the WAN card an address by DHCP. */
const THIS_MACHINE = '10.0.2.2';
const PREFERRED_PORT = 8080;
const BOOT_SECONDS = 60;

const USAGE = `npm start [-- OPTION]
  --card FILE   boots this card and writes to it: what is saved is there at the next start, and there is room for
                an update. Made of the image, 4 MB large, if there is no such file
  --sim         the sim board: no root, no QEMU, no Debian packages
  --help        this text
`;

const processes = new Processes();

async function main(): Promise<void> {
  const { help, sim, card } = readOptions();
  if (help === true) {
    process.stdout.write(USAGE);
    return;
  }
  if (sim === true || process.getuid?.() !== 0) {
    if (card !== undefined)
      throw new SetupError('Cannot start with a card: the sim board keeps its own, build/sim-disk.img');
    await runSim(sim === true);
    return;
  }
  if (card !== undefined) refuseCard(card);
  setup(['build', 'run']);
  const { buildImage } = await import('../image/build.ts');
  print('Building build/masqbox.img (the first time compiles the engine, which takes a minute)\n');
  const image = await buildImage();
  if (card !== undefined) makeCard(image, card);
  await runBoard(card ?? image, card !== undefined);
}

function readOptions(): { card?: string; sim?: boolean; help?: boolean } {
  // npm keeps options that stand before -- for itself, and tells by its own variables which they were.
  const taken = ['card', 'sim'].find(name => process.env[`npm_config_${name}`] !== undefined);
  if (taken !== undefined)
    throw new SetupError(`Cannot start: npm took --${taken} for itself; write npm start -- --${taken} ...`);
  try {
    return parseArgs({
      options: { card: { type: 'string' }, sim: { type: 'boolean' }, help: { type: 'boolean' } },
    }).values;
  } catch (error) {
    throw new SetupError(`Cannot start: ${(error as Error).message}\n\n${USAGE}`);
  }
}

async function runSim(isAsked: boolean): Promise<void> {
  if (!isAsked) print('Not root, so this is the sim board (as root: a 486 by QEMU).\n');
  const program = join(import.meta.dirname, 'start-sim.ts');
  const child = spawn(process.execPath, ['--import=tsx', program], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
  process.exitCode = await new Promise<number>(resolve => child.on('close', status => resolve(status ?? 1)));
}

async function runBoard(disk: string, isCard: boolean): Promise<void> {
  let leave: () => void = () => {};
  const left = new Promise<void>(resolve => {
    leave = resolve;
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, leave);
  process.stdout.on('error', leave); // who read it is gone
  await claim();
  let machine: Machine | undefined;
  let server: Server | undefined;
  try {
    await makeNamespace();
    server = await serve();
    const { port } = server.address() as { port: number };
    const cards = isaCards({ tap: TAP }, { user: true });
    machine = await Machine.start({ disk, writable: isCard, cards }, processes);
    await moveTap();
    print(`${advice(port, disk)}\n`);
    joinTerminal(machine, leave);
    void comeUp(machine);
    await Promise.race([left, machine.whenEnded]);
  } finally {
    releaseTerminal(process.stdin);
    server?.close();
    server?.closeAllConnections();
    await machine?.stop();
    await removeNamespace();
    rmSync(PID_FILE, { force: true });
    print(`\r\nNamespace ${NAMESPACE} is removed.\n`);
  }
}

/** Makes sure that no other `npm start` runs, and clears up after one that was killed. */
async function claim(): Promise<void> {
  let owner = 0;
  try {
    owner = Number(readFileSync(PID_FILE, 'utf8'));
  } catch {
    // nobody claimed it
  }
  if (owner > 0 && isOurs(owner))
    throw new SetupError(`Cannot start: npm start already runs as process ${owner}`);
  writeFileSync(PID_FILE, `${process.pid}\n`);
  await removeNamespace();
}

/** Whether a process is alive and this program: after a reboot its number may be another's. */
function isOurs(pid: number): boolean {
  try {
    return pid !== process.pid && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('tools/start');
  } catch {
    return false;
  }
}

async function makeNamespace(): Promise<void> {
  await processes.output(['ip', 'netns', 'add', NAMESPACE]);
  mkdirSync(RESOLVER_DIRECTORY, { recursive: true });
  mkdirSync(FILES_DIRECTORY, { recursive: true });
  // QEMU opens the TAP by name in this machine's own namespace, where its user network must be; an open TAP
  // can then be moved.
  await processes.output(['ip', 'tuntap', 'add', 'dev', TAP, 'mode', 'tap']);
}

async function moveTap(): Promise<void> {
  await processes.output(['ip', 'link', 'set', TAP, 'netns', NAMESPACE]);
  const inside = async (...words: string[]): Promise<void> =>
    void (await processes.output(['ip', '-n', NAMESPACE, ...words]));
  await inside('link', 'set', 'lo', 'up');
  await inside('link', 'set', TAP, 'up');
}

async function removeNamespace(): Promise<void> {
  if (namespaces().includes(NAMESPACE)) await processes.run(['ip', 'netns', 'delete', NAMESPACE]);
  await processes.run(['ip', 'link', 'delete', TAP]); // where a start failed half-way
  for (const directory of [RESOLVER_DIRECTORY, FILES_DIRECTORY]) {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A web server on this machine, so that there is something to fetch where no internet is. */
async function serve(): Promise<Server> {
  const server = createServer((request, response) => {
    const bytes = Math.min(Number(/^\/bytes\/(\d+)$/.exec(request.url ?? '')?.[1] ?? 0), 100_000_000);
    if (bytes > 0) response.end(Buffer.alloc(bytes, 'Masqbox\n'));
    else response.end('You came here through Masqbox.\n');
  });
  for (const port of [PREFERRED_PORT, 0]) {
    const free = await new Promise<boolean>(resolve => {
      server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
    });
    if (free) break;
  }
  server.removeAllListeners('error');
  return server;
}

function advice(port: number, disk: string): string {
  const inside = `ip netns exec ${NAMESPACE}`;
  const here = `http://${THIS_MACHINE}:${port}`;
  return `
Below is the serial console of a 486 (QEMU) that boots ${relative('.', disk)}.
To leave: Ctrl-], or Ctrl-C twice. To try in another terminal, as root:

  ${inside} ping -c 3 ${LAN_GATEWAY}
  ${inside} curl ${here}/                    (a web server on this machine)
  ${inside} curl -o /dev/null ${here}/bytes/10000000
  ${inside} traceroute -n -I ${THIS_MACHINE}
  ${inside} curl -I http://deb.debian.org/          (if this machine reaches it)
`;
}

/** Waits for the board, types nothing, as when it comes out of the box, and plugs a host into its LAN. */
async function comeUp(machine: Machine): Promise<void> {
  try {
    await machine.console.expect(PROMPT, BOOT_SECONDS);
    await plugIn(processes, NAMESPACE, TAP, FILES_DIRECTORY, join(RESOLVER_DIRECTORY, 'resolv.conf'));
  } catch {
    print(`\r\nThe LAN's host got no address; the console is yours all the same.\r\n`);
  }
}

/** Joins this terminal to the console until `leave` is called. Works without a terminal: lines come in by pipe. */
function joinTerminal(machine: Machine, leave: () => void): void {
  const { stdin } = process;
  process.stdout.write(machine.console.transcript); // what came before this terminal was ready
  machine.console.watcher = bytes => process.stdout.write(bytes);
  if (stdin.isTTY) stdin.setRawMode(true);
  const isLeaving = createLeaving();
  // A terminal that is closed ends the board with it; a pipe that ends has said all, and the board goes on.
  stdin.on('end', () => {
    if (stdin.isTTY) leave();
  });
  stdin.on('data', (bytes: Buffer) => {
    if (!stdin.isTTY) {
      machine.console.write(bytes.toString('latin1').replace(/\n/g, '\r'));
      return;
    }
    if (isLeaving(bytes)) leave();
    else machine.console.write(bytes.toString('latin1'));
  });
}

function print(text: string): void {
  process.stdout.write(text);
}

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof SetupError ? error.message : (error as Error).stack}\n`);
  process.exitCode = 1;
}
await processes.stopAll();
