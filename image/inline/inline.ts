// Inlining in the bundle: the plane's small functions are written into their callers, constants as numbers, and
// block-scoped variables become plain ones. In QuickJS a call costs some 600 instructions of the processor, a
// variable that may be read too early 50 more than another; esbuild inlines neither functions with parameters
// nor constants made of constants. Its minifier runs after this and takes what is no longer needed away.
//
// What is inlined: a function without loops, of the portable subset, that is reached from the packet path; a large
// one only where it is called from one place. Its body becomes one expression:
//
//    const p = A; if (c) return B; rest      (p$1 = A, c ? B : rest)
//
// Evaluation order holds. An argument takes its parameter's place if nothing can tell: it is a constant or a
// local variable that no other argument sets; or it is used once, always, and what is evaluated before it in the
// body neither changes what it reads nor sees what it does. All others go into variables first, in their order.
// No name can be caught: every local variable gets a name of its own, with a `$`, before anything is moved.
// Not here: the tree itself (tree.ts), how statements become an expression (expression.ts),
// names (names.ts), word addresses (inline-index.ts).

import { parse } from 'acorn';
import { asExpression } from './expression.ts';
import { indexWords } from './inline-index.ts';
import {
  assignedName,
  calledName,
  declare,
  functionName,
  isCheap,
  isGetter,
  namesIn,
  namesSetIn,
  PURE,
  READS,
  topLevel,
  type Use,
  usesOf,
  WRITES,
  withoutConstants,
} from './names.ts';
import {
  assign,
  child,
  children,
  copyOf,
  fold,
  fromAcorn,
  identifier,
  isPropertyName,
  isSupported,
  list,
  literal,
  type Node,
  nameOf,
  numberOf,
  optional,
  printStatement,
  rebuild,
  sequence,
  size,
  walk,
} from './tree.ts';

export interface InlineOptions {
  /** Files whose functions may be inlined and inlined into, as esbuild names them in its comments. */
  files: RegExp;
  /** The functions from which the packet path is reached: only they and what they call are changed. */
  roots: readonly string[];
  /** Files of the fast path: into these, larger functions are inlined. */
  hot?: RegExp;
  /** Functions that set variables once, before all else: for all others these are constants. */
  setUp: readonly string[];
}

/** Nodes of a function that is inlined wherever it is called: about the accessor of four bytes, put32. */
const SMALL = 64;
/** The same on the fast path, where a call saved is worth more code. */
const SMALL_HOT = 150;
/** Nodes of one that is called from one place, and of what a caller may grow to. */
const LARGE = 2500;
const CALLER_LIMIT = 12000;

interface Routine {
  name: string;
  isHot: boolean;
  parameters: string[];
  body: Node;
  declaration: Node;
  state: 'raw' | 'busy' | 'done';
  /** The body as an expression, where it can be one; parameters and local variables are free in it. */
  value: Node | undefined;
}

/** The bundle, an unminified script of esbuild's in one function, with the packet path inlined. */
export function inline(source: string, options: InlineOptions): string {
  return new Inliner(source, options).run();
}

class Inliner {
  private readonly statements: Node[];
  private readonly routines = new Map<string, Routine>();
  private readonly constants = new Map<string, number>();
  /** Top-level variables that change at run time. */
  private readonly changing = new Set<string>();
  private readonly callSites = new Map<string, number>();
  private serial = 0;

  constructor(
    private readonly source: string,
    private readonly options: InlineOptions,
  ) {
    const comments: { text: string; at: number }[] = [];
    const program = parse(source, {
      ecmaVersion: 2023,
      onComment: (_isBlock, text, at) => void comments.push({ text: text.trim(), at }),
    });
    this.statements = topLevel(fromAcorn(program));
    let next = 0;
    let file = '';
    for (const statement of this.statements) {
      for (; (comments[next]?.at ?? Number.POSITIVE_INFINITY) < (statement.start as number); next++) {
        const { text } = comments[next] as { text: string };
        if (/^[\w./-]+\.ts$/.test(text)) file = text;
      }
      this.take(statement, file);
    }
  }

