// What the nodes of the plane's functions mean, for inline.ts: which names they read and set, what they call, how
// a function uses its parameters. Not here: the tree itself (tree.ts).

import {
  child,
  children,
  copyOf,
  fold,
  identifier,
  list,
  literal,
  type Node,
  nameOf,
  numberOf,
  rebuild,
  walk,
} from './tree.ts';

/** Neither reads what may change nor changes anything; reads only; may do anything. */
export const PURE = 0;
export const READS = 1;
export const WRITES = 2;

export interface Use {
  count: number;
  isConditional: boolean;
  isSet: boolean;
}

/** The statements of the one function that esbuild makes of a bundle. */
export function topLevel(program: Node): Node[] {
  const last = list(program, 'body').at(-1);
  const call = last?.type === 'ExpressionStatement' ? child(last, 'expression') : undefined;
  const made = call?.type === 'CallExpression' ? child(call, 'callee') : undefined;
  if (made?.type !== 'ArrowFunctionExpression')
    throw new Error('Cannot inline: the bundle is no single function');
  return list(child(made, 'body'), 'body');
}

export function functionName(statement: Node): string | undefined {
  return statement.type === 'FunctionDeclaration' ? nameOf(child(statement, 'id')) : undefined;
}

export function calledName(node: Node): string | undefined {
  if (node.type !== 'CallExpression') return undefined;
  const callee = child(node, 'callee');
  return callee.type === 'Identifier' ? nameOf(callee) : undefined;
}

/** A call like view.getInt32(p), which reads and does no more. */
export function isGetter(node: Node): boolean {
  if (node.type !== 'CallExpression') return false;
  const callee = child(node, 'callee');
  return callee.type === 'MemberExpression' && /^get[IU]/.test(String(child(callee, 'property').name));
}

/** The variable that a node sets. */
export function assignedName(node: Node): string | undefined {
  if (node.type !== 'AssignmentExpression' && node.type !== 'UpdateExpression') return undefined;
  const target = child(node, node.type === 'UpdateExpression' ? 'argument' : 'left');
  return target.type === 'Identifier' ? nameOf(target) : undefined;
}

export function namesIn(node: Node): Set<string> {
  const names = new Set<string>();
  walk(node, one => {
    if (one.type === 'Identifier') names.add(nameOf(one));
  });
  return names;
}

export function namesSetIn(node: Node): Set<string> {
  const names = new Set<string>();
  walk(node, one => {
    const name = assignedName(one);
    if (name !== undefined) names.add(name);
  });
  return names;
}

/** Whether an argument may be written more than once: it costs little more than a variable. */
export function isCheap(arg: Node): boolean {
  if (arg.type === 'Identifier' || numberOf(arg) !== undefined) return true;
  if (arg.type !== 'BinaryExpression' || (arg.operator !== '+' && arg.operator !== '-')) return false;
  return child(arg, 'left').type === 'Identifier' && numberOf(child(arg, 'right')) !== undefined;
}

/** An expression whose temporaries that are set once, to a number, are that number. */
export function withoutConstants(node: Node, temporaries: readonly string[]): Node {
  const sets = new Map<string, Node[]>();
  walk(node, one => {
    const name = assignedName(one);
    if (name !== undefined) sets.set(name, [...(sets.get(name) ?? []), one]);
  });
  const numbers = new Map<string, Node>();
  for (const [name, [one, ...more]] of sets) {
    if (one?.type !== 'AssignmentExpression' || one.operator !== '=' || more.length > 0) continue;
    const value = numberOf(child(one, 'right'));
    if (value !== undefined && temporaries.includes(name)) numbers.set(name, literal(value));
  }
  if (numbers.size === 0) return node;
  const isSet = (one: Node): boolean => numbers.has(assignedName(one) ?? '');
  const changed = copyOf(
    rebuild(node, one => (isSet(one) ? child(one, 'right') : one)),
    numbers,
  );
  return withoutConstants(rebuild(changed, fold), temporaries);
}

/** How the parameters are used in a body. */
export function usesOf(value: Node, parameters: readonly string[]): Map<string, Use> {
  const uses = new Map<string, Use>();
  for (const name of parameters) uses.set(name, { count: 0, isConditional: false, isSet: false });
  const visit = (node: Node, isConditional: boolean): void => {
    if (node.type === 'Identifier') {
      const use = uses.get(nameOf(node));
      if (use === undefined) return;
      use.count++;
      use.isConditional ||= isConditional;
    }
    const set = uses.get(assignedName(node) ?? '');
    if (set !== undefined) set.isSet = true;
    const isChoice = node.type === 'ConditionalExpression' || node.type === 'LogicalExpression';
    for (const [i, one] of children(node).entries()) visit(one, isConditional || (isChoice && i > 0));
  };
  visit(value, false);
  return uses;
}

/** Declares variables at a body's start. They hold nothing before they are set. */
export function declare(body: Node, names: readonly string[]): void {
  if (names.length === 0) return;
  const declarations = names.map(name => ({
    type: 'VariableDeclarator',
    id: identifier(name),
    init: null,
  }));
  list(body, 'body').unshift({ type: 'VariableDeclaration', kind: 'var', isTemporary: true, declarations });
}
