// The syntax tree of the plane's functions in the bundle, for inline.ts: what is supported, walking, copying,
// folding of constants, and printing. Trees are ESTree's, as acorn gives them.
// Only what the portable subset uses is known here (ARCHITECTURE.md); a function with anything else is refused.

import type { Node as AcornNode } from 'acorn';

/** Any node. Its fields depend on its type: ESTree says which. */
export interface Node {
  type: string;
  [field: string]: unknown;
}

const SUPPORTED: ReadonlySet<string> = new Set([
  ...[
    'Identifier',
    'Literal',
    'UnaryExpression',
    'BinaryExpression',
    'LogicalExpression',
    'UpdateExpression',
  ],
  ...['ConditionalExpression', 'AssignmentExpression', 'CallExpression', 'MemberExpression'],
  ...['SequenceExpression', 'BlockStatement', 'ExpressionStatement', 'ReturnStatement', 'IfStatement'],
  ...['ForStatement', 'WhileStatement', 'BreakStatement', 'ContinueStatement', 'EmptyStatement'],
  ...['VariableDeclaration', 'VariableDeclarator'],
]);

export function fromAcorn(node: AcornNode): Node {
  return node as unknown as Node;
}

export function child(node: Node, field: string): Node {
  return node[field] as Node;
}

/** A child that may be missing: the other branch, a loop's test. */
export function optional(node: Node, field: string): Node | null {
  return (node[field] ?? null) as Node | null;
}

export function list(node: Node, field: string): Node[] {
  return node[field] as Node[];
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof (value as Node).type === 'string';
}

/** The children in source order, which is the order of evaluation in all that is supported. */
export function children(node: Node): Node[] {
  const found: Node[] = [];
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) found.push(...value.filter(isNode));
    else if (isNode(value)) found.push(value);
  }
  return found;
}

/** Whether a field is the `b` of `a.b`, which names no variable. */
export function isPropertyName(node: Node, field: string): boolean {
  return node.type === 'MemberExpression' && node.computed === false && field === 'property';
}

/** Calls `visit` for the node and all below it. */
export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const one of children(node)) walk(one, visit);
}

export function size(node: Node): number {
  let count = 0;
  walk(node, () => void count++);
  return count;
}

/** Replaces, from the leaves up, each node below and at `node` by what `change` answers. */
export function rebuild(node: Node, change: (node: Node) => Node): Node {
  for (const [field, value] of Object.entries(node)) {
    if (isPropertyName(node, field)) continue;
    if (Array.isArray(value)) node[field] = value.map(one => (isNode(one) ? rebuild(one, change) : one));
    else if (isNode(value)) node[field] = rebuild(value, change);
  }
  return change(node);
}

/** A copy whose identifiers are replaced by copies of what `names` has for them. */
export function copyOf(node: Node, names: ReadonlyMap<string, Node> = new Map()): Node {
  if (node.type === 'Identifier') {
    const other = names.get(nameOf(node));
    if (other !== undefined) return copyOf(other);
  }
  const copy: Node = { type: node.type };
  for (const [field, value] of Object.entries(node)) {
    if (Array.isArray(value)) copy[field] = value.map(one => (isNode(one) ? copyOf(one, names) : one));
    else if (isNode(value)) copy[field] = copyOf(value, isPropertyName(node, field) ? undefined : names);
    else copy[field] = value;
  }
  return copy;
}

/** Whether all of a function's body is of the known kinds, each variable being set where it is declared. */
export function isSupported(body: Node, parameters: readonly Node[]): boolean {
  let good = parameters.every(({ type }) => type === 'Identifier');
  walk(body, node => {
    if (!SUPPORTED.has(node.type)) good = false;
    if (node.type === 'Identifier' && nameOf(node) === 'arguments') good = false;
    if (node.type === 'CallExpression' && node.optional === true) good = false;
    if (node.type === 'VariableDeclaration' && node.kind === 'var') good = false;
    if (node.type === 'VariableDeclarator') {
      if (optional(node, 'init') === null || child(node, 'id').type !== 'Identifier') good = false;
    }
    if ((node.type === 'BreakStatement' || node.type === 'ContinueStatement') && node.label !== null)
      good = false;
  });
  return good;
}