  private take(statement: Node, file: string): void {
    if (statement.type !== 'FunctionDeclaration' || !this.options.files.test(file)) return;
    const parameters = list(statement, 'params');
    const body = child(statement, 'body');
    if (statement.async === true || statement.generator === true || !isSupported(body, parameters)) return;
    const name = nameOf(child(statement, 'id'));
    this.routines.set(name, {
      name,
      isHot: this.options.hot?.test(file) === true,
      parameters: parameters.map(nameOf),
      body,
      declaration: statement,
      state: 'raw',
      value: undefined,
    });
  }

  run(): string {
    this.findVariables();
    const reached = this.reach();
    for (const routine of reached) this.renameLocals(routine);
    for (const routine of reached) {
      routine.body = rebuild(routine.body, node => this.simplify(node));
      walk(routine.body, node => {
        const name = calledName(node);
        if (name !== undefined) this.callSites.set(name, (this.callSites.get(name) ?? 0) + 1);
      });
    }
    for (const routine of reached) this.finish(routine);
    for (const routine of reached) indexWords(routine.body, routine.parameters);
    return this.print(new Set(reached));
  }

  // --- what the names mean ----------------------------------------------------------------------------------

  private findVariables(): void {
    const assigned = new Set<string>();
    for (const statement of this.statements) {
      const isSetUp =
        statement.type === 'FunctionDeclaration' &&
        this.options.setUp.includes(nameOf(child(statement, 'id')));
      walk(statement, node => {
        const target = isSetUp ? undefined : assignedName(node);
        if (target !== undefined) assigned.add(target);
      });
    }
    for (const statement of this.statements) {
      if (statement.type !== 'VariableDeclaration') continue;
      for (const declarator of list(statement, 'declarations')) {
        const id = child(declarator, 'id');
        if (id.type !== 'Identifier') continue;
        const init = optional(declarator, 'init');
        const value = init === null ? undefined : numberOf(init, this.constants);
        if (assigned.has(nameOf(id))) this.changing.add(nameOf(id));
        else if (value !== undefined) this.constants.set(nameOf(id), value);
      }
    }
  }

  /** The routines that the roots call, and what those call: callers first. */
  private reach(): Routine[] {
    const found = new Set<Routine>();
    const visit = (name: string): void => {
      const routine = this.routines.get(name);
      if (routine === undefined || found.has(routine)) return;
      found.add(routine);
      walk(routine.body, node => {
        if (node.type === 'Identifier') visit(nameOf(node));
      });
    };
    for (const root of this.options.roots) {
      if (!this.routines.has(root)) throw new Error(`Cannot inline into ${root}: there is no such function`);
      visit(root);
    }
    return [...found];
  }

  /** Gives every local variable a name of its own and makes it a plain one, seen in the whole function. */
  private renameLocals(routine: Routine): void {
    const outer = new Map<string, Node>();
    routine.parameters = routine.parameters.map(name => {
      const other = this.fresh(name);
      outer.set(name, identifier(other));
      return other;
    });
    routine.body = this.renamed(routine.body, outer);
  }

  private renamed(node: Node, outer: ReadonlyMap<string, Node>): Node {
    if (node.type !== 'BlockStatement' && node.type !== 'ForStatement') {
      const copy: Node = { type: node.type };
      if (node.type === 'Identifier') return copyOf(outer.get(nameOf(node)) ?? node);
      for (const [field, value] of Object.entries(node)) {
        if (Array.isArray(value)) copy[field] = value.map(one => this.renamed(one as Node, outer));
        else if (typeof value === 'object' && value !== null && 'type' in value)
          copy[field] = isPropertyName(node, field) ? value : this.renamed(value as Node, outer);
        else copy[field] = value;
      }
      if (node.type === 'VariableDeclaration') copy.kind = 'var';
      return copy;
    }
    // A block's or loop's own declarations hide what is outside, from its start on.
    const names = new Map(outer);
    const own = node.type === 'BlockStatement' ? list(node, 'body') : [optional(node, 'init')];
    for (const statement of own) {
      if (statement?.type !== 'VariableDeclaration') continue;
      for (const declarator of list(statement, 'declarations')) {
        const name = nameOf(child(declarator, 'id'));
        names.set(name, identifier(this.fresh(name)));
      }
    }
    const copy: Node = { type: node.type };
    for (const [field, value] of Object.entries(node)) {
      if (Array.isArray(value)) copy[field] = value.map(one => this.renamed(one as Node, names));
      else if (typeof value === 'object' && value !== null && 'type' in value)
        copy[field] = this.renamed(value as Node, names);
      else copy[field] = value;
    }
    return copy;
  }

