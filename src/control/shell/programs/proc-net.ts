// Tables in `/proc/net`, in the formats of the kernels: ip_masquerade and ip_masq/ of 2.0 and 2.2, ip_conntrack of 2.4, dev, arp and
// route. Of a long table there are as many rows as a script may read at once.
// Not here: what rules have there (others put it into the tree), the order of 2.0's hash table, which ip_masquerade has as its tools.

import { FORWARDS_SET_AT, NOW_AT } from '../../../base/cells.ts';
import {
  E_BEGUN,
  E_EXPIRES,
  E_FAR,
  E_FLAGS,
  E_IN_PORTS,
  E_INSIDE,
  E_OUT_PORTS,
  E_OUTSIDE,
  E_PROTOCOL,
  E_REMOTE,
  E_STATE,
  ENTRY_ANSWERED,
  ENTRY_CLASSIC,
  ENTRY_FORWARD,
  entryAt,
  HIGHEST_AT,
  isLost,
  isRouted,
  sessionLimit,
} from '../../../base/flow-record.ts';
import {
  FORWARD_ADDRESS,
  FORWARD_AUTO,
  FORWARD_FIRST,
  FORWARD_FLAGS,
  FORWARD_INSIDE,
  FORWARD_LAST,
  FORWARD_LEFT,
  FORWARD_OUTSIDE,
  FORWARD_PROTOCOL,
  FORWARD_WEIGHT,
  forwardAt,
} from '../../../base/forward-record.ts';
import { TICKS_PER_SECOND } from '../../../base/limits.ts';
import { get8, i32at, u16at } from '../../../base/memory.ts';
import { PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from '../../../wire/ipv4.ts';
import { formatAddress } from '../../core/address.ts';

/** Rows of a table: 64 KB have room for no more. */
const ROWS_MOST = 480;
/** Buckets of the 2.0 kernel's table. */
const BUCKETS = 256;

const hex = (value: number, digits: number): string =>
  (value >>> 0).toString(16).toUpperCase().padStart(digits, '0');
const left = (text: string | number, width: number): string => String(text).padEnd(width);
const right = (text: string | number, width: number): string => String(text).padStart(width);

/** Numbers of flows: masqueraded ones in the order of the 2.0 kernel's table, or all. */
function flows(isMasqueraded: boolean): number[] {
  const numbers: number[] = [];
  for (let n = i32at(HIGHEST_AT); n >= 1; n--) {
    const e = entryAt(n);
    if (get8(e + E_PROTOCOL) === 0 || isLost(e) !== 0) continue;
    if (isMasqueraded && isRouted(e) !== 0) continue;
    numbers.push(n);
  }
  if (!isMasqueraded) return numbers;
  const bucketOf = (n: number): number => {
    const e = entryAt(n);
    return (get8(e + E_PROTOCOL) ^ i32at(e + E_OUTSIDE) ^ i32at(e + E_IN_PORTS)) & (BUCKETS - 1);
  };
  return numbers
    .map(n => ({ n, bucket: bucketOf(n) }))
    .sort((a, b) => a.bucket - b.bucket || b.n - a.n)
    .map(({ n }) => n);
}

const NAMES = new Map([
  [PROTOCOL_TCP, 'TCP'],
  [PROTOCOL_UDP, 'UDP'],
  [PROTOCOL_ICMP, 'ICMP'],
]);

/** What is told of so many rows that there is no room for. */
type Cut = (rows: number) => void;

export function ipMasquerade(cut: Cut): string {
  const counts = new Map<number, number>();
  let more = 0;
  const rows: string[] = [];
  for (const n of flows(true)) {
    const e = entryAt(n);
    const protocol = get8(e + E_PROTOCOL);
    counts.set(protocol, (counts.get(protocol) ?? 0) + 1);
    const name = NAMES.get(protocol);
    if (name === undefined) continue;
    if (rows.length >= ROWS_MOST) {
      more++;
      continue;
    }
    const ports = i32at(e + E_OUT_PORTS);
    // Of a query the remote port is its code and type, in the wrong order of bytes.
    const remotePort = protocol === PROTOCOL_ICMP ? 8 : ports & 0xffff;
    const jiffies = Math.max(0, (i32at(e + E_EXPIRES) - i32at(NOW_AT)) | 0);
    rows.push(
      `${name} ${hex(i32at(e + E_INSIDE), 8)}:${hex(ports >>> 16, 4)} ${hex(i32at(e + E_REMOTE), 8)}:${hex(remotePort, 4)} ` +
        `${hex(i32at(e + E_IN_PORTS) & 0xffff, 4)} ${hex(0, 8)} ${right(0, 6)} ${right(0, 6)} ${right(jiffies, 7)}`,
    );
  }
  if (more > 0) cut(more);
  const free = [PROTOCOL_UDP, PROTOCOL_TCP, PROTOCOL_ICMP].map(
    protocol => sessionLimit() - (counts.get(protocol) ?? 0),
  );
  const head = `Prc FromIP   FPrt ToIP     TPrt Masq Init-seq  Delta PDelta Expires (free=${free.join(',')})`;
  return [head, ...rows].map(row => `${row.padEnd(127)}\n`).join('');
}

const RFC_STATES = [
  'NONE',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_SENT',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'TIME_WAIT',
  'CLOSE',
];
const CLASSIC_STATES =
  'NONE,ESTABLISHED,SYN_SENT,SYN_RECV,FIN_WAIT,TIME_WAIT,CLOSE,CLOSE_WAIT,LAST_ACK,LISTEN'.split(',');

function tuple(protocol: number, source: number, destination: number, ports: number): string {
  const addresses = `src=${formatAddress(source)} dst=${formatAddress(destination)} `;
  if (protocol === PROTOCOL_ICMP) return `${addresses}type=8 code=0 id=${ports >>> 16} `;
  if (protocol !== PROTOCOL_TCP && protocol !== PROTOCOL_UDP) return addresses;
  return `${addresses}sport=${ports >>> 16} dport=${ports & 0xffff} `;
}

export function ipConntrack(cut: Cut): string {
  let text = '';
  let rows = 0;
  for (const n of flows(false)) {
    if (++rows > ROWS_MOST / 2) continue;
    const e = entryAt(n);
    const protocol = get8(e + E_PROTOCOL);
    const flags = get8(e + E_FLAGS);
    const seconds = Math.max(0, ((i32at(e + E_EXPIRES) - i32at(NOW_AT)) | 0) / TICKS_PER_SECOND);
    const name = (NAMES.get(protocol) ?? 'unknown').toLowerCase();
    const states = (flags & ENTRY_CLASSIC) !== 0 ? CLASSIC_STATES : RFC_STATES;
    const state = protocol === PROTOCOL_TCP ? `${states[get8(e + E_STATE)] ?? 'NONE'} ` : '';
    const outPorts = i32at(e + E_OUT_PORTS);
    const inPorts = i32at(e + E_IN_PORTS);
    const inside = tuple(protocol, i32at(e + E_INSIDE), i32at(e + E_REMOTE), outPorts);
    const outside = tuple(protocol, i32at(e + E_FAR), i32at(e + E_OUTSIDE), inPorts);
    const isAnswered = (flags & ENTRY_ANSWERED) === ENTRY_ANSWERED;
    const unreplied = isAnswered ? '' : '[UNREPLIED] ';
    const assured = isAnswered && protocol !== PROTOCOL_ICMP ? '[ASSURED] ' : '';
    const first =
      (flags & ENTRY_FORWARD) !== 0 && u16at(e + E_BEGUN) === 0
        ? outside + unreplied + tuple(protocol, i32at(e + E_INSIDE), i32at(e + E_REMOTE), outPorts)
        : inside + unreplied + outside;
    text += `${left(name, 8)} ${protocol} ${Math.floor(seconds)} ${state}${first}${assured}use=1 \n`;
  }
  if (rows > ROWS_MOST / 2) cut(rows - ROWS_MOST / 2);
  return text;
}

/** Forwards of one port, UDP first, as the kernel's list. */
function forwards(): number[] {
  const found: number[] = [];
  for (const protocol of [PROTOCOL_UDP, PROTOCOL_TCP]) {
    for (let n = 0; n < i32at(FORWARDS_SET_AT); n++) {
      const at = forwardAt(n);
      if ((u16at(at + FORWARD_FLAGS) & FORWARD_AUTO) !== 0) continue;
      if (u16at(at + FORWARD_PROTOCOL) === protocol && u16at(at + FORWARD_FIRST) === u16at(at + FORWARD_LAST))
        found.push(n);
    }
  }
  return found;
}

const forwardName = (at: number): string => (u16at(at + FORWARD_PROTOCOL) === PROTOCOL_TCP ? 'TCP' : 'UDP');

/** @param outside our address there. */
export function masqPortfw(outside: number): string {
  const rows = forwards().map(n => {
    const at = forwardAt(n);
    const ends = `${hex(i32at(at + FORWARD_OUTSIDE) || outside, 8)} ${right(u16at(at + FORWARD_FIRST), 5)} > ${hex(i32at(at + FORWARD_ADDRESS), 8)} ${right(u16at(at + FORWARD_INSIDE), 5)}`;
    return `${forwardName(at)}  ${ends} ${right(u16at(at + FORWARD_LEFT), 5)} ${right(u16at(at + FORWARD_WEIGHT), 5)}`;
  });
  return ['Prot LAddr    LPort > RAddr    RPort PrCnt  Pref', ...rows]
    .map(row => `${row.padEnd(63)}\n`)
    .join('');
}

export function ipPortfw(outside: number): string {
  const rows = forwards().map(n => {
    const at = forwardAt(n);
    return `${forwardName(at)} ${formatAddress(i32at(at + FORWARD_OUTSIDE) || outside)}/${u16at(at + FORWARD_FIRST)} > ${formatAddress(i32at(at + FORWARD_ADDRESS))}/${u16at(at + FORWARD_INSIDE)}`;
  });
  return ['Prot Local Addr/Port > Remote Addr/Port', ...rows].map(row => `${row.padEnd(63)}\n`).join('');
}

/** `/proc/net/ip_masq/app`: the helpers that modules have brought. */
export function masqApp(modules: ReadonlyMap<string, string>): string {
  const rows: string[] = [];
  for (const [name, parameters] of modules) {
    const helper = Object.hasOwn(HELPERS, name) ? HELPERS[name] : undefined;
    if (helper === undefined) continue;
    const given = /ports=([\d,]+)/.exec(parameters)?.[1]?.split(',').map(Number);
    for (const port of given ?? helper.ports)
      rows.push(
        `${left(helper.protocol, 3)}  ${left(port, 7)} ${left(0, 7)}  ${left(name.replace('ip_masq_', ''), 17)}`,
      );
  }
  return `${'prot port    n_attach name'.padEnd(39)}\n${rows.map(row => `${row}\n`).join('')}`;
}

const HELPERS: Record<string, { protocol: string; ports: number[] }> = {
  ip_masq_ftp: { protocol: 'TCP', ports: [21] },
  ip_masq_irc: { protocol: 'TCP', ports: [6667] },
  ip_masq_raudio: { protocol: 'TCP', ports: [554, 7070] },
  ip_masq_quake: { protocol: 'UDP', ports: [26000, 27000] },
  ip_masq_cuseeme: { protocol: 'UDP', ports: [7648] },
  ip_masq_vdolive: { protocol: 'TCP', ports: [7000] },
};
