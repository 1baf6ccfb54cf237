// The paths of flows through the rules. A packet that goes the short way (src/plane/flow/known-flow.ts) is asked by no rule, and still counts for
// every rule that it would have met and that would have applied: its flow counts it, and keeps the path by which that is
// added to the rules, "folded", when somebody looks, when the path is another, and when the flow ends.
//
//    a place    | rule | the place before | the next in its chain | depth |
//
// A path is the place of its last rule; the places before it lead to the first, and paths that begin alike share them.
// In the rule's field a policy is its chain's number and POLICY_PLACE. A place is found by its rule and the place before.
//
//    of a flow  | path of side 0 | of side 1 | mark | packets, bytes of side 0 that are folded | of side 1 | 8 spare |
//
// Packets that go the long way are asked and counted by the rules themselves, so they are taken for folded (noteFlow in
// src/plane/flow/flow-use.ts). What is folded of bytes is 32 bits: a flow's are folded before that many have passed (foldDue).
//
// Sweep: when a rule is gone, or places are used up, every flow is folded and forgets its path, FOLD_FLOWS a tick; until that is
// done no new path is kept, so that then no flow names a place or a rule that is gone, and all of these are free again.

import { PROBE_AT, RULE_HOOKS_AT } from '../../base/cells.ts';
import {
  COUNT_BYTES,
  COUNT_PACKETS,
  COUNTS_BYTES,
  E_COUNTS,
  E_PROTOCOL,
  entryAt,
  HIGHEST_AT,
} from '../../base/flow-record.ts';
import { MASQUERADE_AT, MASQUERADE_BYTES } from '../../base/limits.ts';
import { fill, get8, i32at, puti32, putu16, u16at } from '../../base/memory.ts';
import { PROBE_FLOW, PROBE_MARK, PROBE_MARKED } from '../../base/probe-record.ts';
import {
  FLOW_RULES_AT,
  FLOW_RULES_BYTES,
  FOLD_FLOWS,
  PATH_BYTES,
  PATH_COUNT,
  PATH_DEPTH,
  PATH_HEADS,
  PATH_HEADS_AT,
  PATHS_AT,
} from '../../base/rule-limits.ts';
import { cellAt, chainAt } from '../../base/rule-record.ts';
import { PATHS_USED_AT, SWEEP_AT, VIEW_PATH } from '../../base/rule-state.ts';
import { met } from './probing.ts';
import { addCounts } from './rule-counts.ts';

const PLACE_RULE: i32 = 0;
const PLACE_BEFORE: i32 = 2;
const PLACE_NEXT: i32 = 4;
const PLACE_DEPTH: i32 = 6;
/** Beside a chain's number: its policy. */
export const POLICY_PLACE: i32 = 0x8000;

const FLOW_PATHS: i32 = 0;
const FLOW_MARK: i32 = 4;
/** What is folded, COUNTS_BYTES a side, as the flow's own counts. */
const FLOW_FOLDED: i32 = 8;
/** No path is kept of this packet's flow. */
export const NO_PATH: i32 = -1;

export function resetPaths(): void {
  fill(PATH_HEADS_AT, 0, 2 * PATH_HEADS);
  putu16(PATHS_USED_AT, 1);
  putu16(SWEEP_AT, 0);
}

/** What a flow has for rules, beside its record. */
function besideOf(e: i32): i32 {
  return FLOW_RULES_AT + (((e - MASQUERADE_AT) / MASQUERADE_BYTES) | 0) * FLOW_RULES_BYTES;
}

/** A flow begins: it has no path and no mark. */
export function beginBeside(e: i32): void {
  fill(besideOf(e), 0, FLOW_RULES_BYTES);
}

export function flowMark(e: i32): i32 {
  // What a made-up packet has said of its flow, and that of a flow which it would begin.
  if (i32at(PROBE_AT) !== 0 && (i32at(PROBE_MARKED) !== 0 || e === PROBE_FLOW)) return i32at(PROBE_MARK);
  return i32at(besideOf(e) + FLOW_MARK);
}

export function setFlowMark(e: i32, mark: i32): void {
  if (i32at(PROBE_AT) !== 0) {
    puti32(PROBE_MARKED, 1);
    puti32(PROBE_MARK, mark);
    return;
  }
  puti32(besideOf(e) + FLOW_MARK, mark);
}

/** The path in the view goes on by a rule that has applied, or a policy. */
export function stepPath(rule: i32): void {
  const path: i32 = i32at(VIEW_PATH);
  if (path < 0) {
    if (i32at(PROBE_AT) !== 0) met(rule);
    return;
  }
  const head: i32 = PATH_HEADS_AT + 2 * ((rule ^ (path << 3) ^ (path >>> 6)) & (PATH_HEADS - 1));
  let n: i32 = u16at(head);
  for (let left: i32 = PATH_DEPTH; n !== 0 && left !== 0; left--) {
    const at: i32 = PATHS_AT + n * PATH_BYTES;
    if (u16at(at + PLACE_RULE) === rule && u16at(at + PLACE_BEFORE) === path) {
      puti32(VIEW_PATH, n);
      return;
    }
    n = u16at(at + PLACE_NEXT);
  }
  puti32(VIEW_PATH, newPlace(head, rule, path));
}

