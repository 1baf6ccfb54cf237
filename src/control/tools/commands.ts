// `ping`, `traceroute` and `capture`. Not here: what they do, which is an overlay (tools/overlay.ts).

import type { Command } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import type { Names } from './target.ts';

export function toolCommands(context: Context, names: Names): Command[] {
  const tools = () => context.machine.overlay('tools');
  return [
    {
      words: 'ping',
      arguments: 'HOST:host [OPTION:words(count/N|size/N)...4]',
      help: 'asks a host for answers: five, unless count N says otherwise; size N | 192.168.0.10 count 3',
      run: args => tools().ping(context, names, args),
    },
    {
      words: 'traceroute',
      arguments: 'HOST:host',
      help: 'shows the routers on the way to a host | 192.168.0.10',
      run: ([host = '']) => tools().traceroute(context, names, host),
    },
    {
      words: 'capture',
      arguments:
        'INTERFACE:choice(lan|wan|all) [FILTER:words(pcap|count/N|not|and|src|dst|host/ADDRESS|net/NETWORK|' +
        'port/N|proto/N|arp|ip|icmp|tcp|udp|in|out)...40]',
      help: 'shows packets as they come and go: [pcap] [count N] [tcp port 80 not host 192.168.0.2] | wan tcp port 80 not host 192.168.0.10',
      run: args => tools().capture(context, args),
    },
  ];
}
