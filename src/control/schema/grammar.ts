// The form of a command's arguments, taken apart: "BYTES:integer(68..1500,bytes)=1500" and its like, which
// command.ts describes. Read when somebody asks for help, completion or a mark; running a line does not need it.

import { type Command, wordsOf } from '../core/console/command.ts';

export interface Parameter {
  /** What people see, as in ADDRESS/LENGTH. */
  label: string;
  /** A name in types.ts. */
  type: string;
  /** What it may be, where that is a list. */
  values: string[];
  /** Its range, where it is a number. */
  least: number;
  most: number;
  unit: string;
  /** What is in force if nothing is set, or ''. */
  standard: string;
  optional: boolean;
  /** How often it may be given. */
  times: number;
}

const FORM = /^(\[?)([^:=\]]+?)(?::([a-z]+)(?:\((.*?)\))?)?(\.\.\.\d*)?(?:=(.*?))?\]?$/;
const REPEAT_MOST = 99;

export function parametersOf({ arguments: form = '' }: Command): Parameter[] {
  return wordsOf(form).map(parameterFrom);
}

function parameterFrom(word: string): Parameter {
  const [, open, label = word, type, inner = '', repeat, standard = ''] = FORM.exec(word) ?? [];
  const literal = type === undefined && /^[a-z0-9|-]+$/.test(label);
  const range = /^(\d+)\.\.(\d+)(?:,(.*))?$/.exec(inner);
  const [, least = '0', most = '0', unit = ''] = range ?? [];
  const values = literal ? label : range === null ? inner : '';
  return {
    label,
    type: type ?? (literal ? 'choice' : ''),
    values: values === '' ? [] : values.split('|'),
    least: Number(least),
    most: Number(most),
    unit,
    standard,
    optional: open === '[',
    times: repeat === undefined ? 1 : Number(repeat.slice(3)) || REPEAT_MOST,
  };
}

/** The parameter that an argument stands for, by its place. */
export function parameterAt(parameters: readonly Parameter[], place: number): Parameter | undefined {
  let left = place;
  for (const parameter of parameters) {
    if (left < parameter.times) return parameter;
    left -= parameter.times;
  }
  return undefined;
}
