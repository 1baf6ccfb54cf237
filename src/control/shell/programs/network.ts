// ifconfig, route, arp and netstat: listings in the period's formats, and what they set by the router's own settings.

import { ALIAS_ADDRESS, ALIAS_INSIDE, aliasAt } from '../../../base/alias-record.ts';
import { ALIASES_SET_AT } from '../../../base/cells.ts';
import { IF_ADDRESS, IF_MASK, interfaceAt } from '../../../base/interface.ts';
import {
  INTERFACE_LAN,
  INTERFACE_WAN,
  NEIGHBOUR_BYTES,
  NEIGHBOUR_COUNT,
  NEIGHBOURS_AT,
} from '../../../base/limits.ts';
import { get8, i32at } from '../../../base/memory.ts';
import {
  NEIGHBOUR_ADDRESS,
  NEIGHBOUR_FREE,
  NEIGHBOUR_HEADER,
  NEIGHBOUR_RESOLVING,
  neighbourInterface,
  neighbourState,
} from '../../../base/neighbour-record.ts';
import { formatAddress, formatMac, lengthOf, maskOf, parseAddress } from '../../core/address.ts';
import { gatewayOf } from '../../core/addresses.ts';
import type { Outcome } from '../host.ts';
import { Fault, type Io } from '../streams.ts';
import { type Desk, once, type Program } from './desk.ts';
import { LOOPBACK, listing, present, procDev, type Route, routes } from './links.ts';

/** The mask of a class A, B or C network, which a tool takes where none is said. */
function classMask(address: number): number {
  const first = address >>> 24;
  return maskOf(first < 128 ? 8 : first < 192 ? 16 : 24);
}

function addressOf(text: string, tool: string): number {
  const address = parseAddress(text);
  if (typeof address === 'string') throw new Fault(`${tool}: ${text}: ${address}`, 1);
  return address;
}

const ifconfig: Program = (args, io, desk) => {
  const { links } = desk;
  const own = args.filter((word, i) => i === 0 || (word !== '-a' && word !== '-v'));
  const name = own[1];
  if (name === undefined) {
    for (const link of present()) io.write(listing(links.nameOf(link), link));
    io.write(LOOPBACK);
    return 0;
  }
  const link = links.linkOf(name.replace(/:\d+$/, ''));
  if (name !== 'lo' && (link < 0 || !present().includes(link))) {
    io.complain(`${name}: error fetching interface information: Device not found`);
    return 1;
  }
  if (own.length === 2) {
    io.write(name === 'lo' ? LOOPBACK : listing(name, link));
    return 0;
  }
  if (name === 'lo') return 0;
  if (name.includes(':')) return further(own.slice(2), name, link, desk);
  return configure(own.slice(2), name, link, io, desk);
};

/** A further address, which the WAN alone may have: it is added to those that there are. */
function further(words: readonly string[], name: string, link: number, desk: Desk): Outcome {
  const text = words.find(word => /^\d/.test(word))?.split('/')[0];
  if (link !== INTERFACE_WAN || text === undefined)
    throw new Fault(`ifconfig: ${name}: the WAN alone has further addresses; see set wan also`, 1);
  const address = addressOf(text, 'ifconfig');
  const all: number[] = [];
  for (let n = 0; n < i32at(ALIASES_SET_AT); n++)
    if (i32at(aliasAt(n) + ALIAS_INSIDE) === 0) all.push(i32at(aliasAt(n) + ALIAS_ADDRESS));
  // A script sets at each start what is so already.
  if (all.includes(address)) return 0;
  return desk.run(['set', 'wan', 'also', ...[...all, address].map(formatAddress)]);
}

