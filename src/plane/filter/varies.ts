// What a rule asks or does may be another with the next packet of the same flow: then no path is kept of it (paths.ts), and the flow is asked packet
// by packet.

import { puti32 } from '../../base/memory.ts';
import { VIEW_PATH } from '../../base/rule-state.ts';
import { NO_PATH } from './paths.ts';

/** The flow of the packet in the view is asked packet by packet. */
export function varies(): void {
  puti32(VIEW_PATH, NO_PATH);
}