/** A new place, or NO_PATH where there is none: then all are given up, and those that are in use come again. */
function newPlace(head: i32, rule: i32, path: i32): i32 {
  const n: i32 = u16at(PATHS_USED_AT);
  const depth: i32 = path === 0 ? 1 : u16at(PATHS_AT + path * PATH_BYTES + PLACE_DEPTH) + 1;
  if (depth > PATH_DEPTH) return NO_PATH;
  if (n >= PATH_COUNT) {
    beginSweep();
    return NO_PATH;
  }
  putu16(PATHS_USED_AT, n + 1);
  const at: i32 = PATHS_AT + n * PATH_BYTES;
  putu16(at + PLACE_RULE, rule);
  putu16(at + PLACE_BEFORE, path);
  putu16(at + PLACE_NEXT, u16at(head));
  putu16(at + PLACE_DEPTH, depth);
  putu16(head, n);
  return n;
}

/** The flow's packets of a side that go the short way from here on have taken a path. */
export function keepPath(e: i32, side: i32, path: i32): void {
  putu16(besideOf(e) + FLOW_PATHS + 2 * side, path);
}

/** Adds to the rules of its path what a side has sent since the last time, `counts` being where the flow counts that. */
export function foldSide(e: i32, side: i32, counts: i32): void {
  const beside: i32 = besideOf(e);
  const folded: i32 = beside + FLOW_FOLDED + side * COUNTS_BYTES;
  const path: i32 = u16at(beside + FLOW_PATHS + 2 * side);
  if (path !== 0) {
    const packets: i32 = (i32at(counts + COUNT_PACKETS) - i32at(folded + COUNT_PACKETS)) | 0;
    if (packets !== 0)
      addPath(path, packets, (i32at(counts + COUNT_BYTES) - i32at(folded + COUNT_BYTES)) | 0);
  }
}

/** A side's counts are folded as they are now. */
export function noteFolded(e: i32, side: i32, counts: i32): void {
  const folded: i32 = besideOf(e) + FLOW_FOLDED + side * COUNTS_BYTES;
  puti32(folded + COUNT_PACKETS, i32at(counts + COUNT_PACKETS));
  puti32(folded + COUNT_BYTES, i32at(counts + COUNT_BYTES));
}

function addPath(path: i32, packets: i32, bytes: i32): void {
  let n: i32 = path;
  for (let left: i32 = PATH_DEPTH; n !== 0 && left !== 0; left--) {
    const at: i32 = PATHS_AT + n * PATH_BYTES;
    const rule: i32 = u16at(at + PLACE_RULE);
    addCounts(rule >= POLICY_PLACE ? chainAt(rule - POLICY_PLACE) : cellAt(rule), packets, bytes);
    n = u16at(at + PLACE_BEFORE);
  }
}

/** Folds a flow: both sides. */
export function foldFlow(e: i32): void {
  const counts: i32 = e + E_COUNTS;
  foldSide(e, 0, counts);
  noteFolded(e, 0, counts);
  foldSide(e, 1, counts + COUNTS_BYTES);
  noteFolded(e, 1, counts + COUNTS_BYTES);
}

/** Folds a flow that has passed a GB since the last time: 32 bits of bytes are enough if it is asked once a second. */
export function foldDue(e: i32): void {
  const folded: i32 = besideOf(e) + FLOW_FOLDED + COUNT_BYTES;
  const counts: i32 = e + E_COUNTS + COUNT_BYTES;
  const passed: i32 =
    ((i32at(counts) - i32at(folded)) >>> 30) |
    ((i32at(counts + COUNTS_BYTES) - i32at(folded + COUNTS_BYTES)) >>> 30);
  if (passed !== 0) foldFlow(e);
}

/** Folds some flows, from number `from` on, counted from 1, for a listing: where it goes on, or 0 if that were all. */
export function rulesFold(from: i32): i32 {
  if (i32at(RULE_HOOKS_AT) === 0) return 0;
  return foldSome(from, 0);
}

function foldSome(from: i32, forget: i32): i32 {
  const highest: i32 = i32at(HIGHEST_AT);
  let n: i32 = from;
  for (let left: i32 = FOLD_FLOWS; left !== 0 && n <= highest; left--) {
    const e: i32 = entryAt(n);
    if (get8(e + E_PROTOCOL) !== 0) {
      foldFlow(e);
      if (forget !== 0) puti32(besideOf(e) + FLOW_PATHS, 0);
    }
    n += 1;
  }
  return n > highest ? 0 : n;
}

/** All paths are to be given up, as rules are gone or places are used up: from the first flow on. */
export function beginSweep(): void {
  putu16(SWEEP_AT, 1);
}

/** 1 while paths are being given up: none is kept. */
export function isSweeping(): i32 {
  return u16at(SWEEP_AT) !== 0 ? 1 : 0;
}

/** A tick's part of giving up: 1 when it has just come to its end, and no flow names a place any more. */
export function sweepPaths(): i32 {
  const next: i32 = foldSome(u16at(SWEEP_AT), 1);
  putu16(SWEEP_AT, next);
  if (next !== 0) return 0;
  resetPaths();
  return 1;
}
