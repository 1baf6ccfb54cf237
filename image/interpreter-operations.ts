// Short ways through some of QuickJS's operations, as C that stands before the engine's own: an integer plus,
// minus or times another, and elements of typed arrays. For such an element the engine calls functions, and it
// reckons with 64 bits, which on a 486 takes fifty instructions. What does not fit (another kind of object, a place
// past the end, a sum past 31 bits, a product that may be -0) goes on as it would have.
// Not here: where the interpreter is in wasm2c's C, and how it is compiled (interpreter-loop.ts).
//
// A value on the stack is 8 bytes: an i32 or an object's address, then its tag (quickjs.h, JS_NAN_BOXING).
//
//    sp-24          sp-16          sp-8           sp
//                   | left         | right        |       add, sub, mul
//                   | object       | place        |       get_array_el
//    | object       | place        | value        |       put_array_el
//
// An object: 0 its users | 6 its class, 16 bits | 36 address of a typed array's elements | 40 their number.

/** Names in wasm2c's C of the interpreter. */
export interface Names {
  /** The stack pointer at an operation's start, and the variable from which the next operation takes it. */
  stack: string;
  nextStack: string;
  /** Where the next operation begins. */
  loop: string;
}

export interface Operation {
  name: string;
  /** Its byte (quickjs-opcode.h of 2025-09-13). */
  code: number;
  /** In the engine's C for it, to be sure that it is this operation. */
  mark: RegExp;
  /** A block of C that jumps to the loop, or falls through to the engine's. */
  short(names: Names): string;
}

const MEMORY = 'instance->Z_aZ_a';
const TAG_OBJECT = '0xffffffffu';
// Classes of typed arrays (quickjs.c: JS_CLASS_INT8_ARRAY and those behind it).
const [INT8, UINT8, INT16, UINT16, INT32, UINT32] = [22, 23, 24, 25, 26, 27];

function reckoning(name: string, code: number, mark: RegExp, condition = ''): Operation {
  return {
    name,
    code,
    mark,
    short: ({ stack, nextStack, loop }) => `{
  s32 left = i32_load(${MEMORY}, ${stack} - 16u), right = i32_load(${MEMORY}, ${stack} - 8u), result;
  if (LIKELY(!(i32_load(${MEMORY}, ${stack} - 12u) | i32_load(${MEMORY}, ${stack} - 4u))) &&
      LIKELY(!__builtin_${name}_overflow(left, right, &result)${condition})) {
    i32_store(${MEMORY}, ${stack} - 16u, result);
    ${nextStack} = ${stack} - 8u;
    goto ${loop};
  }
}`,
  };
}

/** What both ways with an element begin with; the array itself stays, for a variable holds it, too. */
const ELEMENT = `
  const u32 users = i32_load(${MEMORY}, array), kind = i32_load16_u(${MEMORY}, array + 6u);
  const u32 at = i32_load(${MEMORY}, array + 36u);
  if (UNLIKELY((s32)users <= 1) || UNLIKELY(place >= i32_load(${MEMORY}, array + 40u)))`;

const getElement: Operation = {
  name: 'get_array_el',
  code: 67,
  mark: /i32_load16_u\([^;]* \+ 6u\);\s+w2c_i1 = 2u;/,
  short: ({ stack, nextStack, loop }) => `
if (LIKELY(i32_load(${MEMORY}, ${stack} - 12u) == ${TAG_OBJECT}) && LIKELY(!i32_load(${MEMORY}, ${stack} - 4u))) {
  const u32 array = i32_load(${MEMORY}, ${stack} - 16u), place = i32_load(${MEMORY}, ${stack} - 8u);
  u32 value;${ELEMENT} goto other_get;
  if (kind == ${INT32}u) value = i32_load(${MEMORY}, at + 4u * place);
  else if (kind == ${UINT8}u) value = i32_load8_u(${MEMORY}, at + place);
  else if (kind == ${UINT16}u) value = i32_load16_u(${MEMORY}, at + 2u * place);
  else goto other_get;
  i32_store(${MEMORY}, array, users - 1u);
  i64_store(${MEMORY}, ${stack} - 16u, value);
  ${nextStack} = ${stack} - 8u;
  goto ${loop};
}
other_get:;`,
};

const putElement: Operation = {
  name: 'put_array_el',
  code: 70,
  mark: /i32_load16_u\([^;]* \+ 6u\);\s+w2c_i1 = 2u;/,
  short: ({ stack, nextStack, loop }) => `
if (LIKELY(i32_load(${MEMORY}, ${stack} - 20u) == ${TAG_OBJECT}) &&
    LIKELY(!(i32_load(${MEMORY}, ${stack} - 12u) | i32_load(${MEMORY}, ${stack} - 4u)))) {
  const u32 array = i32_load(${MEMORY}, ${stack} - 24u), place = i32_load(${MEMORY}, ${stack} - 16u);
  const u32 value = i32_load(${MEMORY}, ${stack} - 8u);${ELEMENT} goto other_put;
  if (kind - ${INT32}u <= ${UINT32 - INT32}u) i32_store(${MEMORY}, at + 4u * place, value);
  else if (kind - ${INT8}u <= ${UINT8 - INT8}u) i32_store8(${MEMORY}, at + place, value);
  else if (kind - ${INT16}u <= ${UINT16 - INT16}u) i32_store16(${MEMORY}, at + 2u * place, value);
  else goto other_put;
  i32_store(${MEMORY}, array, users - 1u);
  ${nextStack} = ${stack} - 24u;
  goto ${loop};
}
other_put:;`,
};

export const OPERATIONS: readonly Operation[] = [
  reckoning('add', 155, /w2c_j1 \+= w2c_j2;/),
  reckoning('sub', 156, /w2c_j0 -= w2c_j1;/),
  // A product of 0 may be -0, which is no integer.
  reckoning('mul', 152, /w2c_j0 \*= w2c_j1;/, ' && result'),
  getElement,
  putElement,
];
