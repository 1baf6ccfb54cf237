// The overlay `ppp/answer`: links that wait for who calls. It is loaded when the first one does, and what it made stays as long as one waits.

import { Answerer } from '../answer.ts';
import type { AnswerHost, AnswerWants } from '../answer-wants.ts';

declare module '../../core/overlays.ts' {
  interface Overlays {
    'ppp/answer': typeof import('./overlay.ts');
  }
}

export function createAnswerer(host: AnswerHost, wants: AnswerWants): Answerer {
  return new Answerer(host, wants);
}
