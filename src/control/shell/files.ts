// The files that a script finds: all of them are made up, but those that it has written to /tmp itself.
// Not here: what they say (programs/).

export interface Files {
  /** Undefined: there is none. */
  kind(path: string): 'file' | 'directory' | undefined;
  /** Throws a Refusal where it cannot be read. */
  read(path: string): string;
  /** Why it cannot be written; undefined if it can. */
  whyNotWritten(path: string): string | undefined;
  /** Throws a Refusal. */
  write(path: string, text: string, isAppended: boolean): void;
  /** Names in a directory, sorted; none where there is no such directory. */
  list(path: string): string[];
  remove(path: string): void;
}

/** A path from the root, without `.` and `..`. */
export function resolved(directory: string, path: string): string {
  const all = path.startsWith('/') ? path : `${directory}/${path}`;
  const parts: string[] = [];
  for (const part of all.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** Folders of programs, which are taken off. */
const FOLDERS = ['/sbin/', '/usr/sbin/', '/bin/', '/usr/bin/', '/usr/local/sbin/', '/usr/local/bin/'];

/** A program's name without its folder. */
export function programName(word: string): string {
  if (!word.startsWith('/')) return word;
  for (const folder of FOLDERS)
    if (word.startsWith(folder) && !word.includes('/', folder.length)) return word.slice(folder.length);
  return word;
}
