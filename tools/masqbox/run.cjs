// Lets Node read TypeScript, then runs the host tool (cli.ts).

'use strict';

async function run() {
  const { register } = await import('tsx/esm/api');
  register();
  const { main } = await import('./cli.ts');
  process.exitCode = await main(process.argv.slice(2));
}

run();
