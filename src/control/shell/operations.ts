// What a script is compiled to: a flat list of operations and their operands, which machine.ts runs with a stack of its own.
// So neither a deep nesting nor a substitution within another costs any of the engine's stack, which is 24 KB, and what runs may
// stop between any two operations. A jump's operand is the place in the list that it goes to.
//
//    iptables -A "$chain"      LINE 1 0 | WORD iptables | WORD -A | QUOTE | VALUE chain QUOTED | FIELD | EXECUTE | CHECK
//    a && b || c               LINE 1 0 | a | UNLESS x | LINE 1 0 | b | x: IF y | LINE 1 0 | c | CHECK | y:
//    if a; then b; fi          NOTHING 0 | a | UNLESS x | b | JUMP y | x: SUCCEED | y:
//    for f in *; do a; done    NOTHING 0 | WORD * | FOR f y x | x: NEXT | a | AGAIN x | y:
//    a | b                     PIPE 1 x | a | x: TUBE y | b | y: TUBE_END
//    a < f, of a compound      JUMP r | b: a | RESTORE | JUMP x | r: f | REDIRECT | APPLY | JUMP b | x:
//
// Text of a word is kept with a backslash before each character that is not to be understood as a pattern's.
// Not here: what they do (machine.ts, fields.ts), how a script becomes them (compiler.ts, word-compiler.ts).

export type Code = (number | string)[];

// Words.
/** A whole word without anything special. */
export const WORD = 1;
/** A piece of a word, as it stands; and one that is split, in `${x:-a b}`. */
export const TEXT = 2;
export const SPLIT = 3;
/** There was a quote: the word is one even if it is empty. */
export const QUOTE = 4;
/** A parameter's value, by name and MODE_*. */
export const VALUE = 5;
/** `${#name}`: name, mode. */
export const LENGTH = 6;
/** `${name:-word}` and its like: name, operator, mode, where to go when the word is not needed. */
export const PARAMETER = 7;
/** A word begins within another. */
export const ASIDE = 8;
/** It ends: the name gets it as its value; the shell ends with it; it is a pattern to cut off by; it is a sum. */
export const DEFAULT = 9;
export const COMPLAIN = 10;
export const TRIM = 11;
export const SUM = 12;
/** The word ends: as arguments; as one text; as a pattern. */
export const FIELD = 13;
export const STRING = 14;
export const PATTERN = 15;

// Commands.
/**
 * A pipeline begins: number of its line, and of PIPE, the first command of several, where the next begins. TUBE has that, too:
 * what one has said is what the next one reads.
 */
export const LINE = 20;
export const PIPE = 21;
export const TUBE = 22;
export const TUBE_END = 23;
export const EXECUTE = 24;
/** The text is a variable's value: before a command, or for good. */
export const LEND = 25;
export const ASSIGN = 26;
/** The text is where a descriptor leads: descriptor, kind. */
export const REDIRECT = 27;
/** A here-document: descriptor, where its text is made. HERE_END goes back. */
export const HERE = 28;
export const HERE_END = 29;
/** Redirections of a compound command begin and end. */
export const APPLY = 30;
export const RESTORE = 31;
/** What has failed ends the script under `set -e`. */
export const CHECK = 32;
export const NOT = 33;
export const SUCCEED = 34;
export const NOTHING = 35;
export const JUMP = 36;
export const IF = 37;
export const UNLESS = 38;
/** Command substitution: mode, where SUBSTITUTE_END is. */
export const SUBSTITUTE = 39;
export const SUBSTITUTE_END = 40;
/** `( )`: where SUBSHELL_END is. */
export const SUBSHELL = 41;
export const SUBSHELL_END = 42;
/** A loop: where break and continue go. FOR has the variable before these. */
export const LOOP = 43;
export const FOR = 44;
export const NEXT = 45;
export const AGAIN = 46;
export const LOOP_END = 47;
/** The text is what a case is about; a pattern of it, and where its list is; none fits. */
export const CASE = 48;
export const MATCH = 49;
export const CASE_END = 50;
/** A function's name, and where its body ends; RETURN ends that. */
export const FUNCTION = 51;
export const RETURN = 52;
/** `&`. */
export const BACKGROUND = 53;
export const END = 54;
/** In place of a CHECK where somebody looks at what has failed. */
export const IDLE = 55;

/** A value is split into words, is text, or is part of a pattern. */
export const MODE_SPLIT = 0;
export const MODE_QUOTED = 1;
export const MODE_PATTERN = 2;

/** Bounds of a script; what is beyond is refused. */
export const NESTING_MOST = 64;
/** Places of a command's code: a function of some hundred lines. 8 bytes of heap each. */
export const CODE_MOST = 6000;

/** What is wrong with a script's text. */
export class SyntaxFault extends Error {}
