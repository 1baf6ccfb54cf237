// The DHCP server's settings: `set dhcp ...`. Not here: what they mean (pool.ts, reply.ts).

import { IF_ADDRESS, IF_MASK, interfaceAt } from '../../base/interface.ts';
import { INTERFACE_LAN } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { formatAddress, lengthOf, parseAddress, refuseHost } from '../core/address.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import {
  DHCP_LEASE_LEAST_SECONDS,
  DHCP_LEASE_MOST_SECONDS,
  DHCP_LEASE_SECONDS,
  DHCP_OPTIONS,
  DHCP_RESERVATIONS,
} from '../core/limits.ts';
import { QUESTION, type Setting } from '../core/setting.ts';
import { KEY_BYTES } from './client-key.ts';
import { isHostName } from './host-name.ts';
import {
  hexBytes,
  OPTION_CLIENT_FQDN,
  OPTION_CLIENT_IDENTIFIER,
  OPTION_REBINDING_TIME,
  OPTION_RELAY_AGENT_INFORMATION,
  OPTION_REQUESTED_ADDRESS,
  optionType,
  parseOption,
} from './options.ts';
import { DOMAIN_DEFAULT, type Reservation } from './pool.ts';
import type { DhcpServer } from './server.ts';

const NONE = 'none';
const ALWAYS = 'always';

export function dhcpSettings(context: Context, server: DhcpServer): Setting[] {
  return [
    switchSetting(server),
    rangeSetting(server),
    leaseSetting(server),
    dnsSetting(server),
    domainSetting(server),
    bootSetting(server),
    optionSetting(server),
    reserveSetting(context, server),
  ];
}

function switchSetting(server: DhcpServer): Setting {
  const { config } = server;
  return {
    words: 'dhcp',
    arguments: 'on|off=on',
    help: 'whether addresses are given to hosts of the LAN',
    set: ([word = '']) => {
      if (word !== 'on' && word !== 'off') throw new Refusal(`Cannot set DHCP ${word}: it is on or off`);
      config.on = word === 'on';
      server.apply();
    },
    unset: () => {
      config.on = true;
      server.apply();
    },
    unsetHelp: 'gives addresses to hosts of the LAN',
    lines: () => (config.on ? [] : ['set dhcp off']),
  };
}

function rangeSetting(server: DhcpServer): Setting {
  const { config } = server;
  return {
    words: 'dhcp range',
    isDependent: true,
    arguments: 'FIRST:address LAST:address',
    help: 'the addresses that are given; .100 to .199 by default | 192.168.0.100 192.168.0.199',
    set: ([from = '', to = '']) => {
      const what = `DHCP range ${from} ${to}`;
      const [first, last] = [lanHost(from), lanHost(to)];
      if (typeof first === 'string') throw new Refusal(`Cannot set ${what}: ${first}`);
      if (typeof last === 'string') throw new Refusal(`Cannot set ${what}: ${last}`);
      if (first >>> 0 > last >>> 0) throw new Refusal(`Cannot set ${what}: it ends before it begins`);
      config.range = { first, last };
    },
    unset: () => {
      config.range = undefined;
    },
    lines: () => {
      if (config.range === undefined) return [];
      return [`set dhcp range ${formatAddress(config.range.first)} ${formatAddress(config.range.last)}`];
    },
  };
}

function leaseSetting({ config }: DhcpServer): Setting {
  return {
    words: 'dhcp lease',
    arguments: 'TIME:integer(120..8640000,seconds)=43200',
    help: 'how long an address is given for | 86400',
    set: ([text = '']) => {
      const seconds = /^\d{1,9}$/.test(text) ? Number(text) : 0;
      if (seconds < DHCP_LEASE_LEAST_SECONDS || seconds > DHCP_LEASE_MOST_SECONDS) {
        const range = `${DHCP_LEASE_LEAST_SECONDS} to ${DHCP_LEASE_MOST_SECONDS}`;
        throw new Refusal(`Cannot set DHCP lease ${text}: it is not ${range}`);
      }
      config.leaseSeconds = seconds;
    },
    unset: () => {
      config.leaseSeconds = DHCP_LEASE_SECONDS;
    },
    lines: () =>
      config.leaseSeconds === DHCP_LEASE_SECONDS ? [] : [`set dhcp lease ${config.leaseSeconds}`],
  };
}

function dnsSetting({ config }: DhcpServer): Setting {
  return {
    words: 'dhcp dns',
    arguments: 'ADDRESS:address...4',
    help: 'DNS servers that hosts are told of; the router itself by default | 192.168.0.10',
    set: args => {
      config.dns = args.map(text => addressFrom(`DHCP DNS server ${text}`, text));
    },
    unset: () => {
      config.dns = [];
    },
    lines: () => (config.dns.length === 0 ? [] : [`set dhcp dns ${config.dns.map(formatAddress).join(' ')}`]),
  };
}

