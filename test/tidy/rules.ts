// What the tidy test asks of the files, each rule a function from files to complaints: "path:line: what".
// Not here: how source is read (source.ts), which files are excused (tidy.test.ts).

import { join } from 'node:path';
import { codeOf, functionsOf, importsOf, parametersOf } from './source.ts';

/** Path from the repository's root, with slashes, and the text. */
export interface File {
  path: string;
  text: string;
}

export type Complaint = string;

const FUNCTION_LINES = 70;
const PARAMETERS = 6;
const FILE_LINES = 500;
const FLOOR_LINES = 1500;
const isSource = ({ path }: File): boolean => /\.(ts|c|h|S|sh)$/.test(path);
const isTypeScript = ({ path }: File): boolean => /\.ts$/.test(path) && !/\.(d|as)\.ts$/.test(path);
const isTest = ({ path }: File): boolean => path.endsWith('.test.ts');

function each(files: readonly File[], applies: (file: File) => boolean, judge: (file: File) => string[]) {
  return files.filter(applies).flatMap(file => judge(file).map(complaint => `${file.path}${complaint}`));
}

/** Complaints about each line that a pattern finds in a text. */
function lines(text: string, pattern: RegExp, what: string): string[] {
  return text.split('\n').flatMap((line, i) => (pattern.test(line) ? [`:${i + 1}: ${what}`] : []));
}

/** @param older the files that have a longer function from before this rule, and how long that may be. */
export function longFunctions(
  files: readonly File[],
  older: Readonly<Record<string, number>> = {},
): Complaint[] {
  return each(files, isTypeScript, ({ path, text }) => {
    const most = older[path] ?? FUNCTION_LINES;
    const found = functionsOf(text);
    return [
      ...found.flatMap(({ line, lines }) => (lines > most ? [`:${line}: a function of ${lines} lines`] : [])),
      ...(path in older && found.every(({ lines }) => lines <= FUNCTION_LINES)
        ? [': no function is longer than others may be, and it need not be listed']
        : []),
    ];
  });
}

/** Functions with more parameters than a caller keeps apart. */
export function longParameters(files: readonly File[], hot: readonly string[] = []): Complaint[] {
  const applies = (file: File): boolean => isTypeScript(file) && !hot.includes(file.path);
  return each(files, applies, ({ text }) =>
    parametersOf(text).flatMap(({ line, count }) =>
      count > PARAMETERS ? [`:${line}: ${count} parameters`] : [],
    ),
  );
}

export function longFiles(files: readonly File[], excused: readonly string[] = []): Complaint[] {
  const counted = (file: File): boolean => isSource(file) && !excused.includes(file.path);
  return each(files, counted, ({ text }) => {
    const count = text.split('\n').length - 1;
    return count > FILE_LINES ? [`: ${count} lines`] : [];
  });
}

/** Every file opens with a comment; a test beside its concept may leave it to that. */
export function headers(files: readonly File[]): Complaint[] {
  const concepts = new Set(files.map(({ path }) => path));
  const applies = (file: File): boolean =>
    isSource(file) && !(isTest(file) && !file.path.startsWith('test/')) && concepts.has(file.path);
  return each(files, applies, ({ text }) =>
    /^(#!.*\n)?\s*(\/\/|\/\*|#(?!include|define|if))/.test(text) ? [] : [': no header comment'],
  );
}

/** All files that the entries import, directly or not. */
export function closure(files: readonly File[], entries: readonly string[]): File[] {
  const byPath = new Map(files.map(file => [file.path, file]));
  const reached = new Set<string>();
  const walk = (path: string): void => {
    const file = byPath.get(path);
    if (file === undefined || reached.has(path)) return;
    reached.add(path);
    for (const name of importsOf(file.text)) if (name.startsWith('.')) walk(join(path, '..', name));
  };
  entries.forEach(walk);
  return files.filter(({ path }) => reached.has(path));
}

const NOT_PORTABLE: readonly [RegExp, string][] = [
  [/\bnew\b/, 'new'],
  [/\bclass\b/, 'class'],
  [/=>/, 'a closure'],
  [/\b(try|catch|throw)\b/, 'an exception'],
  [/^(export )?(let|var)\b/, 'a module variable'],
  [/>>>\s*0\b/, '>>> 0'],
  [/\bMath\./, 'Math'],
  [/(^|[^=!<>])==($|[^=])/, '== instead of ==='],
  [/!=($|[^=])/, '!= instead of !=='],
];

/** The portable subset (ARCHITECTURE.md): what AssemblyScript and JavaScript would not read alike. */
export function portable(files: readonly File[], entries: readonly string[]): Complaint[] {
  const paths = new Set(files.map(({ path }) => path));
  // A file with two bodies is JavaScript alone.
  const hasTwoBodies = ({ path }: File): boolean => paths.has(path.replace(/\.ts$/, '.as.ts'));
  const applies = (file: File): boolean => isTypeScript(file) && !hasTwoBodies(file);
  return each(closure(files, entries), applies, ({ text }) => {
    const code = codeOf(text);
    const literals = code
      .split('\n')
      .flatMap((line, i) => (/['"`]/.test(line) && !/\bfrom\s*'/.test(line) ? [`:${i + 1}: a string`] : []));
    return [
      ...literals,
      ...NOT_PORTABLE.flatMap(([pattern, what]) => lines(code, pattern, `${what} in portable code`)),
    ];
  });
}

/** What src/wire/ has a name for: offsets behind a header, types of frames, numbers of protocols, masks. */
const WIRE_LITERALS: readonly RegExp[] = [
  /\b(get|put)(8|16|32)\((\w+, |\w+ \+ )?(ip|l4|tcp|udp|icmp|quoted|frame|datagram|segment|PACKET_IP|PACKET_FRAME)( \+ |, )\d+\b/,
  /\b(frame|datagram|segment)\[\d*[1-9]\d*\]/,
  /\b0x0?(800|806)\b|\b0x8100\b/,
  /rotocol\)? [!=]== (1|6|17)\b/,
  /\b0x1fff\b|& 15\) << 2|>>>? 4\) << 2/,
];

