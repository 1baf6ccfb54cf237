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
const idle = (() => { const b = ops(); for (let i = 0; i < 100; i++) board.advance(1); return ((ops() - b) >>> 0) / 100; })();
console.log('idle a tick', idle);
for (const line of ['note hello the world of this kind', 'show memory', 'iptables -V', 'iptables -A FORWARD -p tcp --dport 80 -j ACCEPT', 'iptables -A FORWARD -p tcp --dport 80 -j ACCEPT','iptables -A FORWARD -i eth0 -o eth1 -s 192.168.0.0/24 -p tcp --dport 80 -m state --state NEW -j ACCEPT','iptables -A FORWARD -i eth0 -o eth1 -s 192.168.0.0/24 -p tcp --dport 80 -m state --state NEW -j ACCEPT','iptables -A INPUT -m limit --limit 3/min --limit-burst 5 -j LOG --log-prefix "INPUT: " --log-level 7', 'iptables -t nat -A PREROUTING -i eth1 -p tcp --dport 80 -j DNAT --to-destination 192.168.0.2:80', 'iptables -N foo', 'iptables -A foo -p icmp --icmp-type echo-request -j DROP', 'iptables -A FORWARD -j foo','iptables -D FORWARD 1', 'iptables -L -n -v', 'iptables -S', 'show memory'])
  { const n = type(line); console.log(n, (n*3/31.25e3).toFixed(1)+' ms', line, line.startsWith('show')? said.split('\r\n').filter(l=>/heap|rules/.test(l)).join(' '): ''); }
for (let i = 0; i < 200; i++) type(`iptables -A FORWARD -p tcp -s 10.0.${i}.0/24 --dport ${i+1} -j ACCEPT`);
console.log('with 200 rules', type('iptables -A FORWARD -p tcp -s 10.1.0.0/24 --dport 80 -j ACCEPT'), type('iptables -A INPUT -p tcp -s 10.1.0.0/24 --dport 80 -j ACCEPT'), type('iptables -A FORWARD -j foo'));
said=''; type('iptables -S FORWARD'); 
const lines = ['*filter', ':INPUT ACCEPT [0:0]', ':FORWARD ACCEPT [0:0]', ':OUTPUT ACCEPT [0:0]'];
for (let i = 0; i < 300; i++) lines.push(`-A FORWARD -s 10.2.${i&255}.0/24 -i eth0 -p tcp -m tcp --dport ${i+1} -m state --state NEW -j ACCEPT`);
lines.push('COMMIT');
said = '';
let before = ops();
board.type('iptables-restore\r'); for (let i = 0; i < 50; i++) board.advance(1);
console.log('begin', (ops()-before)>>>0); before = ops();
let ticks = 0;
for (const l of lines) { board.type(l + '\r'); for (let i = 0; i < 3; i++) board.advance(1); ticks += 3; }
for (let i = 0; i < 300; i++) board.advance(1);
const n = (ops()-before)>>>0;
console.log('restore lines', n, 'ms', n*3/31.25e3, 'a line', n*3/31.25e3/300);
before = ops(); board.type('end\r'); for (let i = 0; i < 100; i++) board.advance(1);
console.log(said.slice(-300));
console.log(type('iptables -S FORWARD'), said.split('\n').length);
process.exit(0);
