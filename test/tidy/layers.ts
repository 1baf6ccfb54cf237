// The layers of the house, by its imports: a file may import from the folders that its own row names, types as well. And
// circles: files that import each other, by whatever way round.
// Not here: the other rules (rules.ts).

import { dirname, join } from 'node:path';
import type { Complaint, File } from './rules.ts';
import { importsOf } from './source.ts';

/** A folder, and what it may import beside itself. */
export type Layer = readonly [folder: string, mayImport: readonly string[]];

/** A folder within another one goes before it. */
export const LAYERS: readonly Layer[] = [
  ['src/base', []],
  ['src/wire', ['src/base']],
  ['hal', ['src/base', 'src/wire']],
  ['src/plane', ['src/base', 'src/wire', 'hal']],
  ['board/sim', ['src', 'hal', 'board', 'firmware', 'image']],
  ['board', ['src/base', 'hal']],
  // Of the plane it has the types of the calls. The parts beside it are told apart by PART_EXCEPTIONS.
  ['src/control/core', ['src/base', 'src/wire', 'hal', 'firmware/plane.ts', 'src/control']],
  ['src/control', ['src/base', 'src/wire', 'hal', 'firmware/plane.ts', 'src/control/core']],
  ['firmware', ['src', 'hal', 'board']],
  // What an overlay is, and the form of the table of zones that the build makes for one.
  ['image', ['firmware', 'src/base', 'src/control/core/overlays.ts', 'src/control/time/zone-names.ts']],
  ['tools', ['src', 'hal', 'board', 'firmware', 'image', 'test']],
  ['test', ['src', 'hal', 'board', 'firmware', 'image', 'tools']],
];

const CONTROL = 'src/control/';
const CORE = 'core';
/**
 * Folders of src/control/ that import from each other all the same, which none should but from core: what a part needs of
 * another it declares as an interface, and control.ts gives it. This list only gets shorter: one that nobody needs is a complaint.
 */
export const PART_EXCEPTIONS: readonly string[] = [];

/** What tests are made of lies beside what they test, and may import anything. */
const FOR_TESTS = /(\.test|-lab|-model)\.ts$/;
const isIn = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** The files that are built or run, each with those that it imports. */
function graph(files: readonly File[]): Map<string, string[]> {
  const own = files.filter(({ path }) => path.endsWith('.ts') && !FOR_TESTS.test(path));
  const paths = new Set(own.map(({ path }) => path));
  const edges = new Map<string, string[]>();
  for (const { path, text } of own) {
    const targets = importsOf(text)
      .filter(name => name.startsWith('.'))
      .map(name => join(dirname(path), name))
      .map(target => (paths.has(target) ? target : `${target}.ts`));
    edges.set(
      path,
      [...new Set(targets)].filter(target => paths.has(target)),
    );
  }
  return edges;
}

/** Imports that the table does not allow. */
export function uphill(files: readonly File[], layers: readonly Layer[] = LAYERS): Complaint[] {
  const complaints: Complaint[] = [];
  for (const [path, targets] of graph(files)) {
    const layer = layers.find(([folder]) => isIn(path, folder));
    if (layer === undefined) continue;
    const [folder, mayImport] = layer;
    for (const target of targets) {
      const home = layers.find(([other]) => isIn(target, other))?.[0];
      if (home !== folder && !mayImport.some(other => isIn(target, other)))
        complaints.push(`${path}: imports ${target}, which is no folder below ${folder}`);
    }
  }
  return complaints;
}

/** The part of control in whose folder a file lies; undefined for src/control/control.ts, and outside. */
function partOf(path: string): string | undefined {
  const [part, ...rest] = path.startsWith(CONTROL) ? path.slice(CONTROL.length).split('/') : [];
  return rest.length > 0 ? part : undefined;
}

/** Imports from one part of control to another, or from core to a part; and exceptions that nobody needs. */
export function acrossParts(files: readonly File[], exceptions = PART_EXCEPTIONS): Complaint[] {
  const complaints: Complaint[] = [];
  const needed = new Set<string>();
  for (const [path, targets] of graph(files)) {
    const part = partOf(path);
    if (part === undefined) continue;
    for (const target of targets) {
      const other = partOf(target);
      if (other === part || other === CORE || !target.startsWith(CONTROL)) continue;
      const way = `${part} -> ${other}`;
      if (exceptions.includes(way)) needed.add(way);
      else complaints.push(`${path}: imports ${target}, which is another part's`);
    }
  }
  const idle = exceptions
    .filter(way => !needed.has(way))
    .map(way => `${way} is no longer needed as an exception`);
  return [...complaints, ...idle];
}

/** Files that import each other (R. Tarjan, "Depth-First Search and Linear Graph Algorithms"), each circle sorted. */
export function circles(files: readonly File[]): string[][] {
  const edges = graph(files);
  const found: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const visit = (path: string): void => {
    order.set(path, order.size);
    lowest.set(path, order.get(path) as number);
    open.push(path);
    for (const target of edges.get(path) ?? []) {
      if (!order.has(target)) visit(target);
      if (open.includes(target))
        lowest.set(path, Math.min(lowest.get(path) as number, lowest.get(target) as number));
    }
    if (lowest.get(path) !== order.get(path)) return;
    const circle = open.splice(open.indexOf(path));
    if (circle.length > 1) found.push(circle.sort());
  };
  for (const path of edges.keys()) if (!order.has(path)) visit(path);
  return found.sort((a, b) => b.length - a.length);
}

/** A file in a list of a text, and how far in it stands. */
const STEP = /^( *)- `([^`]+\.ts)`/gm;

/** Lists of files in a text of which one does not import those that stand below it one step further in. */
export function walks(text: string, files: readonly File[]): Complaint[] {
  const edges = graph(files);
  const above: string[] = [];
  const complaints: Complaint[] = [];
  for (const [, blanks = '', path = ''] of text.matchAll(STEP)) {
    const depth = blanks.length / 4;
    const from = above[depth - 1];
    above.length = depth;
    above[depth] = path;
    if (!edges.has(path)) complaints.push(`${path} is not there`);
    else if (depth > 0 && !edges.get(from ?? '')?.includes(path))
      complaints.push(`${from} does not import ${path}`);
  }
  return complaints;
}
