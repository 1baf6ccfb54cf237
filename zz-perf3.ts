import { createSimBoard } from './board/sim/board.ts';
import { simDisk } from './board/sim/disk.ts';
import { memoryMedium } from './hal/disk/ata-model.ts';
import { engineWasm } from './image/engine-wasm.ts';
import { IMAGE_SECTORS, SECTOR_BYTES } from './src/base/layout.ts';
import { meter } from './test/metered.ts';
let said = '';
const disk = simDisk(memoryMedium(Buffer.alloc(IMAGE_SECTORS * SECTOR_BYTES)));
const board: any = await createSimBoard({ onFrame() {}, onOutput: (o: string) => (said += o), disk, wasm: meter(engineWasm()) });
const ops = () => (board.engine.exported['operations'].value >>> 0);
for (let i = 0; i < 3000 && !said.includes('masqbox> '); i++) board.advance(1);
function type(line: string): number {
  said = '';
  const before = ops();
  board.type(`${line}\r`);
  for (let i = 0; i < 5000 && !said.endsWith('masqbox> '); i++) board.advance(1);
  return (ops() - before) >>> 0;
}

const show = (line: string) => { const n = type(line); console.log(n, (n*3/31.25e3).toFixed(1)+' ms', line); };
for (const l of ['iptables -V','iptables -V','iptables -A FORWARD -p tcp --dport 80 -j ACCEPT']) type(l);
for (const l of ['#','# '+'a'.repeat(20),'# '+'a'.repeat(60),'iptables -V','iptables -V -w -w -w -w','iptables -C FORWARD -p tcp --dport 80 -j ACCEPT','iptables -V -p tcp --dport 80 -j ACCEPT','iptables -V -p tcp -p tcp --dport 80 -j ACCEPT','note x']) show(l);
process.exit(0);
