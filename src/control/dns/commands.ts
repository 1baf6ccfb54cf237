// `resolve`, `show dns`, `dns flush`. Not here: the first two, which are an overlay (overlay.ts), the settings (settings.ts).

import type { Command } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import type { Dns } from './dns.ts';

export function dnsCommands(context: Context, dns: Dns): Command[] {
  return [
    {
      words: 'resolve',
      arguments: 'NAME:host [TYPE:choice(a|aaaa|caa|cname|https|mx|ns|ptr|soa|srv|svcb|txt|any)]',
      help: 'looks a name or an address up: shows the records, who answered and how fast | www.example.com aaaa',
      run: ([name = '', type]) => context.machine.overlay('dns').resolve(context, dns, name, type),
    },
    {
      words: 'show dns',
      help: 'DNS servers, cache and counters',
      run: () => context.machine.overlay('dns').showDns(context, dns),
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