  private fresh(name: string): string {
    return `${name.replace(/\$\d+$/, '')}$${++this.serial}`;
  }

  private simplify(node: Node): Node {
    if (node.type === 'Identifier') {
      const value = this.constants.get(nameOf(node));
      return value === undefined ? node : literal(value);
    }
    return fold(node);
  }

  // --- inlining -----------------------------------------------------------------------------------------------

  /** Inlines into a routine, after those that it calls. A call of one that is not done yet is recursive: it stays. */
  private finish(routine: Routine): void {
    if (routine.state !== 'raw') return;
    routine.state = 'busy';
    walk(routine.body, node => {
      const callee = this.routines.get(calledName(node) ?? '');
      if (callee !== undefined && callee !== routine) this.finish(callee);
    });
    const temporaries: string[] = [];
    let nodes = size(routine.body);
    routine.body = rebuild(routine.body, node => {
      const value = this.inlined(node, routine, temporaries, nodes);
      if (value === undefined) return fold(node);
      nodes += size(value) - size(node);
      return value;
    });
    declare(routine.body, temporaries);
    routine.value = asExpression(list(routine.body, 'body'));
    routine.state = 'done';
  }

  /** What a call becomes, or undefined if it stays. */
  private inlined(node: Node, caller: Routine, temporaries: string[], nodes: number): Node | undefined {
    const callee = this.routines.get(calledName(node) ?? '');
    if (callee?.value === undefined || callee.state !== 'done') return undefined;
    const args = list(node, 'arguments');
    if (args.length !== callee.parameters.length) return undefined;
    const calleeNodes = size(callee.value);
    const isSmall = calleeNodes <= (caller.isHot ? SMALL_HOT : SMALL);
    const isOnly = this.callSites.get(callee.name) === 1 && calleeNodes <= LARGE;
    if (!(isSmall || isOnly) || nodes + calleeNodes > CALLER_LIMIT) return undefined;
    return this.expand(callee, callee.value, args, temporaries);
  }

  private expand(callee: Routine, value: Node, args: readonly Node[], temporaries: string[]): Node {
    const names = new Map<string, Node>();
    const before: Node[] = [];
    const temporary = (name: string): string => {
      const other = this.fresh(name);
      temporaries.push(other);
      names.set(name, identifier(other));
      return other;
    };
    const inPlace = this.inPlace(callee, value, args);
    for (const [i, name] of callee.parameters.entries()) {
      const arg = args[i] as Node;
      if (inPlace[i]) names.set(name, arg);
      else before.push(assign(temporary(name), arg));
    }
    // The body's own variables, those of what was inlined into it among them.
    const own = new Set<string>();
    walk(value, node => {
      const name = assignedName(node);
      if (name?.includes('$') && !names.has(name)) own.add(name);
    });
    for (const name of own) temporary(name);
    const copy = rebuild(copyOf(value, names), fold);
    return sequence([...before, withoutConstants(copy, temporaries)]);
  }

  /** For each argument, whether it may take its parameter's place. */
  private inPlace(callee: Routine, value: Node, args: readonly Node[]): boolean[] {
    const uses = usesOf(value, callee.parameters);
    const effects = args.map(arg => this.effectOf(arg));
    const set = args.map(arg => namesSetIn(arg));
    const isStable = args.map((arg, i) => {
      if (effects[i] !== PURE) return false;
      const read = namesIn(arg);
      return set.every((names, j) => i === j || ![...names].some(name => read.has(name)));
    });
    const simple = args.map((arg, i) => {
      const use = uses.get(callee.parameters[i] as string) as Use;
      if (use.isSet) return false;
      if (use.count === 0) return effects[i] !== WRITES;
      return isStable[i] === true && (use.count === 1 || isCheap(arg));
    });
    // The others all take their places, or none does.
    const others = [...args.keys()].filter(i => !simple[i]);
    const order: string[] = [];
    for (const i of others) {
      const use = uses.get(callee.parameters[i] as string) as Use;
      if (use.isSet || use.count !== 1 || use.isConditional) return simple;
      order.push(callee.parameters[i] as string);
    }
    return this.keepsOrder(
      value,
      order,
      others.map(i => effects[i] as number),
    )
      ? simple.map(() => true)
      : simple;
  }