// --- making nodes -----------------------------------------------------------------------------------------

export function nameOf(identifier: Node): string {
  return identifier.name as string;
}

export function identifier(name: string): Node {
  return { type: 'Identifier', name };
}

export function literal(value: number): Node {
  if (value < 0 || Object.is(value, -0)) {
    return {
      type: 'UnaryExpression',
      operator: '-',
      prefix: true,
      argument: { type: 'Literal', value: -value },
    };
  }
  return { type: 'Literal', value };
}

export function assign(name: string, right: Node): Node {
  return { type: 'AssignmentExpression', operator: '=', left: identifier(name), right };
}

/** Expressions one after the other; the value is the last one's. */
export function sequence(expressions: readonly Node[]): Node {
  const flat = expressions.flatMap(one =>
    one.type === 'SequenceExpression' ? list(one, 'expressions') : [one],
  );
  return flat.length === 1 ? (flat[0] as Node) : { type: 'SequenceExpression', expressions: flat };
}

export function isUndefined(node: Node): boolean {
  return node.type === 'UnaryExpression' && node.operator === 'void';
}

export function undefinedValue(): Node {
  return { type: 'UnaryExpression', operator: 'void', prefix: true, argument: literal(0) };
}

// --- constants ----------------------------------------------------------------------------------------------

/** The node's number, or undefined. `names` are constants. */
export function numberOf(node: Node, names: ReadonlyMap<string, number> = new Map()): number | undefined {
  if (node.type === 'Literal') return typeof node.value === 'number' ? node.value : undefined;
  if (node.type === 'Identifier') return names.get(nameOf(node));
  if (node.type === 'UnaryExpression') {
    const value = numberOf(child(node, 'argument'), names);
    if (value === undefined) return undefined;
    if (node.operator === '-') return -value;
    return node.operator === '~' ? ~value : undefined;
  }
  if (node.type !== 'BinaryExpression') return undefined;
  const left = numberOf(child(node, 'left'), names);
  const right = left === undefined ? undefined : numberOf(child(node, 'right'), names);
  return left === undefined || right === undefined
    ? undefined
    : compute(node.operator as string, left, right);
}

function compute(operator: string, a: number, b: number): number | undefined {
  switch (operator) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    case '%':
      return a % b;
    case '&':
      return a & b;
    case '|':
      return a | b;
    case '^':
      return a ^ b;
    case '<<':
      return a << b;
    case '>>':
      return a >> b;
    case '>>>':
      return a >>> b;
    default:
      return undefined;
  }
}

function compare(operator: string, a: number, b: number): boolean | undefined {
  switch (operator) {
    case '===':
      return a === b;
    case '!==':
      return a !== b;
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
    default:
      return undefined;
  }
}

/**
 * Folds one node whose children are folded. Numbers of the plane are i32, and sums of a few of them are exact in
 * a double: so (x + 14) + 3 is x + 17, whatever wraps later.
 */
export function fold(node: Node): Node {
  if (node.type === 'ConditionalExpression') {
    const test = truth(child(node, 'test'));
    if (test !== undefined) return child(node, test ? 'consequent' : 'alternate');
  }
  if (node.type !== 'BinaryExpression' && node.type !== 'UnaryExpression') return node;
  const value = numberOf(node);
  if (value !== undefined && Number.isFinite(value)) return literal(value);
  if (node.type !== 'BinaryExpression' || (node.operator !== '+' && node.operator !== '-')) return node;
  return foldSum(node);
}

