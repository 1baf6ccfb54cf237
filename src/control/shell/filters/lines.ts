// What the filters have in common: lines of what comes in or of files, and options.

import { Refusal } from '../../core/console/command.ts';
import { Fault, type Io } from '../streams.ts';

/** After so many lines others get a turn. */
export const SLICE_LINES = 8;

/** The text of files, or what comes in where there are none; what is not there is told. */
export function textOf(io: Io, files: readonly string[]): { text: string; isMissed: boolean } {
  if (files.length === 0) return { text: io.read(), isMissed: false };
  let text = '';
  let isMissed = false;
  for (const file of files) {
    try {
      text += file === '-' ? io.read() : io.file(file);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      io.complain(error.message);
      isMissed = true;
    }
  }
  return { text, isMissed };
}

/** Lines without their ends; a last one without one is a line too. */
export function linesOf(text: string): string[] {
  if (text === '') return [];
  const lines = text.split('\n');
  if (lines[lines.length - 1] === '') lines.pop();
  return lines;
}

export interface Options {
  /** Letters, with what stands behind those that take something. */
  values: Map<string, string>;
  files: string[];
}

/** Options of single letters: `valued` take a value, the others of `plain` do not. */
export function optionsOf(args: readonly string[], plain: string, valued: string): Options {
  const values = new Map<string, string>();
  const files: string[] = [];
  let isOver = false;
  for (let i = 1; i < args.length; i++) {
    const word = args[i] as string;
    if (isOver || word === '-' || !word.startsWith('-')) {
      files.push(word);
      continue;
    }
    if (word === '--') {
      isOver = true;
      continue;
    }
    for (let at = 1; at < word.length; at++) {
      const letter = word[at] as string;
      if (plain.includes(letter)) values.set(letter, '');
      else if (valued.includes(letter)) {
        const rest = word.slice(at + 1);
        const value = rest === '' ? args[++i] : rest;
        if (value === undefined) throw new Fault(`${args[0]}: option requires an argument -- '${letter}'`);
        const before = values.get(letter);
        values.set(letter, before === undefined || letter !== 'e' ? value : `${before}\n${value}`);
        break;
      } else throw new Fault(`${args[0]}: invalid option -- '${letter}'`, 2);
    }
  }
  return { values, files };
}