/** Words behind an interface's name. */
function configure(words: readonly string[], name: string, link: number, io: Io, desk: Desk): Outcome {
  let address: number | undefined;
  let mask: number | undefined;
  let mtu: string | undefined;
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === 'netmask') mask = addressOf(words[++i] ?? '', 'ifconfig');
    else if (word === 'mtu') mtu = words[++i] ?? '';
    else if (word === 'broadcast' || word === 'metric') i++;
    else if (word === 'up')
      once(desk, `${name} up`, () => io.complain(`${name} is up as long as its card is there`));
    else if (word === 'down')
      throw new Fault(`ifconfig: ${name}: a link is not switched off here; rules can drop what it has`, 1);
    else if (['promisc', '-promisc', 'multicast', 'arp', 'allmulti', '-allmulti', '-arp'].includes(word))
      io.complain(`${word}: the card takes what it needs`);
    else if (/^\d/.test(word)) {
      const [text = '', length] = word.split('/');
      address = addressOf(text, 'ifconfig');
      if (length !== undefined) mask = maskOf(Number(length));
    } else throw new Fault(`ifconfig: ${word}: it is not known here`, 1);
  }
  const side = link === INTERFACE_LAN ? 'lan' : link === INTERFACE_WAN ? 'wan' : undefined;
  if (side === undefined) throw new Fault(`ifconfig: ${name}: see set link`, 1);
  if (mtu !== undefined && address === undefined) return desk.run(['set', side, 'mtu', mtu]);
  const at = interfaceAt(link);
  if (address === undefined && mask === undefined) return 0;
  const own = address ?? i32at(at + IF_ADDRESS);
  const length = lengthOf(mask ?? classMask(own));
  // A script sets at each start what is so already.
  if (own === i32at(at + IF_ADDRESS) && maskOf(length) === i32at(at + IF_MASK)) return 0;
  if (own === 0)
    throw new Fault(`ifconfig: ${name}: an address is not taken away by 0.0.0.0; see set ${side}`, 1);
  return desk.run(['set', side, 'address', `${formatAddress(own)}/${length}`]);
}

// --- routes ----------------------------------------------------------------------------------------------

const column = (text: string): string => text.slice(0, 15).padEnd(15);

function routeRow({ destination, gateway, mask, flags, name }: Route, isNumeric: boolean): string {
  const to = !isNumeric && destination === 0 && mask === 0 ? 'default' : formatAddress(destination);
  const by = !isNumeric && gateway === 0 ? '*' : formatAddress(gateway);
  return `${column(to)} ${column(by)} ${column(formatAddress(mask))} ${flags.padEnd(5)} 0      0        0 ${name}\n`;
}

function listRoutes(io: Io, desk: Desk, isNumeric: boolean): number {
  io.write('Kernel IP routing table\n');
  io.write('Destination     Gateway         Genmask         Flags Metric Ref    Use Iface\n');
  for (const route of routes(desk.links)) io.write(routeRow(route, isNumeric));
  return 0;
}

const route: Program = (args, io, desk) => {
  const words = args
    .slice(1)
    .filter(word => !['-n', '-v', '-e', '-ee', '-F', '-A', 'inet', '-ne', '-en'].includes(word));
  const isNumeric = args.some(word => /^-\w*n/.test(word) && word !== '-net');
  if (words.length === 0) return listRoutes(io, desk, isNumeric);
  const verb = words.shift();
  if (verb !== 'add' && verb !== 'del') throw new Fault(`route: ${verb}: it is add or del`, 4);
  let kind = '';
  if (words[0] === '-net' || words[0] === '-host') kind = words.shift() as string;
  const target = words.shift() ?? '';
  let gateway: number | undefined;
  let mask: number | undefined;
  let device = '';
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    if (word === 'gw') gateway = addressOf(words[++i] ?? '', 'route');
    else if (word === 'netmask') mask = addressOf(words[++i] ?? '', 'route');
    else if (word === 'dev') device = words[++i] ?? '';
    else if (['metric', 'mss', 'window', 'irtt'].includes(word)) i++;
    else if (desk.links.linkOf(word) >= 0 || word === 'lo') device = word;
    else throw new Fault(`route: ${word}: it is not known here`, 4);
  }
  if (target === 'default') return defaultRoute(verb, gateway, device, desk);
  const [text = '', length] = target.split('/');
  const address = addressOf(text, 'route');
  const own =
    length !== undefined ? maskOf(Number(length)) : (mask ?? (kind === '-net' ? classMask(address) : -1));
  if (address === 0 && own === 0) return defaultRoute(verb, gateway, device, desk);
  return networkRoute(verb, address, own, gateway, device, desk);
};

function defaultRoute(verb: string, gateway: number | undefined, device: string, { run }: Desk): Outcome {
  const now = gatewayOf(INTERFACE_WAN);
  if (verb === 'del') {
    if (now === undefined) throw new Fault('SIOCDELRT: No such process', 7);
    return run(['unset', 'wan', 'gateway']);
  }
  if (gateway === undefined)
    throw new Fault(
      `route: default by ${device}: a gateway is needed, as in route add default gw 203.0.113.1`,
      4,
    );
  if (now === gateway) return 0;
  return run(['set', 'wan', 'gateway', formatAddress(gateway)]);
}

