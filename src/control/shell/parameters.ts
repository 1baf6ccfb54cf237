// A script's parameters (POSIX, Shell Command Language, section 2.5): variables, `$1`, and those that the shell keeps itself.
// Not here: `$@` and `$*`, which may be several words (machine.ts).

import type { Scope } from './state.ts';
import { Fault } from './streams.ts';
import { isName } from './word-compiler.ts';

/** What `$$` is: who asks wants a name that nothing else has. */
const PROCESS = '100';

/** A parameter's value; undefined if it is not set. */
export function parameterOf(scope: Scope, name: string): string | undefined {
  const { state } = scope;
  const value = state.variables.get(name);
  if (value !== undefined) return value;
  const code = name.charCodeAt(0);
  if (code >= 48 && code <= 57) return name === '0' ? state.name : state.parameters[Number(name) - 1];
  if (name === '#') return String(state.parameters.length);
  if (name === '?') return String(state.status);
  if (name === '$' || name === '!') return PROCESS;
  if (name === '-') return state.options;
  if (name === '*' || name === '@') {
    const separator = state.get('IFS');
    return state.parameters.join(separator === undefined ? ' ' : (separator[0] ?? ''));
  }
  if (name === 'LINENO') return String(scope.line);
  if (name === 'PPID') return '1';
  return undefined;
}

/** `${name=word}`: only variables can be set. */
export function setParameter(scope: Scope, name: string, value: string): void {
  if (!isName(name)) throw new Fault(`${name}: it cannot be set so`);
  scope.assign(name, value);
}
