// `npm run bench -- queue`: what people wait for on a slow line beside three uploads, by one FIFO and by queues, in virtual time
// (test/queue-lab.ts): the plane's JavaScript, no board.

import { javascriptBuild } from '../../tools/builds.ts';
import { HOST, OTHER } from '../plane-router.ts';
import { type LineOptions, longest, middle, runLine } from '../queue-lab.ts';

const RATES = [9600, 33600, 57600, 128000, 512000];
const SECONDS = 120;

export async function queue(): Promise<void> {
  const build = javascriptBuild();
  console.log(
    '\n| line, MTU 576 | waiting by | ping: middle, longest | telnet key | DNS answer | upload |\n| --- | --- | ---: | ---: | ---: | ---: |',
  );
  for (const rate of RATES) {
    const cases: [string, LineOptions][] = [
      ['nothing else on the line', { rate }],
      ['one FIFO', { rate, uploads: 3 }],
      ['queues, another host uploads', { rate, uploads: 3, queues: 'host', prober: OTHER }],
      ['queues, the same host uploads', { rate, uploads: 3, queues: 'host', prober: HOST }],
      ['queues, fair by flow', { rate, uploads: 3, queues: 'flow' }],
    ];
    for (const [name, options] of cases) {
      const { ping, key, name: names, up } = runLine(build, { ...options, seconds: SECONDS });
      const both = (times: number[]): string => `${middle(times)}, ${longest(times)} ms`;
      const part = options.uploads === undefined ? '' : `${Math.round((up * 800) / rate)} %`;
      console.log(
        `| ${rate.toLocaleString('en-US')} b/s | ${name} | ${both(ping)} | ${both(key)} | ${both(names)} | ${part} |`,
      );
    }
  }
}
