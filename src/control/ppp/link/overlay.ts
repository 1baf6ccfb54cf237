// The overlay `ppp/link`: links on serial ports at work. It is loaded when the first one has a port, and what it made stays until none has one.

import type { Context } from '../../core/context.ts';
import { Links } from '../links.ts';

declare module '../../core/overlays.ts' {
  interface Overlays {
    'ppp/link': typeof import('./overlay.ts');
  }
}

/** @param tell the name servers or addresses of a link are others */
export function createLinks(context: Context, tell: () => void, restarted: boolean): Links {
  return new Links(context, tell, restarted);
}
