// `set dns ...` and `unset dns ...`. Refusals say "Cannot ACTION VALUE: CAUSE".
// Not here: what the settings do (forwarder.ts, local.ts, upstream.ts).

import { INTERFACE_COUNT } from '../../base/limits.ts';
import { formatAddress, parseAddress, refuseUnicast } from '../core/address.ts';
import { prefixOf } from '../core/addresses.ts';
import { Refusal } from '../core/console/command.ts';
import { DNS_ALLOWED, DNS_FORWARDS, DNS_HOSTS } from '../core/limits.ts';
import type { Setting } from '../core/setting.ts';
import type { Dns } from './dns.ts';
import { DOMAIN_DEFAULT, ROUTER_NAME } from './local.ts';
import { labelsOf } from './message.ts';
import { keyOf, type Names } from './names.ts';

/** A name as people write it, and as names.ts has it. */
function nameFrom(action: string, text: string): { name: string; key: string } {
  const labels = labelsOf(text);
  if (typeof labels === 'string') throw new Refusal(`Cannot ${action} ${text}: ${labels}`);
  return { name: labels.join('.'), key: keyOf(labels) };
}

function addressFrom(action: string, text: string): number {
  const address = parseAddress(text);
  const why = typeof address === 'string' ? address : refuseUnicast(address);
  if (typeof address === 'string' || why !== undefined) throw new Refusal(`Cannot ${action} ${text}: ${why}`);
  return address;
}

/** Puts an entry into a table of so many places, or refuses. */
function put<T>(action: string, names: Names<T>, text: string, key: string, entry: T, places: number): void {
  if (names.size >= places && names.get(key) === undefined)
    throw new Refusal(`Cannot ${action} ${text}: all ${places} entries are in use`);
  names.set(key, entry);
}

/** Takes the entry of a name out of a table, or refuses. */
function without<T>(action: string, names: Names<T>, text: string): void {
  if (!names.delete(nameFrom(action, text).key)) throw new Refusal(`Cannot ${action} ${text}: it is not set`);
}

export function dnsSettings(dns: Dns): Setting[] {
  return [
    serverSetting(dns),
    domainSetting(dns),
    hostSetting(dns),
    forwardSetting(dns),
    ...guardSettings(dns),
  ];
}

function serversFrom(action: string, words: readonly string[]): number[] {
  const addresses = words.map(word => addressFrom(action, word));
  for (const address of addresses) {
    for (let index = 0; index < INTERFACE_COUNT; index++) {
      if (prefixOf(index)?.address === address)
        throw new Refusal(`Cannot ${action} ${formatAddress(address)}: it is an address of the router`);
    }
  }
  return addresses;
}

function serverSetting(dns: Dns): Setting {
  return {
    words: 'dns server',
    isDependent: true,
    arguments: 'ADDRESS:address...4',
    help: 'servers to ask in place of those that the WAN tells, the first first | 9.9.9.9 1.1.1.1',
    set: words => {
      const addresses = serversFrom('set DNS server', words);
      dns.servers = [...new Set(addresses)];
      dns.refresh();
    },
    unset: () => {
      dns.servers = [];
      dns.refresh();
    },
    unsetHelp: 'asks the servers that the WAN tells',
    lines: () =>
      dns.servers.length === 0 ? [] : [`set dns server ${dns.servers.map(formatAddress).join(' ')}`],
  };
}

function domainSetting(dns: Dns): Setting {
  const { local } = dns;
  const set = (text: string): void => {
    const { name, key } = nameFrom('set DNS domain', text);
    local.setDomain(name, key);
  };
  return {
    words: 'dns domain',
    arguments: 'DOMAIN:domain=home.arpa',
    help: "what follows the names of the LAN's hosts | home.example",
    set: ([text = '']) => set(text),
    unset: () => set(DOMAIN_DEFAULT),
    lines: () => (local.domain === DOMAIN_DEFAULT ? [] : [`set dns domain ${local.domain}`]),
  };
}

function hostSetting(dns: Dns): Setting {
  const { local } = dns;
  return {
    words: 'dns host',
    arguments: 'NAME:domain ADDRESS:address',
    help: 'a name that is answered here | printer 192.168.0.20',
    set: ([text = '', address = '']) => {
      const { name, key } = nameFrom('set DNS host', text);
      const host = { name, address: addressFrom('set DNS host', address) };
      if (name === ROUTER_NAME)
        throw new Refusal(`Cannot set DNS host ${text}: it is the name of the router`);
      put('set DNS host', local.hosts, text, key, host, DNS_HOSTS);
    },
    unset: ([text = '']) => without('unset DNS host', local.hosts, text),
    unsetArguments: 'NAME:domain',
    unsetHelp: 'forgets the name | printer',
    lines: () =>
      local.hosts.values().map(({ name, address }) => `set dns host ${name} ${formatAddress(address)}`),
  };
}

function forwardSetting(dns: Dns): Setting {
  const { policy } = dns;
  return {
    words: 'dns forward',
    arguments: 'DOMAIN:domain ADDRESS:address...4',
    help: 'servers to ask for names of this domain, which may have private addresses | corp.example 10.1.0.53',
    set: ([text = '', ...words]) => {
      const { name, key } = nameFrom('set DNS forward', text);
      const upstream = dns.upstreamOf([...new Set(serversFrom('set DNS forward', words))]);
      put('set DNS forward', policy.forwards, text, key, { name, upstream }, DNS_FORWARDS);
      dns.forwarder()?.cache.clear();
    },
    unset: ([text = '']) => {
      without('unset DNS forward', policy.forwards, text);
      dns.forwarder()?.cache.clear();
    },
    unsetArguments: 'DOMAIN:domain',
    unsetHelp: 'asks for names of this domain as for any other | corp.example',
    lines: () =>
      policy.forwards
        .values()
        .map(
          ({ name, upstream }) =>
            `set dns forward ${name} ${upstream.servers.map(({ address }) => formatAddress(address)).join(' ')}`,
        ),
  };
}

function guardSettings(dns: Dns): Setting[] {
  const { policy } = dns;
  /** The cache may hold what is refused, or taken, from now on. */
  const forget = (): void => dns.forwarder()?.cache.clear();
  return [
    {
      words: 'dns rebind',
      arguments: 'on|off=on',
      help: 'refuses private addresses as answers to public names',
      set: ([text = '']) => {
        if (text !== 'on' && text !== 'off')
          throw new Refusal(`Cannot set DNS rebind ${text}: it is one of on, off`);
        policy.guard = text === 'on';
        forget();
      },
      unset: () => {
        policy.guard = true;
        forget();
      },
      lines: () => (policy.guard ? [] : ['set dns rebind off']),
    },
    {
      words: 'dns allow',
      arguments: 'DOMAIN:domain',
      help: 'names of this domain may have private addresses | corp.example',
      set: ([text = '']) => {
        const { name, key } = nameFrom('set DNS allow', text);
        put('set DNS allow', policy.allowed, text, key, name, DNS_ALLOWED);
        forget(); // that it was refused
      },
      unset: ([text = '']) => {
        without('unset DNS allow', policy.allowed, text);
        forget();
      },
      unsetArguments: 'DOMAIN:domain',
      unsetHelp: 'names of this domain are as any other | corp.example',
      lines: () => policy.allowed.values().map(name => `set dns allow ${name}`),
    },
  ];
}
