// `set dns ...`, `unset dns ...`, `show dns`, `dns flush`. Refusals say "Cannot ACTION VALUE: CAUSE".
// Not here: what the settings do (forwarder.ts, local.ts, upstream.ts), the listing, which is an overlay (../show/dns.ts).

import { INTERFACE_COUNT } from '../../plane/limits.ts';
import { formatAddress, parseAddress, refuseUnicast } from '../address.ts';
import { type Command, Refusal } from '../console/command.ts';
import type { Context } from '../context.ts';
import { DNS_ALLOWED, DNS_FORWARDS, DNS_HOSTS } from '../limits.ts';
import type { Setting } from '../registry.ts';
import { prefixOf } from '../settings.ts';
import type { Dns } from './dns.ts';
import { DOMAIN_DEFAULT, ROUTER_NAME } from './local.ts';
import { nameBytes } from './message.ts';

function nameFrom(action: string, text: string): { name: string; wire: Uint8Array } {
  const wire = nameBytes(text);
  if (typeof wire === 'string') throw new Refusal(`Cannot ${action} ${text}: ${wire}`);
  return { name: (text.endsWith('.') ? text.slice(0, -1) : text).toLowerCase(), wire };
}

function addressFrom(action: string, text: string): number {
  const address = parseAddress(text);
  const why = typeof address === 'string' ? address : refuseUnicast(address);
  if (typeof address === 'string' || why !== undefined) throw new Refusal(`Cannot ${action} ${text}: ${why}`);
  return address;
}

/** A list without the entry of a name. A call for each of 32 entries at each of 32 settings delays the boot. */
function others<T extends { name: string }>(list: readonly T[], name: string): T[] {
  for (let i = 0; i < list.length; i++)
    if ((list[i] as T).name === name) return [...list.slice(0, i), ...list.slice(i + 1)];
  return list.slice();
}

/** Takes the entry of a name out of a list, or refuses. */
function without<T extends { name: string }>(action: string, list: readonly T[], text: string): T[] {
  const { name } = nameFrom(action, text);
  const rest = others(list, name);
  if (rest.length === list.length) throw new Refusal(`Cannot ${action} ${text}: it is not set`);
  return rest;
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
    help: 'servers to ask in place of those that the WAN tells, the first first',
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
    const { name, wire } = nameFrom('set DNS domain', text);
    local.setDomain(name, wire);
  };
  return {
    words: 'dns domain',
    arguments: 'DOMAIN:domain=home.arpa',
    help: "what follows the names of the LAN's hosts",
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
    help: 'a name that is answered here',
    set: ([text = '', address = '']) => {
      const host = { ...nameFrom('set DNS host', text), address: addressFrom('set DNS host', address) };
      if (host.name === ROUTER_NAME)
        throw new Refusal(`Cannot set DNS host ${text}: it is the name of the router`);
      const rest = others(local.hosts, host.name);
      if (rest.length >= DNS_HOSTS)
        throw new Refusal(`Cannot set DNS host ${text}: all ${DNS_HOSTS} entries are in use`);
      rest.push(host);
      local.hosts = rest;
    },
    unset: ([text = '']) => {
      local.hosts = without('unset DNS host', local.hosts, text);
    },
    unsetArguments: 'NAME:domain',
    unsetHelp: 'forgets the name',
    lines: () => local.hosts.map(({ name, address }) => `set dns host ${name} ${formatAddress(address)}`),
  };
}

function forwardSetting(dns: Dns): Setting {
  const { policy } = dns;
  return {
    words: 'dns forward',
    arguments: 'DOMAIN:domain ADDRESS:address...4',
    help: 'servers to ask for names of this domain, which may have private addresses',
    set: ([text = '', ...words]) => {
      const domain = nameFrom('set DNS forward', text);
      const addresses = serversFrom('set DNS forward', words);
      const rest = others(policy.forwards, domain.name);
      if (rest.length >= DNS_FORWARDS)
        throw new Refusal(`Cannot set DNS forward ${text}: all ${DNS_FORWARDS} entries are in use`);
      rest.push({ ...domain, upstream: dns.upstreamOf([...new Set(addresses)]) });
      // The longest goes first; a sort keeps the order of the others.
      policy.forwards = rest.sort((a, b) => b.wire.length - a.wire.length);
      dns.forwarder()?.cache.clear();
    },
    unset: ([text = '']) => {
      policy.forwards = without('unset DNS forward', policy.forwards, text);
      dns.forwarder()?.cache.clear();
    },
    unsetArguments: 'DOMAIN:domain',
    unsetHelp: 'asks for names of this domain as for any other',
    lines: () =>
      policy.forwards.map(
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
      help: 'names of this domain may have private addresses',
      set: ([text = '']) => {
        const domain = nameFrom('set DNS allow', text);
        const rest = others(policy.allowed, domain.name);
        if (rest.length >= DNS_ALLOWED)
          throw new Refusal(`Cannot set DNS allow ${text}: all ${DNS_ALLOWED} entries are in use`);
        rest.push(domain);
        policy.allowed = rest;
        forget(); // that it was refused
      },
      unset: ([text = '']) => {
        policy.allowed = without('unset DNS allow', policy.allowed, text);
        forget();
      },
      unsetArguments: 'DOMAIN:domain',
      unsetHelp: 'names of this domain are as any other',
      lines: () => policy.allowed.map(({ name }) => `set dns allow ${name}`),
    },
  ];
}

export function dnsCommands(context: Context, dns: Dns): Command[] {
  return [
    {
      words: 'show dns',
      help: 'DNS servers, cache and counters',
      run: () => context.machine.overlay('show').showDns(context, dns),
    },
    {
      words: 'dns flush',
      help: 'forgets all answers in the cache',
      run: () => {
        dns.forwarder()?.cache.clear();
        return undefined;
      },
    },
  ];
}
