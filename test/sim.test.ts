// The scenarios of the whole board on the sim board: the same firmware under Node, its cards on TAPs.

import test from 'ava';
import { simRouter } from './harness/sim-router.ts';
import { wholeTests } from './harness/whole.ts';
import { scenarios } from './scenarios.ts';

const whole = wholeTests(test, simRouter);
for (const { title, run } of scenarios) whole(`sim: ${title}`, run);
