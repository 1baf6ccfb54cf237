// The overlay `ppp/pppoe`: links that are sessions of PPPoE at work. It is loaded when the first one has a card, and what it made stays until none
// has one; a board without a modem has nothing of what dials (../link/).

import type { Context } from '../../core/context.ts';
import type { LinkWants } from '../options.ts';
import { PppoeLink } from './pppoe-link.ts';

declare module '../../core/overlays.ts' {
  interface Overlays {
    'ppp/pppoe': typeof import('./overlay.ts');
  }
}

/** @param tell the name servers or addresses of a link are others */
export function createPppoe(context: Context, link: number, wants: LinkWants, tell: () => void): PppoeLink {
  return new PppoeLink(context, link, wants, tell);
}
