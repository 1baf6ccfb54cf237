// A function's statements as one expression, for inline.ts: what it takes is branches, no loops.
// The variables that the statements declare are assigned to; who inlines the expression declares them.

import {
  assign,
  child,
  isUndefined,
  list,
  type Node,
  nameOf,
  optional,
  sequence,
  undefinedValue,
} from './tree.ts';

/** Statements as one expression whose value is what they return; undefined where there is a loop. */
export function asExpression(statements: readonly Node[]): Node | undefined {
  const parts: Node[] = [];
  for (const [i, statement] of statements.entries()) {
    const rest = statements.slice(i + 1);
    switch (statement.type) {
      case 'EmptyStatement':
        break;
      case 'BlockStatement':
        return joined(parts, asExpression([...list(statement, 'body'), ...rest]));
      case 'ExpressionStatement':
        parts.push(child(statement, 'expression'));
        break;
      case 'VariableDeclaration':
        // A temporary need not be set: it is set before it is read.
        if (statement.isTemporary === true) break;
        for (const declarator of list(statement, 'declarations'))
          parts.push(assign(nameOf(child(declarator, 'id')), child(declarator, 'init')));
        break;
      case 'ReturnStatement':
        return joined(parts, optional(statement, 'argument') ?? undefinedValue());
      case 'IfStatement': {
        const value = choice(statement, rest);
        if (value === undefined) return undefined;
        if (returns(statement) !== NEVER) return joined(parts, value);
        parts.push(value);
        break;
      }
      default:
        return undefined;
    }
  }
  return joined(parts, undefinedValue());
}

function joined(parts: readonly Node[], last: Node | undefined): Node | undefined {
  return last === undefined ? undefined : sequence([...parts, last]);
}

/** An if with what follows it, which belongs to the branches that do not return. */
function choice(statement: Node, rest: readonly Node[]): Node | undefined {
  const one = child(statement, 'consequent');
  const other = optional(statement, 'alternate') ?? { type: 'EmptyStatement' };
  const follows = returns(statement) === NEVER ? [] : rest;
  if (follows.length > 0 && returns(statement) === SOMETIMES && optional(statement, 'alternate') === null) {
    const whole = joinedTests(statement);
    if (whole !== undefined) return choice(whole, rest);
  }
  // What follows both branches would have to be written twice.
  if (follows.length > 0 && returns(one) !== ALWAYS && returns(other) !== ALWAYS) return undefined;
  const consequent = asExpression(returns(one) === ALWAYS ? [one] : [one, ...follows]);
  const alternate = asExpression(returns(other) === ALWAYS ? [other] : [other, ...follows]);
  if (consequent === undefined || alternate === undefined) return undefined;
  const test = child(statement, 'test');
  if (isUndefined(alternate) && isUndefined(consequent)) return test;
  return { type: 'ConditionalExpression', test, consequent, alternate };
}

/** `if (a) { b; if (c) return d; }` as `if (a && (b, c)) return d;`, or undefined if it is not of that form. */
function joinedTests(statement: Node): Node | undefined {
  const branch = child(statement, 'consequent');
  const inner = branch.type === 'BlockStatement' ? list(branch, 'body') : [branch];
  const last = inner.at(-1);
  const before = inner.slice(0, -1);
  if (last?.type !== 'IfStatement' || optional(last, 'alternate') !== null) return undefined;
  if (returns(child(last, 'consequent')) !== ALWAYS || before.some(one => returns(one) !== NEVER))
    return undefined;
  const first = asExpression(before);
  if (first === undefined) return undefined;
  const right = before.length === 0 ? child(last, 'test') : sequence([first, child(last, 'test')]);
  const test = { type: 'LogicalExpression', operator: '&&', left: child(statement, 'test'), right };
  return { type: 'IfStatement', test, consequent: child(last, 'consequent'), alternate: null };
}

const NEVER = 0;
const SOMETIMES = 1;
const ALWAYS = 2;

/** Whether a statement returns from its function. */
function returns(statement: Node): number {
  if (statement.type === 'ReturnStatement') return ALWAYS;
  if (statement.type === 'BlockStatement') return Math.max(NEVER, ...list(statement, 'body').map(returns));
  if (statement.type === 'IfStatement') {
    const one = returns(child(statement, 'consequent'));
    const alternate = optional(statement, 'alternate');
    const other = alternate === null ? NEVER : returns(alternate);
    if (one === ALWAYS && other === ALWAYS) return ALWAYS;
    return Math.max(one, other) === NEVER ? NEVER : SOMETIMES;
  }
  const body = optional(statement, 'body');
  return body !== null && returns(body) !== NEVER ? SOMETIMES : NEVER;
}
