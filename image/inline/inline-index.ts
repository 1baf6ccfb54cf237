// Word addresses, for inline.ts: `words[x + 8 >> 2]` becomes `words[x$w + 2]` where x is set once and so used
// often, with `x$w = x >> 2` beside the place where x is set: two operations less an access.
// An address plus a multiple of four, shifted, is the shifted address plus a quarter of it: none comes near 2^31.

import {
  child,
  identifier,
  list,
  literal,
  type Node,
  nameOf,
  numberOf,
  optional,
  rebuild,
  sequence,
  walk,
} from './tree.ts';

/** Fewer accesses than this do not pay for the variable. */
const WORTH = 3;

/** Changes a function's body; `parameters` are set at its start. */
export function indexWords(body: Node, parameters: readonly string[]): void {
  const sets = new Map<string, number>();
  const uses = new Map<string, number>();
  const add = (counts: Map<string, number>, name: string) =>
    void counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const name of parameters) add(sets, name);
  walk(body, node => {
    const target = targetOf(node);
    if (target !== undefined) add(sets, target);
    const use = addressOf(node);
    if (use !== undefined) add(uses, use.name);
  });
  const chosen = new Set(
    [...uses.keys()].filter(name => sets.get(name) === 1 && (uses.get(name) ?? 0) >= WORTH),
  );
  if (chosen.size === 0) return;
  rebuild(body, node => changed(node, chosen));
  const first = parameters.filter(name => chosen.has(name));
  const others = [...chosen].filter(name => !first.includes(name) && !isDeclared(body, name));
  const declarations = [
    ...first.map(name => declarator(wordOf(name), shifted(name))),
    ...others.map(name => declarator(wordOf(name), null)),
  ];
  if (declarations.length > 0) {
    list(body, 'body').unshift({ type: 'VariableDeclaration', kind: 'var', declarations });
  }
}

/** The variable that a node sets; one declared without a value is not set. */
function targetOf(node: Node): string | undefined {
  let target: Node | undefined;
  if (node.type === 'AssignmentExpression') target = child(node, 'left');
  if (node.type === 'UpdateExpression') target = child(node, 'argument');
  if (node.type === 'VariableDeclarator' && optional(node, 'init') !== null) target = child(node, 'id');
  return target?.type === 'Identifier' ? nameOf(target) : undefined;
}

/** Variable and offset in words of an access to a table of words. */
function addressOf(node: Node): { name: string; words: number } | undefined {
  if (node.type !== 'MemberExpression' || node.computed !== true) return undefined;
  const shift = child(node, 'property');
  if (shift.type !== 'BinaryExpression' || shift.operator !== '>>' || numberOf(child(shift, 'right')) !== 2)
    return undefined;
  const address = child(shift, 'left');
  if (address.type === 'Identifier') return { name: nameOf(address), words: 0 };
  if (address.type !== 'BinaryExpression' || address.operator !== '+') return undefined;
  const base = child(address, 'left');
  const offset = numberOf(child(address, 'right'));
  if (base.type !== 'Identifier' || offset === undefined || offset % 4 !== 0) return undefined;
  return { name: nameOf(base), words: offset / 4 };
}

function changed(node: Node, chosen: ReadonlySet<string>): Node {
  const use = addressOf(node);
  if (use !== undefined && chosen.has(use.name)) {
    const word = identifier(wordOf(use.name));
    const sum = { type: 'BinaryExpression', operator: '+', left: word, right: literal(use.words) };
    node.property = use.words === 0 ? word : sum;
  }
  if (node.type === 'AssignmentExpression' && chosen.has(targetOf(node) ?? '')) {
    const name = targetOf(node) as string;
    return sequence([node, setWord(name), identifier(name)]);
  }
  if (node.type === 'VariableDeclaration') {
    node.declarations = list(node, 'declarations').flatMap(one => {
      const name = targetOf(one);
      return name !== undefined && chosen.has(name) ? [one, declarator(wordOf(name), shifted(name))] : [one];
    });
  }
  return node;
}

function isDeclared(body: Node, name: string): boolean {
  let found = false;
  walk(body, node => {
    if (node.type === 'VariableDeclarator' && targetOf(node) === name) found = true;
  });
  return found;
}

function wordOf(name: string): string {
  return `${name}$w`;
}

function shifted(name: string): Node {
  return { type: 'BinaryExpression', operator: '>>', left: identifier(name), right: literal(2) };
}

function setWord(name: string): Node {
  return {
    type: 'AssignmentExpression',
    operator: '=',
    left: identifier(wordOf(name)),
    right: shifted(name),
  };
}

function declarator(name: string, init: Node | null): Node {
  return { type: 'VariableDeclarator', id: identifier(name), init };
}
