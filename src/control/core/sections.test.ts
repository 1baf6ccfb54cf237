// Sections with parts made up: one that takes all of its lines or none, as rules do, and lives in control; one whose lines
// take effect one by one. Not here: 64 KB of lines and the disk (store/long.test.ts), a real one (../rules/).

import test from 'ava';
import { controlLab } from '../../../test/control-lab.ts';
import { MASQUERADE_AT } from '../../base/limits.ts';
import { Refusal } from './console/command.ts';
import { createRegistry } from './registry.ts';
import type { Section } from './section.ts';
import { Sections } from './sections.ts';
import { isRefused } from './store/refused.ts';

/** Where a text has room in the plane's memory. */
const TEXT_AT = MASQUERADE_AT;

/** What a section was asked to do, and what is in force by it. */
interface Made extends Section {
  calls: string[];
  inForce: string[];
}

function refuse(line: string): void {
  if (line.includes('bad')) throw new Refusal(`Cannot take ${line}: it is bad`);
}

/** All or nothing. `endRefuses` is a line with which all of them together are refused. */
function whole(endRefuses = 'none such'): Made {
  let gathered: string[] = [];
  const calls: string[] = [];
  const made: Made = {
    ...{ words: ['rule', 'policy'], calls, inForce: [] },
    take: line => {
      calls.push(`take ${line}`);
      refuse(line);
      gathered.push(line);
    },
    clear: () => {
      calls.push('clear');
      made.inForce = [];
    },
    begin: () => {
      calls.push('begin');
      gathered = [];
    },
    end: isTaken => {
      calls.push(`end ${isTaken}`);
      if (isTaken && gathered.includes(endRefuses))
        throw new Refusal('Cannot take the rules: they go in a circle');
      if (isTaken) made.inForce = gathered;
      gathered = [];
    },
  };
  return made;
}

/** Line by line. */
function lineByLine(more: Partial<Section> = {}): Made {
  const calls: string[] = [];
  const made: Made = {
    ...{ words: ['memo'], calls, inForce: [], ...more },
    take: line => {
      calls.push(`take ${line}`);
      refuse(line);
      made.inForce.push(line);
    },
    clear: () => {
      calls.push('clear');
      made.inForce = [];
    },
  };
  return made;
}

function run<T>(job: Generator<number, T, void>): T {
  for (;;) {
    const result = job.next();
    if (result.done === true) return result.value;
  }
}

function lab(...parts: Section[]) {
  const { context, memory } = controlLab();
  const sections = new Sections(context.machine);
  sections.reset();
  sections.draft.clear();
  for (const part of parts) sections.add(part);
  const draft = (...lines: string[]): void => {
    sections.draft.clear();
    for (const line of lines) sections.draft.append(sections.of(line), `${line}\n`);
  };
  const lines = (): string[] => {
    const found: string[] = [];
    const reader = sections.reader(sections.now);
    for (let line = reader.next(); line !== undefined; line = reader.next()) found.push(line);
    return found;
  };
  return { context, memory, sections, draft, lines };
}

test.serial('a draft is brought about: gathered, then in force all at once', t => {
  const rules = whole();
  const { sections, draft, lines } = lab(rules);
  draft('rule 1', 'policy drop', 'rule 2');
  t.deepEqual(run(sections.bringAbout()), []);
  t.deepEqual(rules.calls, ['begin', 'take rule 1', 'take policy drop', 'take rule 2', 'end true']);
  t.deepEqual(rules.inForce, ['rule 1', 'policy drop', 'rule 2']);
  t.deepEqual(lines(), rules.inForce);
});

test.serial(
  'a line that is refused in the middle leaves what was in force, of the sections before, too',
  t => {
    const [memos, rules] = [lineByLine(), whole()];
    const { sections, draft, lines } = lab(memos, rules);
    draft('memo a', 'rule 1', 'rule 2');
    t.deepEqual(run(sections.bringAbout()), []);
    rules.calls.length = 0;
    draft('memo b', 'rule 3', 'rule bad', 'rule 4');
    t.deepEqual(run(sections.bringAbout()), ['Cannot take rule bad: it is bad']);
    t.deepEqual(rules.calls, ['begin', 'take rule 3', 'take rule bad', 'take rule 4', 'end false']);
    t.deepEqual(rules.inForce, ['rule 1', 'rule 2']);
    t.deepEqual(memos.inForce, ['memo a']);
    t.deepEqual(lines(), ['memo a', 'rule 1', 'rule 2']);
    // The draft is as it was: mended, it can be had.
    draft('memo b', 'rule 3');
    t.deepEqual(run(sections.bringAbout()), []);
    t.deepEqual([memos.inForce, rules.inForce], [['memo b'], ['rule 3']]);
  },
);

