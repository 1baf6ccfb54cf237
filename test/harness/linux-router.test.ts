// The scenarios against Linux's own NAT: a scenario that fails here is wrong, whatever the board does.

import test from 'ava';
import { scenarios } from '../scenarios.ts';
import { linuxRouter } from './linux-router.ts';
import { wholeTests } from './whole.ts';

const whole = wholeTests(test, linuxRouter);
for (const { title, run, ours } of scenarios) {
  if (ours !== true) whole(`linux: ${title}`, run);
}
