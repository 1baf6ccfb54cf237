// The overlay `shell/filters`: the tools through which scripts send text. Each takes its words and what comes in (../streams.ts).

import type { Tool } from '../host.ts';
import { awk } from './awk.ts';
import { expr } from './expr.ts';
import { grep } from './grep.ts';
import { sed } from './sed.ts';
import { texts } from './text.ts';

declare module '../../core/overlays.ts' {
  interface Overlays {
    'shell/filters': typeof import('./overlay.ts');
  }
}

export const filters: Record<string, Tool> = {
  ...texts,
  ...{ grep, egrep: grep, fgrep: grep, sed, awk, gawk: awk, mawk: awk, expr },
};