function domainSetting({ config }: DhcpServer): Setting {
  return {
    words: 'dhcp domain',
    arguments: 'DOMAIN:domain=lan',
    help: "the domain of the LAN's hosts, or none | home.example",
    set: ([name = '']) => {
      const domain = name.toLowerCase();
      if (
        domain.length > 120 ||
        !/^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/.test(domain)
      ) {
        throw new Refusal(`Cannot set DHCP domain ${name}: it is no domain name`);
      }
      config.domain = domain === NONE ? '' : domain;
    },
    unset: () => {
      config.domain = DOMAIN_DEFAULT;
    },
    lines: () => (config.domain === DOMAIN_DEFAULT ? [] : [`set dhcp domain ${config.domain || NONE}`]),
  };
}

function bootSetting({ config }: DhcpServer): Setting {
  return {
    words: 'dhcp boot',
    arguments: 'FILE:text [SERVER:address]',
    help: 'what hosts that start by the network load, from the router if no server is given | pxelinux.0 192.168.0.3',
    set: ([text = '', from]) => {
      const file = text.replaceAll(QUESTION, '?');
      if (file.length > 255) throw new Refusal(`Cannot set DHCP boot ${text}: it is longer than 255 bytes`);
      const server = from === undefined ? 0 : addressFrom(`DHCP boot server ${from}`, from);
      config.boot = { file, server };
    },
    unset: () => {
      config.boot = undefined;
    },
    lines: () => {
      if (config.boot === undefined) return [];
      const { file, server } = config.boot;
      const from = server === 0 ? '' : ` ${formatAddress(server)}`;
      return [`set dhcp boot ${file.replaceAll('?', QUESTION)}${from}`];
    },
  };
}

function optionSetting({ config }: DhcpServer): Setting {
  return {
    words: 'dhcp option',
    arguments: 'CODE:integer(1..254) VALUE:text...63',
    help: 'an option that hosts are told of if they ask, or always with that word at its end | 42 192.168.0.1',
    set: ([text = '', ...given]) => {
      const code = optionCode(text);
      const always = given.length > 1 && given.at(-1) === ALWAYS;
      const words = always ? given.slice(0, -1) : given;
      const type = optionType(code) ?? 'UInt8s';
      const value = parseOption(type, words);
      if (typeof value === 'string') throw new Refusal(`Cannot set DHCP option ${text}: ${value}`);
      // One at a time: a call for each of those before would take 1 ms of the boot.
      let others = config.options;
      for (let i = 0; i < others.length; i++)
        if (others[i]?.code === code) others = others.filter(other => other.code !== code);
      if (others.length === DHCP_OPTIONS) {
        throw new Refusal(`Cannot set DHCP option ${text}: all ${DHCP_OPTIONS} places are taken`);
      }
      others.push({ code, value, words: words.join(' '), always });
      config.options = others;
    },
    unsetArguments: 'CODE:integer(1..254)',
    unsetHelp: 'tells hosts of the option no longer | 42',
    unset: ([text = '']) => {
      const code = optionCode(text);
      if (!config.options.some(other => other.code === code)) {
        throw new Refusal(`Cannot unset DHCP option ${text}: it is not set`);
      }
      config.options = config.options.filter(other => other.code !== code);
    },
    lines: () =>
      config.options.map(({ code, words, always }) =>
        `set dhcp option ${code} ${words.replaceAll('?', QUESTION)} ${always ? ALWAYS : ''}`.trimEnd(),
      ),
  };
}

/** The number of an option that is not the protocol's own. */
function optionCode(text: string): number {
  const number = Number(text);
  // A pattern costs as much as all the rest; what is not written as it is told is looked at by one.
  const code = String(number) === text || /^\d{1,3}$/.test(text) ? number : 0;
  if (!Number.isInteger(code) || code < 1 || code > 254)
    throw new Refusal(`Cannot set DHCP option ${text}: it is not 1 to 254`);
  if (
    (code >= OPTION_REQUESTED_ADDRESS && code <= OPTION_REBINDING_TIME) ||
    code === OPTION_CLIENT_IDENTIFIER ||
    code === OPTION_CLIENT_FQDN ||
    code === OPTION_RELAY_AGENT_INFORMATION
  ) {
    throw new Refusal(`Cannot set DHCP option ${text}: the protocol itself uses it`);
  }
  return code;
}

