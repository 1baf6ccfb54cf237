// The translation to C, proved by running it: the C is compiled by the host's gcc as 32-bit code, with
// linear memory at an address that the test maps.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import asc from 'assemblyscript/asc';
import test from 'ava';
import { translateWasm, wasmRuntimeHeader, wasmToC } from './wasm2c.ts';

/** Exercises each width of access, bulk memory, constant offsets, division, and a float. */
const program = `
const text: usize = memory.data<u8>([104, 105]);
export function run(p: i32): i32 {
  store<i32>(p, 0x81828384, 0x40000);
  memory.copy(p + 0x40002, p + 0x40000, 4);
  memory.fill(p + 0x40008, 7, 3);
  let sum: i32 = load<i8>(p, 0x40003) as i32;
  sum += load<u16>(p, 0x40004) as i32;
  sum += load<u8>(p, 0x4000a) as i32;
  sum += (f64(p) * 0.5) as i32;
  return sum + load<u8>(text, 1) as i32 + p / 3;
}`;

test('wasmToC() gives C that computes what WebAssembly computes', async t => {
  const wasm = await compile(program);
  const memory = new WebAssembly.Memory({ initial: 8 });
  const { instance } = (await WebAssembly.instantiate(wasm, {
    env: { memory },
  })) as unknown as { instance: WebAssembly.Instance };
  const expected = [5, 64, 65535].map(p => (instance.exports['run'] as (p: number) => number)(p));
  for (const base of [0x20000000, '0x20010000']) {
    for (const offsets of [false, true]) {
      const source = await wasmToC(wasm, 'sample', base, { offsets });
      t.is(source.includes('#define PLACE('), offsets);
      t.deepEqual(runOnHost(source, Number(base)), expected);
    }
  }
});

test('translateWasm() leaves data segments out when asked', async t => {
  const wasm = await compile(program);
  const full = await translateWasm(wasm, 'sample', 0);
  const bare = await translateWasm(wasm, 'sample', 0, { withoutData: true });
  t.regex(full.source, /LOAD_DATA\(\(\*/);
  t.notRegex(bare.source, /data_segment_data|LOAD_DATA\(\(\*/);
  t.true(full.header.includes('Z_sampleZ_run'));
});

test('translateWasm() takes a base below 0 and reads no C library header', async t => {
  const { source } = await translateWasm(await compile(program), 'sample', -0x40000);
  t.true(source.includes('#define LINEAR_BASE 0xfffc0000u'));
  t.notRegex(source, /#include <(string|math|assert|stdlib|alloca)\.h>\n(?!#elif|#define)/);
});

test.serial('translateWasm() says what is wrong', async t => {
  const wasm = await compile(program);
  await t.throwsAsync(translateWasm(wasm, 'Bad-Name', 0), { message: /^Cannot translate module Bad-Name/ });
  await t.throwsAsync(translateWasm(wasm, 'sample', 2 ** 33), { message: /not a 32-bit address/ });
  await t.throwsAsync(translateWasm(new Uint8Array(8), 'sample', 0), {
    message: /^Cannot translate sample\.wasm to C: wasm2c says .*magic/,
  });
  const path = process.env['PATH'];
  process.env['PATH'] = '/nonexistent';
  const missing = translateWasm(wasm, 'sample', 0);
  await t.throwsAsync(missing, { message: /apt-get install wabt/ });
  process.env['PATH'] = path;
});

async function compile(source: string): Promise<Uint8Array> {
  const { binary, error, stderr } = await asc.compileString(source, {
    optimizeLevel: 3,
    runtime: 'stub',
    importMemory: true,
    noAssert: true,
  });
  if (error || binary === null) throw new Error(String(stderr));
  return binary;
}

/** Compiles the source with gcc -m32 and no C library headers, and answers what `run` said for each argument. */
function runOnHost(source: string, base: number): number[] {
  const folder = mkdtempSync(path.join(tmpdir(), 'masqbox-wasm2c-test-'));
  const harness = `
${source}
static wasm_rt_memory_t memory;
wasm_rt_memory_t* Z_envZ_memory(struct Z_env_instance_t* i) { return &memory; }
uint32_t wasm_rt_register_func_type(uint32_t p, uint32_t r, ...) { return 1; }
void wasm_rt_trap(wasm_rt_trap_t t) { __builtin_trap(); }
static int call(int n, int a, int b, int c, int d, int e) {
  int r;
  __asm__ volatile("int $0x80" : "=a"(r) : "a"(n), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e) : "memory");
  return r;
}
void _start(void) {
  static Z_sample_instance_t sample;
  static int arguments[] = {5, 64, 65535}, results[3];
  int request[] = {${base}, 0x80000, 3, 0x32, -1, 0};
  call(90, (int)request, 0, 0, 0, 0); // mmap
  Z_sample_init_module();
  Z_sample_instantiate(&sample, 0);
  for (int i = 0; i < 3; i++) results[i] = Z_sampleZ_run(&sample, arguments[i]);
  call(4, 1, (int)results, sizeof results, 0, 0); // write
  call(1, 0, 0, 0, 0, 0); // exit
}
`;
  try {
    writeFileSync(path.join(folder, 'wasm-rt.h'), wasmRuntimeHeader);
    writeFileSync(path.join(folder, 'sample.c'), harness);
    const program = path.join(folder, 'sample');
    const flags =
      '-m32 -march=i486 -O2 -ffreestanding -fno-pic -no-pie -static -nostdlib -fno-stack-protector -w';
    execFileSync('gcc', [...flags.split(' '), `-I${folder}`, path.join(folder, 'sample.c'), '-o', program]);
    const output = execFileSync(program);
    return [0, 4, 8].map(at => output.readInt32LE(at));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
