// Registers tests that share one town and one router: built once before them, removed after them, also when they
// fail. A test that fails says what the router's console showed and where the captures of both segments are.

import type { ExecutionContext, TestFn } from 'ava';
import { buildTown, type Router, type Town } from './town.ts';

export type Check = (t: ExecutionContext, town: Town, router: Router) => Promise<void>;

/** TAPs and namespaces need root; without it these tests are skipped, and AVA counts them so. */
export const isRoot = process.getuid?.() === 0;

/** For a failure only: a machine with other work may be ten times slower than an idle one. */
export const TEST_MILLISECONDS = 1_800_000;

export function wholeTests(test: TestFn, makeRouter: () => Router): (title: string, check: Check) => void {
  let town: Town | undefined;
  let router: Router | undefined;
  if (isRoot) {
    test.serial.before(async t => {
      t.timeout(TEST_MILLISECONDS);
      town = await buildTown();
      router = makeRouter();
      try {
        await router.start(town);
      } catch (error) {
        t.log(router.report());
        t.log(`Captures: ${town.keepCaptures(`${router.name} start`).join(' ')}`);
        throw error;
      }
    });
    test.after.always(async () => {
      await router?.stop();
      await town?.remove();
    });
  }
  return (title, check) => {
    const register = isRoot ? test.serial : test.serial.skip;
    register(title, async t => {
      t.timeout(TEST_MILLISECONDS);
      try {
        await check(t, town!, router!);
      } catch (error) {
        t.log(router!.report());
        t.log(`Captures: ${town!.keepCaptures(`${router!.name} ${title}`).join(' ')}`);
        throw error;
      }
    });
  };
}
