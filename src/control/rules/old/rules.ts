// What the overlays of ipchains and ipfwadm are given.

import type { Context } from '../../core/context.ts';
import type { Section } from '../../core/section.ts';
import type { Aliases } from '../links.ts';

/** What these tools have of the masquerade: control.ts says who does it. */
export interface Masquerade {
  /** -M -S, -M -s: seconds, 0 for what is to stay. Answers what is to be said of it. */
  setTimeouts(tcp: number, tcpFin: number, udp: number): string[];
}

export interface OldRules {
  readonly context: Context;
  readonly aliases: Aliases;
  /** The section of both dialects' lines. */
  readonly section: Section;
  readonly masquerade: Masquerade;
}
