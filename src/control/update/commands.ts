// `update`, `update unsigned`, `update confirm`, `update back`, `show update`. What they do is an overlay (update/overlay.ts).

import type { Command } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';

export function updateCommands(context: Context): Command[] {
  const update = () => context.machine.overlay('update');
  return [
    {
      words: 'update',
      help: 'takes new firmware that is signed, by YMODEM or XMODEM, and starts it on trial',
      run: () => update().update(context, 'signed'),
    },
    {
      words: 'update unsigned',
      help: 'the same, whoever has made the firmware',
      run: () => update().update(context, 'unsigned'),
    },
    {
      words: 'update confirm',
      help: 'makes firmware on trial permanent',
      run: () => update().confirm(context),
    },
    {
      words: 'update back',
      help: "goes back to the other slot's firmware, and from there here again",
      run: () => update().back(context),
    },
    { words: 'show update', help: 'firmware in both slots', run: () => update().show(context) },
  ];
}
