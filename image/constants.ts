// The numbers that a file of control exports: what imports such a one has the number instead. An export of the resident module
// costs 116 bytes of heap in every boot, whoever imports it.

import { parse } from 'acorn';

type Node = { type: string; [field: string]: unknown };

/** By the name under which each is exported, as it is written. The text is a module as esbuild writes it. */
export function exportedConstants(text: string): Map<string, string> {
  const module = parse(text, { ecmaVersion: 2023, sourceType: 'module' }) as unknown as Node;
  const changed = new Set<string>();
  for (const { type, left, argument } of nodes(module)) {
    if (type === 'AssignmentExpression') changed.add(nameOf(left));
    if (type === 'UpdateExpression') changed.add(nameOf(argument));
  }
  const numbers = new Map<string, string>();
  const exports = new Map<string, string>();
  for (const statement of module.body as Node[]) {
    for (const { id, init } of (statement.declarations ?? []) as Node[]) {
      const number = numberOf(init as Node | null, text);
      if (number !== undefined && !changed.has(nameOf(id))) numbers.set(nameOf(id), number);
    }
    for (const { local, exported } of (statement.specifiers ?? []) as Node[])
      if (statement.type === 'ExportNamedDeclaration' && statement.source === null)
        exports.set(nameOf(exported), nameOf(local));
  }
  return new Map(
    [...exports].flatMap(([name, local]) => {
      const number = numbers.get(local);
      return number === undefined ? [] : [[name, number] as const];
    }),
  );
}

function nameOf(node: unknown): string {
  return String((node as { name?: string } | null)?.name);
}

/** A number's text, with its sign. */
function numberOf(node: Node | null, text: string): string | undefined {
  const isNegative = node?.type === 'UnaryExpression' && node.operator === '-';
  const literal = isNegative ? (node.argument as Node) : node;
  if (literal?.type !== 'Literal' || typeof literal.value !== 'number') return undefined;
  return text.slice(node?.start as number, node?.end as number);
}

function* nodes(node: Node): Generator<Node> {
  yield node;
  for (const field of Object.values(node)) {
    for (const child of Array.isArray(field) ? field : [field])
      if (typeof (child as Node | null)?.type === 'string') yield* nodes(child as Node);
  }
}
