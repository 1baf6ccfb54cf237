// Makes test/fuzz/corpus/town.pcap: real hosts behind a booted board, a little of everything, and of it the frames
// that came to the router. Run by hand, as root: npx tsx test/fuzz/record.ts

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cardMac } from '../../src/control/debug/hosts.ts';
import { ARP_TARGET_MAC } from '../../src/wire/arp.ts';
import { within } from '../../tools/harness/namespace.ts';
import { Capture } from '../../tools/harness/pcap.ts';
import { boardRouter } from '../harness/board-router.ts';
import {
  buildTown,
  FAR,
  LAN_ADDRESS,
  pause,
  SERVER,
  STRANGER,
  type Town,
  WAN_ADDRESS,
} from '../harness/town.ts';
import { BROADCAST, ETHERNET, isArp, macText, stationOf } from '../packets.ts';
import { readPcap } from './capture.ts';

const BOARD_MACS = ['52:54:00:12:34:01', '52:54:00:12:34:02'];

async function live(town: Town): Promise<void> {
  const { laptop, desk, shelf, inet } = town;
  const commands: [typeof laptop, string][] = [
    [laptop, `ping -n -c 2 -i 0.2 ${LAN_ADDRESS}`],
    [desk, `ping -n -c 2 -i 0.2 -s 1700 ${SERVER}`],
    [laptop, `curl -sS --max-time 5 http://${SERVER}/bytes/4000 -o /dev/null`],
    [shelf, `curl -sS --max-time 5 http://${FAR}/bytes/2000 -o /dev/null`],
    [desk, `traceroute -n -m 3 -q 2 -w 1 ${FAR}`],
    [desk, `traceroute -n -I -m 3 -q 1 -w 1 ${FAR}`],
    [laptop, `curl -sS --max-time 1 http://${WAN_ADDRESS}/`],
    [laptop, `curl -sS --max-time 2 http://${SERVER}:81/`],
    [laptop, `curl -sS --max-time 1 http://${LAN_ADDRESS}/`],
    [inet, `curl -sS --max-time 1 http://${WAN_ADDRESS}/`],
    [inet, `ping -n -c 2 -i 0.2 -W 1 ${WAN_ADDRESS}`],
    [laptop, `ping -n -c 1 -W 1 203.0.113.77`],
    [laptop, `ping -n -c 1 -W 1 192.168.7.7`],
    [shelf, `ping -n -c 12 -i 0.02 ${FAR}`],
    [desk, `curl -sS --max-time 5 http://${SERVER}/[1-4]`],
    [shelf, `curl -sS --max-time 5 --parallel http://${STRANGER}/[1-4]`],
  ];
  for (const [host, command] of commands) await host.run(command.split(' '));
  const sockets = await Promise.all(
    [laptop, desk].map(async host => await (await town.peer(host)).udp(4500)),
  );
  const server = await town.servers.inet.udp(4501, SERVER);
  for (const socket of sockets) {
    await socket.send(SERVER, 4501, 'hello');
    const seen = await server.next(2);
    if (seen !== undefined) await server.send(WAN_ADDRESS, seen.fromPort, 'hello yourself');
    await socket.send(STRANGER, 7, 'echo');
  }
  await sockets[0]!.send(SERVER, 4501, Buffer.alloc(2500, 'x'));
  await pause(1000);
}

/** The frame as a ring card would get it, or nothing if it is not for the router. */
function towards(frame: Uint8Array): Uint8Array | undefined {
  const to = macText(frame);
  const from = stationOf(frame);
  const card = BOARD_MACS.indexOf(to);
  if (BOARD_MACS.includes(from) || (card < 0 && !(isArp(frame) && to === BROADCAST))) return undefined;
  const changed = frame.slice();
  if (card >= 0) changed.set(cardMac(card), 0);
  if (card >= 0 && isArp(frame)) changed.set(cardMac(card), ETHERNET + ARP_TARGET_MAC);
  return changed;
}

const directory = mkdtempSync(join(tmpdir(), 'masqbox-record-'));
const town = await buildTown();
const router = boardRouter({ name: 'record' });
try {
  await router.start(town);
  const files = [town.lan, town.wan].map(({ name }) => ({ name, file: join(directory, `${name}.pcap`) }));
  for (const { name, file } of files) {
    const words = ['tcpdump', '-i', name, '-U', '-Z', 'root', '-w', file];
    const running = town.network.processes.start(words, { within: within(town.network.switch) });
    await running.until(/listening on/, 10);
  }
  await live(town);
  await pause(1000);
  const all = files.flatMap(({ file }) => readPcap(readFileSync(file)));
  const capture = new Capture();
  for (const { microseconds, frame } of all.sort((a, b) => a.microseconds - b.microseconds)) {
    const changed = towards(frame);
    if (changed !== undefined) capture.add(changed, (microseconds - all[0]!.microseconds) / 1000 + 1000);
  }
  writeFileSync(join(import.meta.dirname, 'corpus/town.pcap'), capture.toBytes());
  console.log(`${capture.length} frames of ${all.length}, ${capture.toBytes().length} bytes`);
} finally {
  await router.stop();
  await town.remove();
  rmSync(directory, { recursive: true });
}
