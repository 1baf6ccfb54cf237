// The tests of Debian's iptables source package, the .t files of its extensions, fetched when they are wanted and kept under build/:
// nothing of them is in the repository. A line of one is
//
//    rule;what is saved, = for the same;OK or FAIL[;...]      and before it :CHAINS to try, *TABLE
//
// Not here: what we answer to them (source.test.ts).

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../../build/iptables-source/', import.meta.url));
const PACKAGE = 'iptables';
const APT_MILLISECONDS = 240_000;

/** A line of a .t file, for one of its chains. */
export interface Case {
  file: string;
  table: string;
  chain: string;
  rule: string;
  /** What a saved line has in it; '' if that does not matter. */
  expected: string;
  isRefused: boolean;
}

function extensions(): string | undefined {
  const found = existsSync(FOLDER)
    ? readdirSync(FOLDER).find(name => existsSync(join(FOLDER, name, 'extensions')))
    : undefined;
  return found && join(FOLDER, found, 'extensions');
}

/** Fetches the source where it is not there; answers why not, or undefined. */
export function fetchSource(): string | undefined {
  if (extensions() !== undefined) return undefined;
  for (const name of ['lists/partial', 'cache/archives/partial'])
    mkdirSync(join(FOLDER, name), { recursive: true });
  const keys = '/usr/share/keyrings/debian-archive-keyring.gpg';
  writeFileSync(
    join(FOLDER, 'sources.list'),
    `deb-src [signed-by=${keys}] http://deb.debian.org/debian bookworm main\n`,
  );
  const settings = [
    `Dir::Etc::SourceList "${join(FOLDER, 'sources.list')}";`,
    'Dir::Etc::SourceParts "/nonexistent";',
    `Dir::State::Lists "${join(FOLDER, 'lists')}";`,
    `Dir::Cache "${join(FOLDER, 'cache')}";`,
    'APT::Sandbox::User "root";',
    'Acquire::Retries "1";',
  ];
  writeFileSync(join(FOLDER, 'apt.conf'), settings.join('\n'));
  const options = {
    cwd: FOLDER,
    env: { ...process.env, APT_CONFIG: join(FOLDER, 'apt.conf') },
    timeout: APT_MILLISECONDS,
    stdio: 'pipe' as const,
  };
  try {
    execFileSync('apt-get', ['update'], options);
    execFileSync('apt-get', ['source', '--download-only', PACKAGE], options);
    const description = readdirSync(FOLDER).find(name => name.endsWith('.dsc')) ?? '';
    execFileSync('dpkg-source', ['--no-check', '-x', description], options);
  } catch (error) {
    return `Cannot fetch the source of ${PACKAGE}: ${(error as Error).message.split('\n')[0]}`;
  }
  return undefined;
}

/** The cases of a file: each line for each of its chains. */
export function casesOf(file: string): Case[] {
  const cases: Case[] = [];
  let chains: string[] = [];
  let table = 'filter';
  for (const line of readFileSync(join(extensions() ?? '', `${file}.t`), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#') || line.startsWith('@') || line.startsWith('%')) continue;
    if (line.startsWith(':')) chains = line.slice(1).trim().split(',');
    else if (line.startsWith('*')) table = line.slice(1).trim();
    else {
      const [rule = '', expected = '', result = '', variant = ''] = line.split(';');
      // A result for one variant alone is the other's for the other.
      const isOk = result.trim() === 'OK' ? variant !== 'NFT' : variant === 'NFT';
      for (const chain of chains)
        cases.push({
          ...{ file, table, chain, rule },
          expected: expected === '=' ? rule : expected,
          isRefused: !isOk,
        });
    }
  }
  return cases;
}
