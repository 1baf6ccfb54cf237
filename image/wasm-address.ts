// How the C of a translated module reaches linear memory, made fit for gcc: a number that is added to an address goes into the
// access itself, as the processor's instruction has room for it. wasm2c adds it in a line of its own; gcc makes one sum for all
// accesses to that place, and where it has no register for it that is two instructions an access and the stack's.
//
//     w2c_i0 = w2c_p0;                                          w2c_i0 = w2c_p0;
//     w2c_i1 = 50u;                                     ->
//     w2c_i0 += w2c_i1;
//     w2c_i0 = i32_load(M, (u64)(w2c_i0) + 262144u);            w2c_i0 = i32_load(M, w2c_i0, 50u + 262144u);
//
// An access is one to a member of a structure that begins at the address, for that is what gcc never takes apart. Its sums wrap,
// as gcc is told for pointers; it assumes neither alignment nor a type.
// Not here: what an access is in C otherwise (wasm2c.ts).

const PLACE = `#define PLACE(type, address, offset)                                        \\
  (((struct __attribute__((packed, may_alias)) {                                            \\
    u8 before[LINEAR_BASE + (offset)];                                                      \\
    type value;                                                                             \\
  }*)(address))->value)
`;
const LOAD = /^DEFINE_LOAD\((\w+), (\w+), (\w+), (\w+)\)$/gm;
const STORE = /^DEFINE_STORE\((\w+), (\w+), (\w+)\)$/gm;
const ACCESS = /^(.*\b[if]\d\d_(?:load|store)\w*\([^,]+, )\(u64\)\((w2c_i\d+)\)(?: \+ (\d+)u?)?([,)].*)$/;
const CONSTANT = /^\s*(w2c_i\d+) = (\d+)u;$/;
const SUM = /^\s*(w2c_i\d+) \+= (w2c_i\d+);$/;
/** What a way from elsewhere may reach. */
const LABEL = /^\s*w2c_\w+:/;

/** A source with each access as `access(memory, address, number, ...)`. gcc must be told that pointers wrap. */
export function withOffsets(source: string): string {
  const lines: string[] = [];
  const definitions = source
    .replace(LOAD, '#define $1(mem, address, offset) (($4)($3)PLACE($2, address, offset))')
    .replace(STORE, '#define $1(mem, address, offset, stored) (PLACE($2, address, offset) = ($2)(stored))')
    .replace('#define i32_load(', found => PLACE + found);
  for (const line of definitions.split('\n')) {
    const access = ACCESS.exec(line);
    if (access === null) {
      lines.push(line);
      continue;
    }
    const [, before, address, offset = '0', after] = access;
    lines.push(`${before}${address}, ${takeConstant(lines, line, address as string)}${offset}u${after}`);
  }
  return lines.join('\n');
}

/** Takes out the lines that add a constant to the address of the access at `line`, if it is nothing else by then. */
function takeConstant(lines: string[], line: string, address: string): string {
  for (let at = lines.length - 1; at > 0; at--) {
    const text = lines[at] as string;
    if (LABEL.test(text) || indent(text) < indent(line)) return '';
    if (!new RegExp(`\\b${address}\\b`).test(text)) continue;
    const number = constantAdded(text, lines[at - 1] as string, address);
    if (number === undefined || indent(text) !== indent(line)) return '';
    lines.splice(at - 1, 2);
    return `${number}u + `;
  }
  return '';
}

function constantAdded(text: string, before: string, address: string): string | undefined {
  const [, sum, addend] = SUM.exec(text) ?? [];
  const [, name, number] = CONSTANT.exec(before) ?? [];
  return sum === address && addend === name ? number : undefined;
}

function indent(text: string): number {
  return text.length - text.trimStart().length;
}