  /** Whether the parameters are used in this order, and nothing evaluated before one disturbs its argument. */
  private keepsOrder(value: Node, order: readonly string[], effects: readonly number[]): boolean {
    let next = 0;
    let worst: number = PURE;
    let good = true;
    const visit = (node: Node): void => {
      // The target of an assignment is set after its right side, so what stands in it is evaluated first.
      for (const one of children(node)) visit(one);
      if (node.type === 'Identifier' && order.includes(nameOf(node))) {
        if (order[next] !== nameOf(node)) good = false;
        const effect = effects[next] ?? PURE;
        if ((effect === WRITES && worst !== PURE) || (effect === READS && worst === WRITES)) good = false;
        next++;
      } else {
        worst = Math.max(worst, this.ownEffect(node));
      }
    };
    visit(value);
    return good;
  }

  /** The strongest thing that evaluating an expression does. */
  private effectOf(node: Node): number {
    let worst = PURE;
    walk(node, one => {
      worst = Math.max(worst, this.ownEffect(one));
    });
    return worst;
  }

  private ownEffect(node: Node): number {
    if (isGetter(node)) return READS;
    if (
      node.type === 'CallExpression' ||
      node.type === 'AssignmentExpression' ||
      node.type === 'UpdateExpression'
    )
      return WRITES;
    if (node.type === 'MemberExpression') return READS;
    return node.type === 'Identifier' && this.changing.has(nameOf(node)) ? READS : PURE;
  }

  // --- the result -----------------------------------------------------------------------------------------------

  /** The script with the changed functions; functions and constants that nobody names any more are left out. */
  private print(changed: ReadonlySet<Routine>): string {
    const uses = new Map<Node, Set<string>>();
    for (const statement of this.statements) {
      const routine = this.routines.get(functionName(statement) ?? '');
      uses.set(statement, namesIn(routine !== undefined && changed.has(routine) ? routine.body : statement));
    }
    const kept = new Set<Node>();
    const byName = new Map<string, Node>();
    for (const statement of this.statements) {
      const name = this.droppableName(statement);
      if (name !== undefined) byName.set(name, statement);
    }
    const keep = (statement: Node): void => {
      if (kept.has(statement)) return;
      kept.add(statement);
      for (const name of uses.get(statement) as Set<string>) {
        const other = byName.get(name);
        if (other !== undefined) keep(other);
      }
    };
    for (const statement of this.statements) if (this.droppableName(statement) === undefined) keep(statement);
    let text = '';
    let at = 0;
    for (const statement of this.statements) {
      const [start, end] = [statement.start as number, statement.end as number];
      text += this.source.slice(at, start);
      at = end;
      if (!kept.has(statement)) continue;
      const routine = this.routines.get(functionName(statement) ?? '');
      if (routine === undefined || !changed.has(routine)) text += this.source.slice(start, end);
      else
        text += `function ${routine.name}(${routine.parameters.join(', ')}) ${printStatement(routine.body)}`;
    }
    return text + this.source.slice(at);
  }

  /** The name of a function or a constant whose declaration may go when nobody uses it. */
  private droppableName(statement: Node): string | undefined {
    const name = functionName(statement);
    if (name !== undefined) return this.routines.has(name) ? name : undefined;
    if (statement.type !== 'VariableDeclaration') return undefined;
    const declarators = list(statement, 'declarations');
    const id = child(declarators[0] as Node, 'id');
    return declarators.length === 1 && this.constants.has(String(id.name)) ? nameOf(id) : undefined;
  }
}
