// The overlay `ppp/link`: links on serial ports at work. It is loaded when the first one has a port, and what it made stays until none has one.

import type { Context } from '../../core/context.ts';
import type { LinkWants } from '../options.ts';
import { PppLink } from '../ppp-link.ts';

declare module '../../core/overlays.ts' {
  interface Overlays {
    'ppp/link': typeof import('./overlay.ts');
  }
}

/** @param tell the name servers or addresses of a link are others */
export function createLink(context: Context, link: number, wants: LinkWants, tell: () => void): PppLink {
  return new PppLink(context, link, wants, tell);
}