test.serial('what is refused as a whole leaves what was in force', t => {
  const rules = whole('rule round');
  const { sections, draft, lines } = lab(rules);
  draft('rule 1');
  run(sections.bringAbout());
  draft('rule 2', 'rule round');
  t.deepEqual(run(sections.bringAbout()), ['Cannot take the rules: they go in a circle']);
  t.deepEqual(rules.inForce, ['rule 1']);
  t.deepEqual(lines(), ['rule 1']);
});

test.serial(
  'a draft without lines of a section takes them away, and one that is the same is left alone',
  t => {
    const [memos, rules] = [lineByLine(), whole()];
    const { sections, draft } = lab(memos, rules);
    draft('memo a', 'rule 1');
    run(sections.bringAbout());
    memos.calls.length = 0;
    draft('memo a');
    t.deepEqual(run(sections.bringAbout()), []);
    t.deepEqual(rules.inForce, []);
    t.deepEqual(memos.calls, []);
  },
);

test.serial(
  'after the death of control what was its own is taken again, and what is in the plane is not',
  t => {
    const [memos, rules] = [lineByLine({ inPlane: true }), whole()];
    const { context, sections, draft } = lab(memos, rules);
    draft('memo a', 'rule 1', 'rule 2');
    run(sections.bringAbout());
    const [memosAgain, rulesAgain] = [lineByLine({ inPlane: true }), whole()];
    const again = new Sections(context.machine);
    again.add(memosAgain);
    again.add(rulesAgain);
    t.deepEqual(run(again.takeAgain()), []);
    t.deepEqual(memosAgain.calls, []);
    t.deepEqual(rulesAgain.calls, ['begin', 'take rule 1', 'take rule 2', 'end true']);
    t.deepEqual(rulesAgain.inForce, ['rule 1', 'rule 2']);
  },
);

test.serial(
  'of a saved text with a refused line of a section of all or nothing none of its lines is in force',
  t => {
    const { context, memory } = lab();
    const [memos, rules] = [lineByLine(), whole()];
    const registry = createRegistry(context.machine, context.log, []);
    registry.sections.add(memos);
    registry.sections.add(rules);
    const text = 'memo a\nrule 1\nmemo bad\nrule bad\nrule 2\nmemo b\n';
    memory.set(Buffer.from(text, 'latin1'), TEXT_AT);
    const told = run(registry.apply({ at: TEXT_AT, bytes: text.length }));
    t.deepEqual(told.slice(0, 2), ['Cannot take memo bad: it is bad', 'Cannot take rule bad: it is bad']);
    t.deepEqual(rules.inForce, []);
    t.is(rules.calls.at(-1), 'end false');
    t.deepEqual(memos.inForce, ['memo a', 'memo b']);
    t.deepEqual(
      [1, 2, 3, 4, 5, 6].filter(number => isRefused(number)),
      [2, 3, 4, 5],
    );
    const { sections } = registry;
    t.is(sections.now.bytesOf(0), 'memo a\nmemo b\n'.length);
    t.is(sections.now.bytesOf(1), 0);
  },
);

test.serial('a saved text that is taken whole is in force, and is what it was', t => {
  const { context, memory } = lab();
  const rules = whole();
  const registry = createRegistry(context.machine, context.log, []);
  registry.sections.add(rules);
  const text = 'rule 1\npolicy drop\nrule 2\n';
  memory.set(Buffer.from(text, 'latin1'), TEXT_AT);
  t.deepEqual(run(registry.apply({ at: TEXT_AT, bytes: text.length })), []);
  t.deepEqual(rules.inForce, ['rule 1', 'policy drop', 'rule 2']);
  t.is(registry.sections.now.bytes, text.length);
});
