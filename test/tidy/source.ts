// Just enough of a TypeScript scanner for the tidy test: comments and the insides of literals become spaces, lines
// stay where they are; and how long each function is. It knows no types and no meaning.

/** A `/` after one of these starts a regular expression, not a division. */
const BEFORE_EXPRESSION = /(^|[(,=:[!&|?{};+\-*%~^<>\n]|\breturn|\bcase|\btypeof)\s*$/;

const blank = (text: string): string => text.replace(/[^\n]/g, ' ');

/** Where the literal that opens at `at` ends: behind its closing quote, or the end of the text. */
function literalEnd(text: string, at: number): number {
  const quote = text[at] as string;
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === quote) return i + 1;
    else if (quote === '`' && text.startsWith('${', i)) i = expressionEnd(text, i + 2) - 1;
    else if (quote !== '`' && text[i] === '\n') return i; // not closed: leave the rest readable
  }
  return text.length;
}

/** Where the expression of a template ends: behind its closing brace. */
function expressionEnd(text: string, from: number): number {
  let depth = 1;
  for (let i = from; i < text.length; i++) {
    if (text[i] === '{') depth++;
    else if (text[i] === '}' && --depth === 0) return i + 1;
    else if ('\'"`'.includes(text[i] as string)) i = literalEnd(text, i) - 1;
  }
  return text.length;
}

function expressionLiteralEnd(text: string, at: number): number {
  let inClass = false;
  for (let i = at + 1; i < text.length && text[i] !== '\n'; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '[') inClass = true;
    else if (text[i] === ']') inClass = false;
    else if (text[i] === '/' && !inClass) return i + 1;
  }
  return at + 1;
}

/** The code alone. Quotes stay, what is between them does not, unless `keepStrings`. */
export function codeOf(text: string, keepStrings = false): string {
  let code = '';
  for (let at = 0; at < text.length; ) {
    const character = text[at] as string;
    let end = at + 1;
    let replacement: string | undefined;
    if (text.startsWith('//', at)) {
      end = text.indexOf('\n', at);
      if (end < 0) end = text.length;
      replacement = blank(text.slice(at, end));
    } else if (text.startsWith('/*', at)) {
      const close = text.indexOf('*/', at + 2);
      end = close < 0 ? text.length : close + 2;
      replacement = blank(text.slice(at, end));
    } else if ('\'"`'.includes(character)) {
      end = literalEnd(text, at);
      const inside = text.slice(at + 1, end - 1);
      replacement = character + (keepStrings ? inside : blank(inside)) + character;
    } else if (character === '/' && BEFORE_EXPRESSION.test(code.slice(-40))) {
      end = expressionLiteralEnd(text, at);
      if (end > at + 1) replacement = `/${blank(text.slice(at + 1, end - 1))}/`;
    }
    code += replacement ?? text.slice(at, end);
    at = end;
  }
  return code;
}

/** A name with a type. */
const PARAMETER = /^\s*((private|readonly)\s+)*(\.\.\.)?[\w$]+\??\s*:/;

export interface FunctionLines {
  /** Line of its opening brace, from 1. */
  line: number;
  /** With those of the functions in it: a factory of closures is as long as it reads. */
  lines: number;
}

const CONTROL = /^\s*(\}\s*)?(if|for|while|switch|catch|else|do|try|finally|with)\b/;
const HEADS = [
  /\bfunction\b/,
  /=>\s*\{$/,
  /^\s*\)(:.*)?\s*\{$/, // a parameter list over several lines
  /^\s*((async|private|protected|public|static|override|get|set)\s+|\*\s*)*(\[[^\]]*\]|#?\w+)(<.*>)?\(.*\)(:.*)?\s*\{$/,
];

/** Every function with a body of more than one line. */
export function functionsOf(text: string): FunctionLines[] {
  const found: FunctionLines[] = [];
  const open: { line: number; isFunction: boolean }[] = [];
  for (const [index, line] of codeOf(text).split('\n').entries()) {
    for (const [at, character] of [...line].entries()) {
      if (character === '{') {
        const head = line.slice(0, at + 1);
        const isLast = line.slice(at + 1).trim() === '';
        const isFunction = isLast && !CONTROL.test(line) && HEADS.some(pattern => pattern.test(head));
        open.push({ line: index + 1, isFunction });
      } else if (character === '}') {
        const from = open.pop();
        if (from?.isFunction) found.push({ line: from.line, lines: index + 2 - from.line });
      }
    }
  }
  return found;
}

/** Lists of parameters with their types: the line on which each begins, and how many there are. */
export function parametersOf(text: string): { line: number; count: number }[] {
  const code = codeOf(text);
  const found: { line: number; count: number }[] = [];
  const open: { at: number; character: string; commas: number[] }[] = [];
  for (const [at, character] of [...code].entries()) {
    if ('([{'.includes(character)) open.push({ at, character, commas: [at] });
    else if (character === ',') open.at(-1)?.commas.push(at);
    else if (')]}'.includes(character)) {
      const from = open.pop();
      if (from?.character !== '(') continue;
      const parts = from.commas.map((comma, i) => code.slice(comma + 1, from.commas[i + 1] ?? at));
      const count = parts.filter(part => PARAMETER.test(part)).length;
      if (count > 0) found.push({ line: code.slice(0, from.at).split('\n').length, count });
    }
  }
  return found;
}

/** Paths of imports and exports, static and dynamic. */
export function importsOf(text: string): string[] {
  const code = codeOf(text, true);
  const patterns = [/\bfrom\s*'([^']*)'/g, /\bimport\s*'([^']*)'/g, /\bimport\(\s*'([^']*)'\s*\)/g];
  return patterns.flatMap(pattern => [...code.matchAll(pattern)].map(match => match[1] as string));
}
