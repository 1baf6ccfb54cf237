// The dearest line of every setting, legal and illegal, as its form has it: what it costs to apply when it is saved, counted in
// operations of the engine's WebAssembly on the sim board, which are the same on every host. On the board an operation is
// some three instructions of the 486; a line must stay far below the 40 million that one step may take.
// Not here: texts full of them on the booted board (saved-lines.test.ts).

import test from 'ava';
import { createSimBoard } from '../board/sim/board.ts';
import { simDisk } from '../board/sim/disk.ts';
import { memoryMedium } from '../hal/disk/ata-model.ts';
import { engineWasm } from '../image/engine-wasm.ts';
import { encodeConfig, putConfig } from '../image/records.ts';
import { IMAGE_SECTORS, SECTOR_BYTES } from '../src/base/layout.ts';
import { LINE_LIMIT } from '../src/control/core/console/line-editor.ts';
import { type Parameter, parametersOf } from '../src/control/schema/grammar.ts';
import { consoleTable } from '../tools/console-table.ts';
import { TEST_MILLISECONDS } from './harness/whole.ts';
import { meter } from './metered.ts';

/** Lines of a kind in a text. */
const TIMES = 8;
const OPERATIONS_MOST = 1_500_000;

const DOMAIN = `${'a.'.repeat(126)}a`;
/** The longest and dearest words of each type. */
const DEAREST: Record<string, string> = {
  address: '192.168.0.222',
  prefix: '192.168.200.200/32',
  network: '192.168.200.200/32',
  name: 'a'.repeat(63),
  domain: DOMAIN,
  host: DOMAIN,
  client: `id:${'11:'.repeat(63)}11`,
  card: '52:54:00:12:34:56',
  zone: '<+12>-12:59:59<+13>-13:59:59,M10.5.6/167:59:59,M3.5.6/-167:59:59',
  hex: 'ab'.repeat(60),
  text: 'a'.repeat(60),
};

function dearest({ type, values, most }: Parameter): string {
  if (type === 'integer') return `${most}`;
  return values.length > 0 ? (values.at(-1) as string) : (DEAREST[type] ?? 'a'.repeat(60));
}

/** Lines of a setting: each word the dearest, as many as may be; spoilt at the end; of words and a word of all there is room for. */
function linesOf(words: string, parameters: readonly Parameter[]): string[] {
  let line = words;
  for (const parameter of parameters) {
    const word = dearest(parameter);
    for (let i = 0; i < parameter.times && line.length + word.length + 1 < LINE_LIMIT; i++)
      line += ` ${word}`;
  }
  const fill = (what: string): string =>
    `${words} ${what.repeat(LINE_LIMIT)}`.slice(0, LINE_LIMIT - 1).trimEnd();
  return [line, `${line}!`, fill('a '), fill('1.')];
}

/** Operations of a start with this text saved. */
async function start(wasm: Uint8Array<ArrayBuffer>, text: string): Promise<number> {
  const bytes = Buffer.alloc(IMAGE_SECTORS * SECTOR_BYTES);
  putConfig(bytes, 0, encodeConfig(1, text));
  let said = '';
  const disk = simDisk(memoryMedium(bytes));
  const board = await createSimBoard({ onFrame() {}, onOutput: output => (said += output), disk, wasm });
  const { value: before } = board.engine.exported['operations'] as { value: number };
  for (let i = 0; i < 3000 && !said.includes('masqbox> '); i++) board.advance(1);
  const { value } = board.engine.exported['operations'] as { value: number };
  if (!said.includes('masqbox> ') || said.includes('restarted')) throw new Error(`Cannot start: ${said}`);
  return (value - before) >>> 0;
}

test('the dearest line of each setting is bounded', async t => {
  t.timeout(2 * TEST_MILLISECONDS);
  const wasm = meter(engineWasm());
  const settings = consoleTable().filter(({ words }) => words.startsWith('set '));
  // Options are of many types, each with its own way to be read.
  const options = [119, 121, 12, 42, 67, 114, 224].flatMap(code =>
    ['10.0.0.0/8 192.168.0.2 ', '10.0.0.1 ', '255 ', '0x10 ', 'a.b.c.d.e ', 'a', '01:'].map(word =>
      `set dhcp option ${code} ${word.repeat(LINE_LIMIT)}`.slice(0, LINE_LIMIT - 1).trimEnd(),
    ),
  );
  const none = await start(wasm, `# ${'a'.repeat(LINE_LIMIT - 3)}\n`.repeat(TIMES));
  const lines = [...options, ...settings.flatMap(command => linesOf(command.words, parametersOf(command)))];
  const costs: [number, string][] = [];
  for (const line of new Set(lines)) {
    const all = await start(wasm, `${line}\n`.repeat(TIMES));
    costs.push([Math.round((all - none) / TIMES), line]);
  }
  costs.sort(([a], [b]) => b - a);
  for (const [operations, line] of costs.slice(0, 8))
    t.log(`${operations.toLocaleString('en-US')} ${line.length} characters: ${line.slice(0, 60)}`);
  t.true(costs.length > 150);
  t.deepEqual(
    costs.filter(([operations]) => operations > OPERATIONS_MOST),
    [],
  );
});
