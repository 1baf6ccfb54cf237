// Translates a WebAssembly module to C for a board without libc: Debian's wasm2c (package wabt, 1.0.32)
// writes the C, and this file replaces how that C reaches memory. wasm2c checks bounds and chases a pointer
// at each access; here linear memory lies at one constant address, so an access is one instruction. What
// lies outside is the page tables' affair. Calls through the function table stay checked.
//
// Not here: the eight functions that a floor must define (the end of wasmRuntimeHeader names them), and
// AssemblyScript (plane-wasm.ts).

import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { withOffsets } from './wasm-address.ts';

const run = promisify(execFile);

/** A translated module: C source that includes `<moduleName>.h`, and that header. */
export interface Translation {
  source: string;
  header: string;
}

export interface TranslationOptions {
  /** Leave the data segments out: for a module whose memory is restored from a snapshot anyway. */
  withoutData?: boolean;
  /** Leave the numbers that are added to addresses to the accesses (wasm-address.ts). */
  offsets?: boolean;
  /** gcc's attributes of functions, by the names that wasm2c gives them. */
  attributes?: ReadonlyMap<string, string>;
}

/** Translates `wasm` to one self-contained C source (its header inlined); `base` is where address 0 lies. */
export async function wasmToC(
  wasm: Uint8Array,
  moduleName: string,
  base: number | string,
  options: TranslationOptions = {},
): Promise<string> {
  const { source, header } = await translateWasm(wasm, moduleName, base, options);
  return replaceOnce(source, `#include "${moduleName}.h"`, header);
}

