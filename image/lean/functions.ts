// What QuickJS keeps of a function and nobody asks for again, dropped: the table of its variables, where no closure takes
// one; the table of what it takes of others, where it has been made and nothing can make it again. In the portable subset:
// the build runs it over the resident part, the floor over each overlay when that has been evaluated, so that what is loaded
// on a board is as lean as what is always there.
//
// What lies behind the tables in a function's block moves down, and the block's end is freed:
//
//    | function | constants | variables, 12 bytes each | closure's variables, 8 bytes each | code |
//
// A function has a number for its name, which is no string of the heap: it is its place among all functions of the firmware, and
// tools/trace.ts says what stands there in the sources. Names of two letters, which the minifier leaves, take 28 bytes each and tell less.
//
// And what a function object has of its own, its length, its name, and the prototype of what `new` makes, which the engine makes when
// somebody asks for it: 24 to 32 bytes each, and nobody asks. The engine looks for the name of its code when it writes a trace
// (../engine-wasm.ts). Classes, which have a prototype from the start, keep all of it. A function without anything
// of its own has the shape that bareShape() finds: it has no place for a property, and is not in the engine's table of shapes, so that
// nothing but these functions gets it; whoever adds a property to one makes the engine copy it.
//
// Addresses are the engine's. The offsets are those of its structures in the version that package.json pins, read from its
// source; what is not as it should be is left alone, and told. Not here: what is kept of modules (modules.ts).

import { PLANE_BASE } from '../../src/base/limits.ts';
import { copy, get8, i32at, puti32, putu16, u16at } from '../../src/base/memory.ts';
import { free, freeValue } from './heap.ts';

/** In JSRuntime: the head of the list of what the garbage collector knows. */
const GC_LIST: i32 = 80;
/** In JSGCObjectHeader: a byte with the type, and the links to previous and next. */
const GC_TYPE: i32 = 4;
const GC_LINK: i32 = 8;
const TYPE_MASK: i32 = 15;
const TYPE_OBJECT: i32 = 0;
const TYPE_FUNCTION: i32 = 1;
const TYPE_SHAPE: i32 = 2;

/** Numbers of atoms; one with this bit is a number itself. */
const ATOM_NUMBER: i32 = 1 << 31;
const ATOM_LENGTH: i32 = 50;
const ATOM_NAME: i32 = 58;
const ATOM_PROTOTYPE: i32 = 63;
/** In JSObject: its class, its shape and its properties, and a function's JSFunctionBytecode. */
const OBJECT_CLASS: i32 = 6;
const OBJECT_SHAPE: i32 = 20;
const OBJECT_PROPERTIES: i32 = 24;
const OBJECT_FUNCTION: i32 = 32;
/** JS_CLASS_BYTECODE_FUNCTION: neither generators nor what waits, which may be in the midst of their code. */
const CLASS_FUNCTION: i32 = 13;

/** In JSShape: places for properties, how many are there, how many of them deleted, and the first: its flags, its atom. */
export const SHAPE_PLACES: i32 = 28;
const SHAPE_COUNT: i32 = 32;
const SHAPE_DELETED: i32 = 36;
const SHAPE_PROPERTIES: i32 = 48;
const PROPERTY_BYTES: i32 = 8;
const PROPERTY_ATOM: i32 = 4;
/** In the six highest bits of a property's first word: it is writable, and made when somebody asks for it. */
const FLAGS_SHIFT: i32 = 26;
const FLAGS_MADE_LATER: i32 = 50;
/** High word of a JSValue: a string. An i32's is 0. */
const TAG_STRING: i32 = -7;

/** In JSFunctionBytecode: who refers to it, code, both tables, numbers of arguments, variables, captured ones, closure's. */
const REFERENCES: i32 = 0;
const CODE: i32 = 20;
const CODE_BYTES: i32 = 24;
const FUNCTION_NAME: i32 = 28;
const VARIABLES: i32 = 32;
const CLOSURE: i32 = 36;
const ARGUMENT_COUNT: i32 = 40;
const VARIABLE_COUNT: i32 = 42;
const CAPTURED_COUNT: i32 = 48;
/** Two bytes that the compiler left between fields: the function was there before, and may be running. */
const SEEN: i32 = 50;
const CLOSURE_COUNT: i32 = 64;
const VARIABLE_BYTES: i32 = 12;
const CLOSURE_BYTES: i32 = 8;
const CLOSURE_NAME: i32 = 4;
/**
 * The table of what has none any more is at address 0: 1,024 bytes are zero there, and the engine reads of it only that no
 * name is to be freed. A longer one stays.
 */
