// The genuine iptables 1.8.9 (legacy), in a network namespace of its own: the same commands go to it and to us. Not here: which
// (legacy.test.ts).

import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Network, within } from '../../../tools/harness/namespace.ts';
import { protocolName } from './names.ts';

const SECONDS = 200;
/** Between what two commands say. */
const MARK = '===== next =====';

/** The commands' output, one after the other, standard error behind it; each begins with a word such as `iptables` or `iptables-save`. */
export async function genuine(commands: readonly string[]): Promise<string[][]> {
  const network = await Network.create();
  const script = join(tmpdir(), `${network.namespaceName('rules')}.sh`);
  try {
    const namespace = await network.addNamespace('rules');
    const lines = commands.map(
      command => `${command.replace(/^iptables/, 'iptables-legacy')} 2>&1\necho '${MARK}'`,
    );
    writeFileSync(script, lines.join('\n'));
    const text = await network.processes.output(['sh', script], {
      within: within(namespace),
      seconds: SECONDS,
    });
    return text
      .split(`${MARK}\n`)
      .slice(0, -1)
      .map(said => said.split('\n').slice(0, -1));
  } finally {
    rmSync(script, { force: true });
    await network.remove();
  }
}

/** A row of the genuine -L -n with the protocol's name in the place of its number, which is the one thing that differs. */
export function named(row: string): string {
  return row.replace(/([ !])(\d+) *( (?:--|-f|!f) )/, (_, not: string, number: string, rest: string) => {
    const name = number === '0' ? 'all' : protocolName(Number(number));
    return `${not}${name.padEnd(4)}${rest}`;
  });
}
