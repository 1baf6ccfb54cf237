// `ping`, `traceroute` and `capture`. Not here: what they do, which is an overlay (tools/overlay.ts).

import type { Command } from '../console/command.ts';
import type { Context } from '../context.ts';

export function toolCommands(context: Context): Command[] {
  const tools = () => context.machine.overlay('tools');
  return [
    {
      words: 'ping',
      arguments: 'HOST:host [OPTION:text(count|size)...4]',
      help: 'asks a host for answers: five, unless count N says otherwise; size N',
      run: args => tools().ping(context, args),
    },
    {
      words: 'traceroute',
      arguments: 'HOST:host',
      help: 'shows the routers on the way to a host',
      run: ([host = '']) => tools().traceroute(context, host),
    },
    {
      words: 'capture',
      arguments:
        'INTERFACE:text(lan|wan|all) [FILTER:text(pcap|count|host|net|port|tcp|udp|icmp|arp|not)...40]',
      help: 'shows packets as they come and go: [pcap] [count N] [tcp port 80 not host 192.168.0.2]',
      run: args => tools().capture(context, args),
    },
  ];
}