const CLOSURE_MOST: i32 = 128;

/** Of malloc, Doug Lea's (version 2.8): the smallest chunk; sizes are multiples of 8. */
const CHUNK_LEAST: i32 = 16;
/** In the word that holds a chunk's size: it is in use, and so is the one before it. */
const CHUNK_FLAGS: i32 = 7;
const CHUNK_USED: i32 = 2;
const CHUNK_BEFORE_USED: i32 = 1;
/** A chunk is no longer than its block needs, but where the rest were too small. */
const SLACK_BYTES: i32 = 32;

/**
 * Before modules are written as bytecode: drops tables of variables, and gives all functions their numbers, those of earlier modules
 * again the same. What they were called stays behind in this engine, which is thrown away. Answers how many functions are not as expected.
 */
export function leanCompiled(runtime: i32): i32 {
  let strange: i32 = 0;
  let number: i32 = 0;
  let link: i32 = word(runtime + GC_LIST + 4);
  while (link !== runtime + GC_LIST) {
    const at: i32 = link - GC_LINK;
    link = word(link + 4);
    if ((byte(at + GC_TYPE) & TYPE_MASK) === TYPE_FUNCTION) {
      strange += drop(at, 0);
      forgetNames(at);
      put(at + FUNCTION_NAME, ATOM_NUMBER | number);
      number++;
    }
  }
  return strange;
}

/** Variables that a closure takes stay in the table, and are found there by their places alone. */
function forgetNames(at: i32): void {
  const table: i32 = word(at + VARIABLES);
  const count: i32 = table === 0 ? 0 : half(at + ARGUMENT_COUNT) + half(at + VARIABLE_COUNT);
  for (let i: i32 = 0; i < count; i++) put(table + VARIABLE_BYTES * i, 0);
}

/** Before modules are read: whatever is there may be running meanwhile, and stays where it is. */
export function leanBefore(runtime: i32): void {
  const list: i32 = runtime + GC_LIST;
  for (let link: i32 = word(list + 4); link !== list; link = word(link + 4)) {
    const at: i32 = link - GC_LINK;
    if ((byte(at + GC_TYPE) & TYPE_MASK) === TYPE_FUNCTION) putu16(at + SEEN - PLANE_BASE, 1);
  }
}

/** After modules have been evaluated: drops what their functions need no more. Answers how many are not as expected. */
export function leanEvaluated(runtime: i32): i32 {
  let strange: i32 = 0;
  const list: i32 = runtime + GC_LIST;
  const bare: i32 = bareShape(runtime);
  for (let link: i32 = word(list + 4); link !== list; link = word(link + 4)) {
    const at: i32 = link - GC_LINK;
    if ((byte(at + GC_TYPE) & TYPE_MASK) !== TYPE_OBJECT || half(at + OBJECT_CLASS) !== CLASS_FUNCTION)
      continue;
    const made: i32 = word(at + OBJECT_FUNCTION);
    if (bare !== 0 && half(made + SEEN) === 0) dropOwn(at, bare);
    // Whoever else refers to it can make it again.
    if (half(made + SEEN) === 0 && word(made + REFERENCES) === 1) strange += drop(made, closureBytes(made));
  }
  return strange;
}

/** The shape of functions that have nothing of their own (modules.ts makes it); 0 if there is none. */
function bareShape(runtime: i32): i32 {
  const list: i32 = runtime + GC_LIST;
  for (let link: i32 = word(list + 4); link !== list; link = word(link + 4)) {
    const at: i32 = link - GC_LINK;
    if ((byte(at + GC_TYPE) & TYPE_MASK) === TYPE_SHAPE && word(at + SHAPE_PLACES) === 0) return at;
  }
  return 0;
}

