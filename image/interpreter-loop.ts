// QuickJS's interpreter in wasm2c's C, made fit for gcc: the function that runs for every operation of JavaScript.
// Not here: the translation (wasm2c.ts), how the rest is compiled (kernel.ts), what operations gain in C
// (interpreter-operations.ts).
//
// - It is compiled for speed, where all else is for size, because RAM and image hold twice the code only of what
//   is always running. Without partial redundancy elimination: in a function with 240 ways through it, that
//   saves additions and pays with values kept on the stack.
// - wasm2c's switch tests the operation's byte for being in the table. It always is: the bytes come from the
//   engine's own compiler. (A table of labels instead of the switch makes gcc keep more on the stack: a third more.)
// - The engine polls for an interrupt at each call and each jump back. On the board nothing interrupts it that
//   way: the floor's import answers 0 (board/i486/control.c), and a hang is the timer's to find.

import { type Names, OPERATIONS, type Operation } from './interpreter-operations.ts';

/** What the loop is compiled with. */
const SPEED = '__attribute__((optimize("O2", "no-tree-pre")))';
/** The operation that pushes the four bytes behind it: its C shows the names of what all operations work with. */
const PUSH_I32 = 1;

/** The engine's source with its loop, the largest function, compiled for speed. */
export function loopForSpeed(source: string): string {
  const starts = [...source.matchAll(/^static [^;\n]*\bw2c_f\d+\([^;]*?\) \{$/gm)];
  let loop = { at: 0, end: 0 };
  for (const [i, { index }] of starts.entries()) {
    const end = starts[i + 1]?.index ?? source.length;
    if (end - index > loop.end - loop.at) loop = { at: index, end };
  }
  const text = withShortWays(withoutPolls(source.slice(loop.at, loop.end), source));
  return `${source.slice(0, loop.at)}${SPEED} ${text}${source.slice(loop.end)}`;
}

/** The loop with short ways through some operations, and with its dispatch, a switch on the operation less one, as one on the operation. */
function withShortWays(loop: string): string {
  const dispatch =
    /(w2c_l\d+) = w2c_i0;\s+w2c_i1 = 1u;\s+w2c_i0 -= w2c_i1;\s+(switch \(w2c_i0\) \{([^}]*)\})/.exec(loop);
  const [, operation, whole, cases] = dispatch ?? [];
  const rows = [...(cases ?? '').matchAll(/case (\d+): goto (\w+);/g)];
  if (operation === undefined || whole === undefined || rows.length < 200) {
    throw new Error('Cannot find the interpreter in the engine: no function with a switch of 200 operations');
  }
  const labels = new Map(rows.map(([, number, label]) => [Number(number) + 1, label as string]));
  const jumps = [...labels].map(([code, label]) => `case ${code}: goto ${label};`);
  const jump = `switch (${operation}) {\n${jumps.join('\n')}\ndefault: __builtin_unreachable();\n}`;
  const names = namesIn(behind(labels.get(PUSH_I32), loop));
  return OPERATIONS.reduce(
    (text, one) => withShortWay(text, one, labels.get(one.code), names),
    loop.replace(whole, () => jump),
  );
}

/** The C behind a label, up to the next label; '' if there is no such one. */
function behind(label: string | undefined, loop: string): string {
  return new RegExp(`\\b${label}:;((?:(?!\\bw2c_[BL]\\d+:)[\\s\\S])*)`).exec(loop)?.[1] ?? '';
}

function namesIn(push: string): Names {
  const found =
    /^\s+w2c_i0 = (w2c_\w+);[\s\S]*i64_store\([\s\S]*\b(w2c_l\d+) = w2c_i0;\s+goto (w2c_L\d+);/.exec(push);
  const [, stack, nextStack, loop] = found ?? [];
  if (stack === undefined || nextStack === undefined || loop === undefined) {
    throw new Error('Cannot find the stack of the interpreter in the engine: push_i32 is not what it was');
  }
  return { stack, nextStack, loop };
}

function withShortWay(loop: string, operation: Operation, label: string | undefined, names: Names): string {
  if (!operation.mark.test(behind(label, loop))) {
    throw new Error(`Cannot shorten ${operation.name} in the engine: operation ${operation.code} is another`);
  }
  return loop.replace(`${label}:;`, found => `${found}${operation.short(names)}`);
}

/** The loop without its calls of the function that counts down to the next poll, 10,000 steps away. */
function withoutPolls(loop: string, source: string): string {
  const counting = /^static u32 (w2c_f\d+)\([^,;]*, u32 w2c_p0\) \{(?:(?!^\})[\s\S])*?w2c_i1 = 10000u;/gm;
  const calls = [...source.matchAll(counting)]
    .map(([, name]) => `${name}(instance, w2c_i0)`)
    .filter(call => loop.includes(call));
  const [call] = calls;
  if (call === undefined || calls.length > 1) {
    throw new Error(
      `Cannot find the poll for interrupts in the engine: ${calls.length} functions look like it`,
    );
  }
  return loop.replaceAll(call, '0u');
}
