import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { CALLED, planePath, SELDOM, WAYS } from './plane-path.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

test('the functions of a frame’s way are where their names say', t => {
  const names = [...WAYS, ...CALLED, ...SELDOM];
  for (const name of names) {
    const source = readFileSync(path.join(root, `${path.dirname(name)}.ts`), 'utf8');
    t.regex(source, new RegExp(`^(export )?function ${path.basename(name)}\\(`, 'm'), name);
  }
  t.is(planePath.size, names.length);
  t.is(planePath.get('w2c_src_plane_service_takeFrame'), 'flatten');
});
