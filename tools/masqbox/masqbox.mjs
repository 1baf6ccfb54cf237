#!/usr/bin/env node
// The host tool's entry, package.json's `bin`: lets Node read TypeScript, then runs the tool (cli.ts).

import '../node-version.cjs';

const { register } = await import('tsx/esm/api');
register();
const { main } = await import('./cli.ts');
process.exitCode = await main(process.argv.slice(2));