/** Drops what a function has of its own, if that is what each has from the start. */
function dropOwn(at: i32, bare: i32): void {
  const shape: i32 = word(at + OBJECT_SHAPE);
  const count: i32 = word(shape + SHAPE_COUNT);
  const own: i32 = word(at + OBJECT_PROPERTIES);
  if (word(shape + SHAPE_DELETED) !== 0 || count < 2 || count > 3) return;
  const first: i32 = shape + SHAPE_PROPERTIES + PROPERTY_ATOM;
  if (word(first) !== ATOM_LENGTH || word(first + PROPERTY_BYTES) !== ATOM_NAME) return;
  if (word(own + 4) !== 0 || word(own + 12) !== TAG_STRING) return;
  if (count === 3) {
    const third: i32 = first + 2 * PROPERTY_BYTES;
    const flags: i32 = word(third - PROPERTY_ATOM) >>> FLAGS_SHIFT;
    if (word(third) !== ATOM_PROTOTYPE || flags !== FLAGS_MADE_LATER) return;
  }
  // A function that is not of the firmware's own has a name.
  if (word(word(at + OBJECT_FUNCTION) + FUNCTION_NAME) >= 0) return;
  // The context, which is who would make a prototype. Bits below a multiple of 4 say what is made.
  if (count === 3) release(word(own + 16) & ~3);
  put(at + OBJECT_PROPERTIES, 0);
  // The block begins with the length, a number; the name goes with it.
  put(own, word(own + 8));
  put(own + 4, TAG_STRING);
  freeValue(own);
  // The last reference is kept: the next overlay's functions have this shape, too, before they come here.
  if (word(shape) > 1) release(shape);
  put(at + OBJECT_SHAPE, bare);
  put(bare, word(bare) + 1);
}

function release(at: i32): void {
  put(at, word(at) - 1);
}

/** Bytes of the closure's table that can be dropped: 0 if it has names, which it has not in a firmware. */
function closureBytes(at: i32): i32 {
  const count: i32 = word(at + CLOSURE_COUNT);
  const table: i32 = word(at + CLOSURE);
  if (count > CLOSURE_MOST || table === 0) return 0;
  for (let i: i32 = 0; i < count; i++) {
    if (word(table + i * CLOSURE_BYTES + CLOSURE_NAME) !== 0) return 0;
  }
  return count * CLOSURE_BYTES;
}

/** Drops a function's variables if nobody needs them, and so many bytes of its closure's. Answers 1 if it is strange. */
function drop(at: i32, closure: i32): i32 {
  const table: i32 = word(at + VARIABLES);
  const counted: i32 = VARIABLE_BYTES * (half(at + ARGUMENT_COUNT) + half(at + VARIABLE_COUNT));
  const variables: i32 = table === 0 || half(at + CAPTURED_COUNT) !== 0 ? 0 : counted;
  if (variables + closure === 0) return 0;
  const code: i32 = word(at + CODE);
  const codeBytes: i32 = word(at + CODE_BYTES);
  const chunk: i32 = word(at - 4) & ~CHUNK_FLAGS;
  const over: i32 = at + chunk - 4 - (code + codeBytes);
  if (over < 0 || over >= SLACK_BYTES || (variables !== 0 && (table <= at || table + variables > code)))
    return 1;
  if (closure !== 0 && word(at + CLOSURE) + closure !== code) return 1;
  if (variables !== 0) {
    const kept: i32 = closure === 0 ? code + codeBytes - table - variables : 0;
    copy(table - PLANE_BASE, table + variables - PLANE_BASE, kept);
    put(at + VARIABLES, 0);
    if (word(at + CLOSURE) !== 0) put(at + CLOSURE, word(at + CLOSURE) - variables);
  }
  if (closure !== 0) {
    copy(code - variables - closure - PLANE_BASE, code - PLANE_BASE, codeBytes);
    put(at + CLOSURE, 0);
  }
  put(at + CODE, code - variables - closure);
  cut(at, chunk, code + codeBytes - variables - closure);
  return 0;
}

/** Frees the end of a block. malloc lets a block reach into the next chunk's first word. */
function cut(at: i32, chunk: i32, end: i32): void {
  let kept: i32 = (end - at + 4 + 7) & ~7;
  if (kept < CHUNK_LEAST) kept = CHUNK_LEAST;
  if (chunk - kept < CHUNK_LEAST) return;
  put(at - 4, kept | (word(at - 4) & CHUNK_FLAGS));
  put(at - 4 + kept, (chunk - kept) | CHUNK_USED | CHUNK_BEFORE_USED);
  free(at + kept);
}

function word(p: i32): i32 {
  return i32at(p - PLANE_BASE);
}

function half(p: i32): i32 {
  return u16at(p - PLANE_BASE);
}

function byte(p: i32): i32 {
  return get8(p - PLANE_BASE);
}

function put(p: i32, value: i32): void {
  puti32(p - PLANE_BASE, value);
}
