// The name that a client gives itself, made fit for DNS: RFC 952 and 1123, section 2.1; the option of a full
// name: RFC 4702. Not here: whether the name is still free (server.ts).

import { NAME_BYTES } from './lease-table.ts';
import type { Reader } from './message.ts';
import { OPTION_CLIENT_FQDN, OPTION_HOST_NAME } from './options.ts';

/** Names that nobody on the LAN may take: the router's own, and those that programs trust without asking. */
const FORBIDDEN = ['masqbox', 'localhost', 'wpad', 'isatap'];
const DASH = 45;
/** Flag of RFC 4702, 2.1: the name is in DNS's form, a length before each label. */
const FQDN_WIRE = 4;
const FQDN_HEADER = 3;

/** The host name of a message, or '' if it has none that can be used. */
export function hostNameOf(reader: Reader): string {
  if (reader.has(OPTION_HOST_NAME)) return cleanName(reader.bytes(OPTION_HOST_NAME), 0);
  if (reader.lengthOf(OPTION_CLIENT_FQDN) <= FQDN_HEADER) return '';
  const value = reader.bytes(OPTION_CLIENT_FQDN);
  if (((value[0] as number) & FQDN_WIRE) === 0) return cleanName(value, FQDN_HEADER);
  const start = FQDN_HEADER + 1;
  return cleanName(value.subarray(0, start + (value[FQDN_HEADER] as number)), start);
}

/** Whether a name in lower case is as cleanName() leaves it. */
export function isHostName(name: string): boolean {
  return (
    name.length <= NAME_BYTES && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name) && !FORBIDDEN.includes(name)
  );
}

/** The first label of a name in lower case: letters, digits, and dashes in between. '' if nothing is left. */
export function cleanName(bytes: Uint8Array, from: number): string {
  let name = '';
  for (let i = from; i < bytes.length && name.length < NAME_BYTES; i++) {
    let c = bytes[i] as number;
    if (c === 46 || c === 0) break; // a dot, or a NUL that old clients append
    if (c >= 65 && c <= 90) c += 32;
    const isPlain = (c >= 97 && c <= 122) || (c >= 48 && c <= 57);
    if (isPlain) name += String.fromCharCode(c);
    else if ((c === DASH || c === 95 || c === 32) && name !== '') name += '-';
  }
  while (name.endsWith('-')) name = name.slice(0, -1);
  return FORBIDDEN.includes(name) ? '' : name;
}