/** Like wasmToC, with the header apart, for other C files to include. */
export async function translateWasm(
  wasm: Uint8Array,
  moduleName: string,
  base: number | string,
  options: TranslationOptions = {},
): Promise<Translation> {
  if (!/^[a-z][a-z0-9]*$/.test(moduleName)) {
    throw new Error(`Cannot translate module ${moduleName}: the name must be lower-case letters and digits`);
  }
  const folder = await mkdtemp(path.join(tmpdir(), 'masqbox-wasm2c-'));
  try {
    const input = path.join(folder, `${moduleName}.wasm`);
    const output = path.join(folder, `${moduleName}.c`);
    await writeFile(input, wasm);
    await runWasm2c(input, output, moduleName);
    const source = await readFile(output, 'utf8');
    const header = await readFile(path.join(folder, `${moduleName}.h`), 'utf8');
    return { source: adapt(source, hexAddress(base), options), header };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runWasm2c(input: string, output: string, moduleName: string): Promise<void> {
  try {
    await run('wasm2c', [input, '-o', output, '-n', moduleName]);
  } catch (error) {
    const { code, stderr } = error as { code?: unknown; stderr?: string };
    if (code === 'ENOENT') {
      throw new Error('Cannot run wasm2c: it is not installed (Debian: apt-get install wabt)');
    }
    throw new Error(
      `Cannot translate ${moduleName}.wasm to C: wasm2c says ${String(stderr ?? error).trim()}`,
    );
  }
}

/** A base as C wants it. Negative numbers are what they are modulo 2^32: -0x40000 is 0xfffc0000. */
function hexAddress(base: number | string): string {
  const value = Number(base);
  if (!Number.isSafeInteger(value) || value < -(2 ** 31) || value >= 2 ** 32) {
    throw new Error(`Cannot place linear memory at ${base}: not a 32-bit address`);
  }
  return `0x${(value >>> 0).toString(16).padStart(8, '0')}u`;
}

// Integer arithmetic, not pointer arithmetic: with a base below 0 the sum wraps, which C leaves undefined
// for pointers. The types are 4 bytes wide, so gcc drops the upper half of wasm2c's 64-bit sums. The
// accesses go through __builtin_memcpy, which neither assumes alignment nor a type.
function memoryAccess(base: string): string {
  return `
#define LINEAR_BASE ${base}
#define LINEAR(address) ((u8*)(LINEAR_BASE + (u32)(address)))
#define LOAD_DATA(m, o, i, s) __builtin_memcpy(LINEAR(o), i, s)
#define DEFINE_LOAD(name, t1, t2, t3)                                                          \\
  static inline __attribute__((always_inline)) t3 name(wasm_rt_memory_t* mem, u32 address) {   \\
    t1 result;                                                                                 \\
    (void)mem;                                                                                 \\
    __builtin_memcpy(&result, LINEAR(address), sizeof(t1));                                    \\
    return (t3)(t2)result;                                                                     \\
  }
#define DEFINE_STORE(name, t1, t2)                                                             \\
  static inline __attribute__((always_inline)) void name(wasm_rt_memory_t* mem, u32 address,   \\
                                                         t2 value) {                           \\
    t1 wrapped = (t1)value;                                                                    \\
    (void)mem;                                                                                 \\
    __builtin_memcpy(LINEAR(address), &wrapped, sizeof(t1));                                   \\
  }

`;
}

/** The few C library names in the output: gcc's own, which work without headers and become instructions. */
const builtins = `
#define assert(x) ((void)0)
#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset
#define isnan __builtin_isnan
#define signbit __builtin_signbit
#define NAN __builtin_nanf("")
#define INFINITY __builtin_inff()
${['floor', 'ceil', 'trunc', 'nearbyint', 'fabs', 'sqrt', 'copysign']
  .map(name => `#define ${name} __builtin_${name}\n#define ${name}f __builtin_${name}f\n`)
  .join('')}`;

/** wasm2c's output with our memory access, and without the C library's headers. */
function adapt(source: string, base: string, options: TranslationOptions): string {
  const includes = /#include <assert\.h>[\s\S]*?#include <alloca\.h>\n#endif\n/;
  if (!includes.test(source)) throw unknownOutput('its list of headers');
  let c = source.replace(includes, () => `#include <stddef.h>\n#include <stdint.h>\n`);
  c = c.replace(/(#include "\w+\.h"\n)/, (_, line: string) => line + builtins);
  c = replaceBetween(c, '#if WABT_BIG_ENDIAN\n', 'DEFINE_LOAD(i32_load, u32', memoryAccess(base));
  c = replaceOnce(
    c,
    '  RANGE_CHECK(mem, d, n);\n  memset(mem->data + d, val, n);',
    '  (void)mem;\n  memset(LINEAR(d), val, n);',
  );
  c = replaceOnce(
    c,
    '  RANGE_CHECK(dest, dest_addr, n);\n  RANGE_CHECK(src, src_addr, n);\n' +
      '  memmove(dest->data + dest_addr, src->data + src_addr, n);',
    '  (void)dest;\n  (void)src;\n  memmove(LINEAR(dest_addr), LINEAR(src_addr), n);',
  );
  if (options.offsets) c = withOffsets(c);
  c = withAttributes(c, options.attributes ?? new Map());
  return options.withoutData ? dropData(c) : c;
}

/** Puts attributes before the declarations of functions. */
function withAttributes(c: string, attributes: ReadonlyMap<string, string>): string {
  return c.replace(/^static (?=\w+ (w2c_\w+)\(Z_\w+_instance_t\*.*\);$)/gm, (text, name: string) => {
    const attribute = attributes.get(name);
    return attribute === undefined ? text : `${text}__attribute__((${attribute})) `;
  });
}

/** Takes out the data segments and what copies them into memory. */
function dropData(c: string): string {
  return c
    .replace(/^static const u8 data_segment_data_\w+\[\] = \{\n[\s\S]*?^\};\n/gm, '')
    .replace(/^ {2}LOAD_DATA\(\(\*.*\);\n/gm, '');
}

function replaceBetween(text: string, from: string, to: string, replacement: string): string {
  const start = text.indexOf(from);
  const end = text.indexOf(to, start);
  if (start < 0 || end < 0) throw unknownOutput(JSON.stringify(start < 0 ? from : to));
  return text.slice(0, start) + replacement + text.slice(end);
}

function replaceOnce(text: string, from: string, replacement: string): string {
  return replaceBetween(text, from, from, '').replace(from, () => replacement);
}

function unknownOutput(missing: string): Error {
  return new Error(`Cannot adapt the output of wasm2c: ${missing} is not in it (wabt 1.0.32 is supported)`);
}

/** wasm-rt.h for a board: types and the functions that the floor defines. Needs no C library. */
export const wasmRuntimeHeader = `// What C translated from WebAssembly needs. Written by image/wasm2c.ts.
#ifndef WASM_RT_H_
#define WASM_RT_H_
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UNLIKELY(x) __builtin_expect(!!(x), 0)
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define WASM_RT_MEMCHECK_SIGNAL_HANDLER 1
#define WASM_RT_USE_STACK_DEPTH_COUNT 0

typedef enum {
  WASM_RT_TRAP_NONE,
  WASM_RT_TRAP_OOB,
  WASM_RT_TRAP_INT_OVERFLOW,
  WASM_RT_TRAP_DIV_BY_ZERO,
  WASM_RT_TRAP_INVALID_CONVERSION,
  WASM_RT_TRAP_UNREACHABLE,
  WASM_RT_TRAP_CALL_INDIRECT,
  WASM_RT_TRAP_UNCAUGHT_EXCEPTION,
  WASM_RT_TRAP_EXHAUSTION
} wasm_rt_trap_t;

typedef enum {
  WASM_RT_I32,
  WASM_RT_I64,
  WASM_RT_F32,
  WASM_RT_F64,
  WASM_RT_FUNCREF,
  WASM_RT_EXTERNREF
} wasm_rt_type_t;

typedef void (*wasm_rt_function_ptr_t)(void);
typedef struct {
  uint32_t func_type;
  wasm_rt_function_ptr_t func;
  void* module_instance;
} wasm_rt_funcref_t;
typedef void* wasm_rt_externref_t;
static const wasm_rt_funcref_t wasm_rt_funcref_null_value __attribute__((unused)) = {0, 0, 0};
static const wasm_rt_externref_t wasm_rt_externref_null_value __attribute__((unused)) = 0;

// Only pages is ever read (memory.size): the memory itself lies at a constant address.
typedef struct {
  uint8_t* data;
  uint32_t pages, max_pages, size;
} wasm_rt_memory_t;
typedef struct {
  wasm_rt_funcref_t* data;
  uint32_t max_size, size;
} wasm_rt_funcref_table_t;
typedef struct {
  wasm_rt_externref_t* data;
  uint32_t max_size, size;
} wasm_rt_externref_table_t;

// The floor defines these, as far as a module uses them, and memcpy, memmove, memset.
__attribute__((noreturn)) void wasm_rt_trap(wasm_rt_trap_t reason);
uint32_t wasm_rt_register_func_type(uint32_t params, uint32_t results, ...);
void wasm_rt_allocate_memory(wasm_rt_memory_t* memory, uint32_t pages, uint32_t max_pages);
uint32_t wasm_rt_grow_memory(wasm_rt_memory_t* memory, uint32_t pages);
void wasm_rt_free_memory(wasm_rt_memory_t* memory);
void wasm_rt_allocate_funcref_table(wasm_rt_funcref_table_t* table, uint32_t elements, uint32_t max);
void wasm_rt_free_funcref_table(wasm_rt_funcref_table_t* table);
bool wasm_rt_is_initialized(void);
#endif
`;
