// The debug commands: `debug selftest`, `debug differential`, and `debug frame`, `debug more` and `debug replay` for
// captured frames; `show crash` and `debug crash`. Not here: what they do, which are overlays (debug/overlay.ts, crash/overlay.ts).

import type { Command } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import type { Replay } from './overlay.ts';

export function debugCommands(context: Context): Command[] {
  const debug = () => context.machine.overlay('debug');
  const crash = () => context.machine.overlay('crash');
  let made: Replay | undefined;
  const replay = (): Replay => {
    made ??= new (debug().Replay)(context);
    return made;
  };
  return [
    { words: 'show crash', help: 'what went wrong since power-on', run: () => crash().showCrash(context) },
    {
      words: 'debug crash control',
      arguments: 'throw|oom|hang|stack',
      help: 'lets control die, which starts anew while packets go on',
      run: ([how = '']) => crash().crashControl(context, how),
    },
    {
      words: 'debug crash plane',
      help: 'lets the plane fault, which resets the board',
      run: () => crash().crashPlane(context),
    },
    {
      words: 'debug crash hang-all',
      help: 'stops everything, interrupts off: only a watchdog ends it',
      run: () => crash().crashAll(context),
    },
    {
      words: 'debug selftest',
      help: 'checks the JavaScript engine',
      run: () => debug().debugSelftest(context),
    },
    {
      words: 'debug differential',
      arguments: 'SEED:integer(0..2147483647) COUNT:integer(0..1000000)',
      help: 'compares both engines with made-up traffic; ends with a reset',
      run: ([seed = '', count = '']) => debug().debugDifferential(context, seed, count),
    },
    {
      words: 'debug frame',
      arguments: 'CARD:integer(0..1) TICKS:integer(0..1000000) SAMPLE:integer(0..65535) HEX:hex',
      help: 'takes a captured frame for debug replay',
      run: ([card = '', ticks = '', sample = '', digits = '']) => {
        replay().add(card, ticks, sample, digits);
        return undefined;
      },
    },
    {
      words: 'debug more',
      arguments: 'HEX:hex',
      help: 'adds bytes to the last captured frame',
      run: ([digits = '']) => {
        replay().more(digits);
        return undefined;
      },
    },
    {
      words: 'debug replay',
      arguments: 'WAN-ADDRESS:address',
      help: 'compares both engines with the captured frames; ends with a reset',
      run: ([address = '']) => replay().run(address),
    },
  ];
}