function reserveSetting({ output, registry }: Context, { config }: DhcpServer): Setting {
  /**
   * Clients, addresses and names of reservations, and perhaps of some that were. What is new needs no look at each of
   * the others, which would take a tenth of a second of the boot when there are 64.
   */
  const seen = new Set<string | number>();
  const isNew = (value: string | number): boolean => {
    if (seen.has(value)) return false;
    seen.add(value);
    return true;
  };
  return {
    words: 'dhcp reserve',
    isDependent: true,
    arguments: 'HOST:client ADDRESS:address [NAME:name]',
    help: 'gives a host always the same address, and a name | 00:11:22:33:44:55 192.168.0.20 printer',
    set: ([text = '', at = '', named = '']) => {
      const address = lanHost(at);
      if (typeof address === 'string') throw new Refusal(`Cannot set ${reservationOf(at, text)}: ${address}`);
      const client = clientFrom(text);
      if (typeof client === 'string') throw new Refusal(`Cannot set ${reservationOf(at, text)}: ${client}`);
      const name = named.toLowerCase();
      if (name !== '' && !isHostName(name))
        throw new Refusal(`Cannot set ${reservationOf(at, text)}: ${named} is no host name`);
      const isNewClient = isNew(client.client);
      const isNewAddress = isNew(address);
      const isNewName = name === '' || isNew(name);
      if (isNewClient && isNewAddress && isNewName && config.reservations.length < DHCP_RESERVATIONS) {
        const { bytes, isId } = client;
        config.reservations.push({ client: client.client, bytes, isId, address, name });
        return;
      }
      const others = config.reservations.filter(other => other.client !== client.client);
      const namesake = others.find(other => name !== '' && other.name === name && other.address !== address);
      if (namesake !== undefined)
        throw new Refusal(`Cannot set ${reservationOf(at, text)}: ${name} is ${namesake.client}`);
      if (others.length === DHCP_RESERVATIONS) {
        throw new Refusal(
          `Cannot set ${reservationOf(at, text)}: all ${DHCP_RESERVATIONS} reservations are in use`,
        );
      }
      const fellow = others.find(other => other.address === address);
      if (fellow !== undefined && !registry.isRestoring)
        output.line(`${at} is reserved for ${fellow.client} too: who asks gets it while the other is silent`);
      config.reservations = [...others, { ...client, address, name }];
    },
    unsetArguments: 'HOST:client',
    unsetHelp: 'gives the host whatever address is free | 00:11:22:33:44:55',
    unset: ([text = '']) => {
      const found = clientFrom(text);
      if (typeof found === 'string') throw new Refusal(`Cannot set DHCP reservation for ${text}: ${found}`);
      const { client } = found;
      if (!config.reservations.some(other => other.client === client)) {
        throw new Refusal(`Cannot unset DHCP reservation for ${text}: there is none`);
      }
      config.reservations = config.reservations.filter(other => other.client !== client);
      if (config.reservations.length === 0) seen.clear();
    },
    lines: () =>
      config.reservations.map(({ client, address, name }) =>
        `set dhcp reserve ${client} ${formatAddress(address)} ${name}`.trimEnd(),
      ),
  };
}

/** Pairs written out: a group that is repeated takes the engine twice as long, and there may be 64 of a start. */
const STATION =
  /^[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f]$/;
const IDENTIFIER = /^([0-9a-f]{2})+$/;

/** How a refusal calls a reservation. */
function reservationOf(at: string, text: string): string {
  return `DHCP reservation of ${at} for ${text}`;
}

/** Reads a station address, or `id:` and the bytes of a client identifier; answers why it is neither. */
function clientFrom(text: string): Pick<Reservation, 'client' | 'bytes' | 'isId'> | string {
  const client = text.toLowerCase();
  if (STATION.test(client)) return { client, bytes: stationBytes(client), isId: false };
  const digits = client.startsWith('id:') ? client.slice(3).replaceAll(':', '') : '';
  if (!IDENTIFIER.test(digits)) return 'a host is 00:11:22:33:44:55, or id: and an identifier in hexadecimal';
  if (digits.length < 4 || digits.length > 2 * KEY_BYTES) return `an identifier has 2 to ${KEY_BYTES} bytes`;
  return { client: `id:${digits}`, bytes: hexBytes(digits), isId: true };
}

/** The bytes of a station address, which are one number of 48 bits to the engine. */
function stationBytes(station: string): Uint8Array {
  const bytes = new Uint8Array(6);
  const number = Number(`0x${station.replaceAll(':', '')}`);
  const low = number | 0;
  const high = (number / 0x100000000) | 0;
  bytes[0] = high >> 8;
  bytes[1] = high;
  bytes[2] = low >> 24;
  bytes[3] = low >> 16;
  bytes[4] = low >> 8;
  bytes[5] = low;
  return bytes;
}

/** Reads an address of the LAN that is not the router's own; answers why it is none. */
function lanHost(text: string): number | string {
  const address = parseAddress(text);
  if (typeof address === 'string') return address;
  const at = interfaceAt(INTERFACE_LAN);
  const router = i32at(at + IF_ADDRESS);
  const mask = i32at(at + IF_MASK);
  if (router === 0) return address;
  if (((address ^ router) & mask) !== 0) return `${text} is not in the LAN's network`;
  const why =
    address === router ? "it is the router's own address" : refuseHost({ address, length: lengthOf(mask) });
  return why ?? address;
}

function addressFrom(what: string, text: string): number {
  const address = parseAddress(text);
  if (typeof address === 'string') throw new Refusal(`Cannot set ${what}: ${address}`);
  return address;
}
