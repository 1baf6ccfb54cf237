// The masquerade table's commands: `show masq` and those of forwards. What they do is in overlays
// (show/masquerade.ts, forward/portfw.ts).

import type { Command } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';

export function masqueradeCommands(context: Context): Command[] {
  const show = () => context.machine.overlay('show');
  return [
    {
      words: 'show masq',
      arguments: '[FILTER:session(tcp|udp|icmp)...3]',
      help: 'sessions in the masquerade table, all or those that a filter fits | tcp',
      run: words => show().showMasq(context, words),
    },
    {
      words: 'show flows',
      arguments: '[FILTER:session(tcp|udp|icmp)...3]',
      help: 'all that passes, with packets and bytes of each side | tcp',
      run: words => show().showFlows(context, words),
    },
    {
      words: 'show forwards',
      help: 'ports that are forwarded, and how often they were asked for',
      run: () => context.machine.overlay('forward').showForwards(context),
    },
    {
      words: 'ipmasqadm portfw',
      arguments: 'OPTION:text...12',
      help: 'forwards ports as ipmasqadm does: -a, -d, -f, -l | -l -n',
      run: args => context.machine.overlay('forward').runIpmasqadm(context, args),
    },
    {
      words: 'ipportfw',
      arguments: 'OPTION:text...6',
      help: 'forwards ports as ipportfw does: -A, -D, -C, -L | -L',
      run: args => context.machine.overlay('forward').runIpportfw(context, args),
    },
  ];
}