function foldSum(node: Node): Node {
  let term = child(node, 'left');
  let constant = numberOf(child(node, 'right'));
  if (constant === undefined && node.operator === '+') {
    constant = numberOf(term);
    term = child(node, 'right');
  } else if (constant !== undefined && node.operator === '-') {
    constant = -constant;
  }
  if (constant === undefined) return node;
  if (term.type === 'BinaryExpression' && (term.operator === '+' || term.operator === '-')) {
    const inner = numberOf(child(term, 'right'));
    if (inner !== undefined) {
      constant += term.operator === '+' ? inner : -inner;
      term = child(term, 'left');
    }
  }
  if (constant === 0) return term;
  const operator = constant < 0 ? '-' : '+';
  return { type: 'BinaryExpression', operator, left: term, right: literal(Math.abs(constant)) };
}

/** Whether a test of constants holds; undefined if it is none. */
function truth(test: Node): boolean | undefined {
  if (test.type !== 'BinaryExpression') return undefined;
  const a = numberOf(child(test, 'left'));
  const b = numberOf(child(test, 'right'));
  return a === undefined || b === undefined ? undefined : compare(test.operator as string, a, b);
}

// --- printing -------------------------------------------------------------------------------------------------

/** A statement as source text; esbuild takes the needless parentheses away. */
export function printStatement(node: Node): string {
  const part = (field: string): string => {
    const one = optional(node, field);
    if (one === null) return '';
    return one.type === 'VariableDeclaration' ? printVariables(one) : print(one);
  };
  switch (node.type) {
    case 'BlockStatement':
      return `{${list(node, 'body').map(printStatement).join('\n')}}`;
    case 'ExpressionStatement':
      return `${print(child(node, 'expression'))};`;
    case 'VariableDeclaration':
      return `${printVariables(node)};`;
    case 'ReturnStatement':
      return `return ${part('argument')};`;
    case 'BreakStatement':
      return 'break;';
    case 'ContinueStatement':
      return 'continue;';
    case 'EmptyStatement':
      return ';';
    case 'WhileStatement':
      return `while (${part('test')}) {${printStatement(child(node, 'body'))}}`;
    case 'ForStatement':
      return `for (${part('init')}; ${part('test')}; ${part('update')}) {${printStatement(child(node, 'body'))}}`;
    case 'IfStatement': {
      const other = optional(node, 'alternate');
      const rest = other === null ? '' : ` else {${printStatement(other)}}`;
      return `if (${part('test')}) {${printStatement(child(node, 'consequent'))}}${rest}`;
    }
    default:
      throw new Error(`Cannot print ${node.type}`);
  }
}

function printVariables(node: Node): string {
  const one = (declarator: Node) => {
    const init = optional(declarator, 'init');
    return init === null
      ? print(child(declarator, 'id'))
      : `${print(child(declarator, 'id'))} = ${print(init)}`;
  };
  return `var ${list(node, 'declarations').map(one).join(', ')}`;
}

function print(node: Node): string {
  const part = (field: string) => print(child(node, field));
  switch (node.type) {
    case 'Identifier':
      return nameOf(node);
    case 'Literal':
      return JSON.stringify(node.value);
    case 'UnaryExpression':
      return `(${node.operator} ${part('argument')})`;
    case 'UpdateExpression':
      return node.prefix === true
        ? `(${node.operator}${part('argument')})`
        : `(${part('argument')}${node.operator})`;
    case 'BinaryExpression':
    case 'LogicalExpression':
    case 'AssignmentExpression':
      return `(${part('left')} ${node.operator} ${part('right')})`;
    case 'ConditionalExpression':
      return `(${part('test')} ? ${part('consequent')} : ${part('alternate')})`;
    case 'SequenceExpression':
      return `(${list(node, 'expressions').map(print).join(', ')})`;
    case 'CallExpression':
      return `${part('callee')}(${list(node, 'arguments').map(print).join(', ')})`;
    case 'MemberExpression':
      return node.computed === true
        ? `${part('object')}[${part('property')}]`
        : `${part('object')}.${part('property')}`;
    default:
      throw new Error(`Cannot print ${node.type}`);
  }
}
