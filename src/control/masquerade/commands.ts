// The masquerade table's commands: `show masq` and those of forwards. What they do is in overlays
// (show/masquerade.ts, forward/old/overlay.ts).

import type { Command } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';

/** @param files those of /proc, with who makes their text. */
export function masqueradeCommands(context: Context, files: Map<string, () => string>): Command[] {
  const show = () => context.machine.overlay('show');
  const old = () => context.machine.overlay('forward/old');
  for (const name of ['autofw', 'mfw'])
    files.set(`/proc/net/ip_masq/${name}`, () => old().procFile(context, name));
  files.set('/proc/net/ip_autofw', () => old().procFile(context, 'autofw'));
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
      words: 'ipmasqadm',
      arguments: 'MODULE:text [OPTION:text...14]',
      help: 'forwards ports as ipmasqadm does, by its modules portfw, autofw, mfw | portfw -l -n',
      run: args => old().ipmasqadm(context, args),
    },
    {
      words: 'ipportfw',
      arguments: 'OPTION:text...6',
      help: 'forwards ports as ipportfw does: -A, -D, -C, -L | -L',
      run: args => old().ipportfw(context, args),
    },
    {
      words: 'ipautofw',
      arguments: 'OPTION:text...14',
      help: 'forwards ports as ipautofw does: -A, -D, -F | -A -r udp 6970 7170 -c tcp 7070',
      run: args => old().autofw(context, args),
    },
    {
      words: 'redir',
      arguments: 'OPTION:text...14',
      help: 'forwards a port of TCP as redir does | --syslog --lport=80 --caddr=192.168.0.2 --cport=80',
      run: args => old().redir(context, args),
    },
  ];
}