/** Formats that are told a second time, outside src/wire/. Tests beside what they test speak in bytes. */
export function wireLiterals(files: readonly File[], excused: readonly string[] = []): Complaint[] {
  const applies = (file: File): boolean =>
    /^(src|hal|board|firmware|tools)\//.test(file.path) &&
    isTypeScript(file) &&
    !isTest(file) &&
    !file.path.startsWith('src/wire/') &&
    !excused.includes(file.path);
  return each(files, applies, ({ text }) => {
    const code = codeOf(text);
    return WIRE_LITERALS.flatMap(pattern => lines(code, pattern, 'a number that src/wire/ has a name for'));
  });
}

/** Files that no other file names, in an import or as a string. */
export function orphans(files: readonly File[], excused: readonly string[] = []): Complaint[] {
  const named = files
    .filter(({ path }) => /\.(ts|cjs|json|sh)$/.test(path) || path.startsWith('.ci/'))
    .map(file => ({
      path: file.path,
      code: file.path.endsWith('.ts') ? codeOf(file.text, true) : file.text,
    }));
  const applies = (file: File): boolean =>
    isTypeScript(file) && !isTest(file) && !excused.includes(file.path);
  return each(files, applies, ({ path }) => {
    const name = path.slice(path.lastIndexOf('/') + 1);
    const mention = new RegExp(`(^|[/'"\`\\s])${name.replaceAll('.', '\\.')}`, 'm');
    return named.some(other => other.path !== path && mention.test(other.code))
      ? []
      : [': nobody imports it'];
  });
}

export function floorSize(files: readonly File[]): Complaint[] {
  const floor = files.filter(({ path }) => path.startsWith('board/i486/'));
  const count = floor.reduce((sum, { text }) => sum + text.split('\n').length - 1, 0);
  return count > FLOOR_LINES ? [`board/i486: ${count} lines, ${FLOOR_LINES} are allowed`] : [];
}

export function importPaths(files: readonly File[]): Complaint[] {
  return each(files, isTypeScript, ({ text }) =>
    importsOf(text).flatMap(name =>
      name.startsWith('.') && !/\.(ts|json)$/.test(name) ? [`: imports ${name} without .ts`] : [],
    ),
  );
}

/** A file of the source, named in a sentence: its name, or the end of its path. */
const NAMED_FILE = /(?<![\w./*{-])[\w-]+(?:\/[\w.-]+)*\.(?:as\.|test\.)?(?:ts|cjs|c|h|S|ld)(?![\w*/-]|\.\w)/g;

/** Comments, and the manual, that name a file which is not there; `others` are made by the build, or somebody else's. */
export function namedFiles(files: readonly File[], others: readonly string[] = []): Complaint[] {
  const paths = [...files.map(({ path }) => `/${path}`), ...others.map(path => `/${path}`)];
  const isThere = (name: string): boolean => paths.some(path => path.endsWith(`/${name}`));
  const applies = ({ path }: File): boolean => /\.(ts|cjs|c|h|S|md)$/.test(path);
  return each(files, applies, ({ path, text }) => {
    const code = path.endsWith('.md') ? '' : codeOf(text, true);
    const comments = [...text].map((c, i) => (code[i] === c && c !== '\n' ? ' ' : c)).join('');
    return comments
      .split('\n')
      .flatMap((line, i) =>
        (line.match(NAMED_FILE) ?? [])
          .filter(name => !isThere(name))
          .map(name => `:${i + 1}: names ${name}, which is not there`),
      );
  });
}

/** Directories of somebody's machine. Built from parts, so that this file does not name them. */
const SOMEBODYS = new RegExp(
  ['work', 'home', 'root', 'Users'].map(name => `(^|[\\s'"\`(=:])/${name}/\\w`).join('|'),
);
const LEFT_OVER = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`);

export function leftOvers(files: readonly File[]): Complaint[] {
  const applies = ({ path }: File): boolean => path !== 'package-lock.json';
  return each(files, applies, ({ text }) => [
    ...lines(text, SOMEBODYS, 'a path of one machine'),
    ...lines(text, LEFT_OVER, 'something left to do'),
  ]);
}
