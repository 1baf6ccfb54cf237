// IPv4 addresses and prefixes as text. Addresses are i32 in host order, as get32 reads them from a packet.
// The parsers answer a number, or a string that says why the text is refused: an error message's cause.

/** An address with the length of its network's prefix. */
export interface Prefix {
  address: number;
  length: number;
}

export function formatAddress(address: number): string {
  return `${address >>> 24}.${(address >>> 16) & 255}.${(address >>> 8) & 255}.${address & 255}`;
}

export function formatMac(bytes: ArrayLike<number>): string {
  let text = '';
  for (let i = 0; i < 6; i++) text += (i === 0 ? '' : ':') + hex(bytes[i] as number, 2);
  return text;
}

export function hex(value: number, digits: number): string {
  return (value >>> 0).toString(16).padStart(digits, '0');
}

/** Parts of addresses that were read, and all of the last one but its last part: a network's addresses begin alike. */
const octets = new Map<string, number>();
let start = '-';
let startValue = 0;

/** Reads four decimal numbers with dots. Octal and short forms are refused: they hide mistakes. */
export function parseAddress(text: string): number | string {
  if (text.startsWith(start)) {
    const last = octets.get(text.slice(start.length));
    if (last !== undefined) return startValue | last;
  }
  const parts = text.split('.');
  if (parts.length !== 4) return 'an address is four numbers with dots';
  let address = 0;
  for (let i = 0; i < 4; i++) {
    const part = parts[i] as string;
    let number = octets.get(part);
    if (number === undefined) {
      number = Number(part);
      const why = whyNoOctet(part, number);
      if (why !== undefined) return why;
      octets.set(part, number);
    }
    address = (address << 8) | number;
  }
  start = text.slice(0, text.lastIndexOf('.') + 1);
  startValue = address & ~255;
  return address;
}

function whyNoOctet(part: string, number: number): string | undefined {
  if (number >= 0 && number <= 255 && String(number) === part) return undefined;
  if (!/^\d+$/.test(part)) return `${part === '' ? 'an empty part' : part} is not a number`;
  return part.startsWith('0') ? `${part} starts with a zero` : `${part} is not 0 to 255`;
}

/** Reads A/N, an address and the length of its prefix. */
export function parsePrefix(text: string): Prefix | string {
  const slash = text.indexOf('/');
  if (slash < 0) return 'the prefix length is missing, as in 192.168.0.1/24';
  const address = parseAddress(text.slice(0, slash));
  if (typeof address === 'string') return address;
  const length = text.slice(slash + 1);
  if (!/^\d{1,3}$/.test(length))
    return `${length === '' ? 'an empty prefix length' : length} is not a number`;
  if (Number(length) > 32) return `prefix length ${length} is not 0 to 32`;
  return { address, length: Number(length) };
}

/** The mask of a prefix length. Shifts take their count modulo 32, hence the case of 0. */
export function maskOf(length: number): number {
  return length === 0 ? 0 : -1 << (32 - length);
}

/** The length of a mask's prefix. */
export function lengthOf(mask: number): number {
  return Math.clz32(~mask);
}

export function formatPrefix(address: number, length: number): string {
  return `${formatAddress(address)}/${length}`;
}

/**
 * Why an interface cannot have this address, or undefined when it can. An interface needs a unicast address
 * (RFC 1122, 3.2.1.3) that is neither its network's number nor its broadcast; a /31 has neither (RFC 3021).
 */
export function refuseHost(prefix: Prefix): string | undefined {
  const { address, length } = prefix;
  if (length < 8 || length > 31) return `prefix length ${length} is not 8 to 31`;
  const why = refuseUnicast(address);
  if (why !== undefined) return why;
  const host = address & ~maskOf(length);
  if (length < 31 && host === 0) return "it is the network's own number";
  if (length < 31 && host === ~maskOf(length)) return "it is the network's broadcast address";
  return undefined;
}

/** Why nothing can be sent to this address as to one host, or undefined. */
export function refuseUnicast(address: number): string | undefined {
  const first = address >>> 24;
  if (first === 0) return 'addresses in 0.0.0.0/8 name no host';
  if (first === 127) return 'addresses in 127.0.0.0/8 stay inside a host';
  if (first >= 240) return 'addresses from 240.0.0.0 on are reserved';
  if (first >= 224) return 'it is a multicast address';
  return undefined;
}

/** The address of a server, 0 if the text is a name, or why it is neither. */
export function parseServer(text: string): number | string {
  if (/^[0-9.]+$/.test(text)) {
    const address = parseAddress(text);
    if (typeof address === 'string') return address;
    return refuseUnicast(address) ?? address;
  }
  return isServerName(text) ? 0 : 'it is no name of a host';
}

/** Label by label: one pattern for all would try each way to cut a long word into labels, which are without number. */
function isServerName(text: string): boolean {
  if (text.length > 253) return false;
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  return name.split('.').every(label => /^[a-z0-9_][a-z0-9_-]{0,62}$/i.test(label));
}

/** Whether two networks share an address. */
export function overlap(a: Prefix, b: Prefix): boolean {
  const mask = maskOf(Math.min(a.length, b.length));
  return ((a.address ^ b.address) & mask) === 0;
}