function networkRoute(
  verb: string,
  address: number,
  mask: number,
  gateway: number | undefined,
  device: string,
  desk: Desk,
): Outcome {
  const prefix = `${formatAddress(address)}/${lengthOf(mask)}`;
  const known = routes(desk.links).find(
    ({ destination, mask: other }) => destination === (address & mask) && other === mask,
  );
  if (verb === 'del') {
    if (known === undefined) throw new Fault('SIOCDELRT: No such process', 7);
    return desk.run(['unset', 'route', prefix]);
  }
  // What a link's network is, and loopback, kernels from 2.2 on know by themselves, and so do we.
  if (gateway === undefined) {
    const isOwn = known !== undefined && known.gateway === 0;
    if (isOwn || device === 'lo' || address >>> 24 === 127) return 0;
    throw new Fault(
      `route: ${prefix} by ${device === '' ? 'no gateway' : device}: it is in no link's network; a gateway is needed`,
      4,
    );
  }
  return desk.run(['set', 'route', prefix, formatAddress(gateway)]);
}

// --- neighbours and the rest -----------------------------------------------------------------------------

interface Neighbour {
  address: string;
  mac: string;
  name: string;
}

function neighbours(desk: Desk): Neighbour[] {
  const found: Neighbour[] = [];
  for (let i = 0; i < NEIGHBOUR_COUNT; i++) {
    const at = NEIGHBOURS_AT + i * NEIGHBOUR_BYTES;
    const state = neighbourState(at);
    if (state === NEIGHBOUR_FREE) continue;
    const isKnown = state !== NEIGHBOUR_RESOLVING;
    const mac = formatMac(Array.from({ length: 6 }, (_, n) => get8(at + NEIGHBOUR_HEADER + n))).toUpperCase();
    const name = desk.links.nameOf(neighbourInterface(at));
    found.push({ address: formatAddress(i32at(at + NEIGHBOUR_ADDRESS)), mac: isKnown ? mac : '', name });
  }
  return found;
}

const arp: Program = (args, io, desk) => {
  const letters = args
    .slice(1)
    .filter(word => word.startsWith('-'))
    .join('');
  if (/[sd]/.test(letters))
    throw new Fault('arp: stations are found by themselves; see set dhcp reserve', 255);
  const wanted = args.slice(1).filter(word => !word.startsWith('-'));
  const all = neighbours(desk).filter(({ address }) => wanted.length === 0 || wanted.includes(address));
  if (letters.includes('a')) {
    for (const { address, mac, name } of all)
      io.write(`? (${address}) at ${mac === '' ? '<incomplete>' : `${mac} [ether]`} on ${name}\n`);
    return 0;
  }
  if (all.length === 0) {
    for (const address of wanted) io.write(`${address} (${address}) -- no entry\n`);
    return 0;
  }
  io.write('Address                 HWtype  HWaddress           Flags Mask            Iface\n');
  for (const { address, mac, name } of all) {
    const known =
      mac === '' ? `${''.padEnd(8)}${'(incomplete)'.padEnd(20)}` : `${'ether'.padEnd(8)}${mac.padEnd(20)}`;
    io.write(`${address.padEnd(24)}${known}${(mac === '' ? '' : 'C').padEnd(6)}${''.padEnd(15)} ${name}\n`);
  }
  return 0;
};

const netstat: Program = (args, io, desk) => {
  const letters = args.slice(1).join('');
  if (letters.includes('M')) return desk.run(['ipchains', '-M', '-L', '-n']);
  if (letters.includes('r')) {
    io.write('Kernel IP routing table\n');
    io.write('Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface\n');
    for (const { destination, gateway, mask, flags, name } of routes(desk.links))
      io.write(
        `${column(formatAddress(destination))} ${column(formatAddress(gateway))} ${column(formatAddress(mask))} ${flags.padEnd(6)} ${'0'.padStart(5)} 0      ${'0'.padStart(5)} ${name}\n`,
      );
    return 0;
  }
  if (letters.includes('i')) {
    io.write(procDev(desk.links));
    return 0;
  }
  if (!/[atu]/.test(letters)) throw new Fault('netstat: it is -r, -i, -M or -a here', 1);
  io.write('Active Internet connections (servers and established)\n');
  io.write('Proto Recv-Q Send-Q Local Address           Foreign Address         State      \n');
  once(desk, 'netstat', () =>
    io.complain('what is masqueraded is no connection of the router: netstat -M, show masq'),
  );
  return 0;
};

export const network: Record<string, Program> = { ifconfig, route, arp, netstat };
