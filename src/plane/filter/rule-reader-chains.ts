// Names in a line that is being read (line-words.ts): chains. Not here: who reads (rule-reader.ts, target-reader.ts).

import { get8, i32at } from '../../base/memory.ts';
import { CHAIN_COUNT } from '../../base/rule-limits.ts';
import {
  CHAIN_DRAFT,
  CHAIN_INPUT,
  CHAIN_NAME_BYTES,
  CHAIN_TABLE,
  chainAt,
  DRAFT_NAMED,
} from '../../base/rule-record.ts';
import { WORD_AT, WORD_BYTES_AT } from './line-words.ts';

/** The number of a table's chain whose name the word is; 0 if there is none. */
export function chainInWord(table: i32, isDraft: i32): i32 {
  const bytes: i32 = i32at(WORD_BYTES_AT);
  if (bytes > CHAIN_NAME_BYTES - 4) return 0;
  for (let chain: i32 = CHAIN_INPUT; chain < CHAIN_COUNT; chain++) {
    const at: i32 = chainAt(chain);
    if (get8(at + CHAIN_TABLE) !== table || isWord(at, bytes) === 0) continue;
    return isDraft === 0 || (get8(at + CHAIN_DRAFT) & DRAFT_NAMED) !== 0 ? chain : 0;
  }
  return 0;
}

/** 1 if the word's bytes are those of a text that a zero ends. */
export function isWord(at: i32, bytes: i32): i32 {
  const word: i32 = i32at(WORD_AT);
  for (let i: i32 = 0; i < bytes; i++) if (get8(at + i) !== get8(word + i)) return 0;
  return get8(at + bytes) === 0 ? 1 : 0;
}
