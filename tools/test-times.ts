// `npx tsx tools/test-times.ts`, and the end of `npm test`: how long the tests took by folders, and the slowest files, as
// test/times.ts has noted it. Seconds of files that ran at the same time are added up.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NOTES = fileURLToPath(new URL('../build/test-times', import.meta.url));
const SLOWEST = 12;

interface Time {
  file: string;
  seconds: number;
}

/** A part of control is a group; of all else the folders two deep are. */
export function groupOf(file: string): string {
  const folders = dirname(file).split('/');
  return folders.slice(0, folders[1] === 'control' ? 3 : 2).join('/');
}

/** The table's lines. */
export function timesTable(times: readonly Time[]): string[] {
  const groups = new Map<string, { files: number; seconds: number }>();
  for (const { file, seconds } of times) {
    const group = groups.get(groupOf(file)) ?? { files: 0, seconds: 0 };
    groups.set(groupOf(file), { files: group.files + 1, seconds: group.seconds + seconds });
  }
  const row = (seconds: number, text: string): string => `${seconds.toFixed(0).padStart(6)} s  ${text}`;
  const longestFirst = (a: { seconds: number }, b: { seconds: number }): number => b.seconds - a.seconds;
  const total = times.reduce((sum, { seconds }) => sum + seconds, 0);
  return [
    row(total, `all ${times.length} files`),
    ...[...groups]
      .sort(([, a], [, b]) => longestFirst(a, b))
      .map(([name, { files, seconds }]) =>
        row(seconds, `${name}, ${files} ${files === 1 ? 'file' : 'files'}`),
      ),
    'The slowest files:',
    ...[...times]
      .sort(longestFirst)
      .slice(0, SLOWEST)
      .map(({ file, seconds }) => row(seconds, file)),
  ];
}

function noted(): Time[] {
  if (!existsSync(NOTES)) return [];
  return readdirSync(NOTES, { recursive: true, encoding: 'utf8' })
    .filter(file => statSync(join(NOTES, file)).isFile())
    .map(file => ({ file, seconds: Number(readFileSync(join(NOTES, file), 'utf8')) / 1000 }));
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  for (const line of timesTable(noted())) console.log(line);
