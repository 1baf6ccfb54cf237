// The version of a configuration's language: the first line of a saved or exported one, and the steps that bring the
// lines of an older version to the next. A text without the line was typed by hand, in the language of today.
//
//    # masqbox configuration 1
//
// Not here: what lines mean (src/control/core/registry.ts), where they are kept (config-store.ts).

/** Counts up when a line that was right means something else, or nothing; then MIGRATIONS gets its step. */
export const CONFIG_VERSION = 1;

/** What becomes of a line of one version in the next: itself, others, or none. */
export type Migration = (line: string) => string[];

/** The step from version 1 stands first. */
const MIGRATIONS: readonly Migration[] = [];

const MARK = /^# masqbox configuration (\d{1,6})$/;

export function versionLine(): string {
  return `# masqbox configuration ${CONFIG_VERSION}`;
}

/** The version of a text, by its first line. */
export function versionOf(firstLine: string): number {
  const found = MARK.exec(firstLine.trim());
  return found === null ? CONFIG_VERSION : Number(found[1]);
}

/** The steps that bring the lines of such a text to today's language. */
export function migrationOf(firstLine: string): readonly Migration[] {
  return firstLine.startsWith('#')
    ? MIGRATIONS.slice(Math.max(0, versionOf(firstLine) - 1), CONFIG_VERSION - 1)
    : [];
}

export interface Migrated {
  lines: string[];
  /** The text's own version. */
  version: number;
}

/** The lines of a text as they are written today. A newer version's are left as they are: most will be understood. */
export function migrate(
  text: string,
  steps: readonly Migration[] = MIGRATIONS,
  today: number = CONFIG_VERSION,
): Migrated {
  let lines: string[] = [];
  const all = text.split('\n');
  const found = MARK.exec((all[0] ?? '').trim());
  const version = found === null ? today : Number(found[1]);
  for (const given of all) {
    const line = given.trim();
    if (line !== '' && !line.startsWith('#')) lines.push(line);
  }
  for (const step of steps.slice(Math.max(0, version - 1), today - 1)) lines = lines.flatMap(step);
  return { lines, version };
}
