// The linked kernel must run on a 486. QEMU's `-cpu 486` refuses CMOV, CMPXCHG8B and SSE but lets RDTSC and
// CPUID through, so the code itself is read: every instruction that the disassembler finds must be one that
// the 486 has. Needs build/kernel.elf (`npm run image`).
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import test from 'ava';

const kernel = new URL('../build/kernel.elf', import.meta.url).pathname;

/** Mnemonics of processors after the 486: the Pentium's, the Pentium Pro's, MMX, SSE. */
const TOO_NEW =
  /^(rdtsc|cpuid|rdmsr|wrmsr|rdpmc|rsm|cmpxchg8b|cmov\w+|fcmov\w+|fcomip?|fucomip?|sysenter|sysexit|ud1|emms|prefetch\w*|[lms]fence|pause|endbr32|movnti|popcnt|lzcnt|tzcnt|\w*xmm\w*|\w*ss|\w*sd|\w*ps|\w*pd)$/;
/** Names that the pattern's tail would catch although the 486 has them. */
const OLD = new Set(['fstps', 'bts', 'lss', 'movss', 'ins', 'outs', 'lods', 'stos', 'movs', 'cmps', 'scas']);

function mnemonics(elf: string): Map<string, number> {
  const listing = execFileSync('objdump', ['-d', '--no-show-raw-insn', elf], {
    maxBuffer: 1 << 28,
  }).toString();
  const found = new Map<string, number>();
  for (const line of listing.split('\n')) {
    const match = /^\s*[0-9a-f]+:\s+((?:(?:rep[nz]*|lock|data16|addr16|[c-g]s) )*)(\S+)\s*(.*)/.exec(line);
    if (match === null) continue;
    const name = match[2] as string;
    const operands = match[3] as string;
    const key = /%(xmm|ymm|mm[0-7])/.test(operands) ? `${name} xmm` : name;
    found.set(key, (found.get(key) ?? 0) + 1);
  }
  return found;
}

test('the kernel has no instruction that a 486 lacks', t => {
  if (!existsSync(kernel)) return t.fail('build/kernel.elf is not there: npm run image');
  const found = mnemonics(kernel);
  t.true((found.get('mov') ?? 0) > 10_000, 'the disassembly is not of the whole kernel');
  const bad = [...found.keys()].filter(
    name => name.endsWith(' xmm') || (TOO_NEW.test(name) && !OLD.has(name)),
  );
  t.deepEqual(bad, []);
});

test('the check itself sees what must not be there', t => {
  for (const name of ['rdtsc', 'cpuid', 'cmove', 'cmpxchg8b', 'fcomi', 'addsd', 'endbr32'])
    t.regex(name, TOO_NEW);
  for (const name of ['mov', 'bswap', 'xadd', 'cmpxchg', 'invlpg', 'wbinvd', 'fcom', 'fucompp', 'lgdt'])
    t.notRegex(name, TOO_NEW);
});

test('interrupts do not touch the FPU: floor and plane are compiled without it', t => {
  const listing = execFileSync('objdump', ['-d', '--no-show-raw-insn', kernel], {
    maxBuffer: 1 << 28,
  }).toString();
  const functions = listing.split(/\n(?=[0-9a-f]{8} <)/);
  const plane = functions.filter(text =>
    /^[0-9a-f]{8} <(trap|plane_interrupt|plane_tick|clock_\w+|Z_planeZ_\w+|w2c_src_\w+|w2c_hal_\w+)>/.test(
      text,
    ),
  );
  t.true(plane.length > 20, 'the plane is not in the kernel');
  const floating = plane.filter(text => /\sf(ld|st|add|sub|mul|div|ild|ist|com|ucom)\w*\s/.test(text));
  t.deepEqual(
    floating.map(text => text.split('\n')[0]),
    [],
  );
});
