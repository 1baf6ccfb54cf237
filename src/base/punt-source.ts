// Whose a packet for control is, as the plane tells control. Not here: who is which (src/plane/local/punt.ts).

import { get16, get32 } from './memory.ts';

/** What tells a station's six bytes from others', in four; 0 is nobody's. */
export function stationWord(mac: i32): i32 {
  const word: i32 = get32(mac + 2) ^ (get16(mac) << 8);
  return word === 0 ? 1 : word;
}

/** Sources that many share. A station whose word is one of them shares it too. */
export const STRANGERS: i32 = 0;
export const NEWCOMERS: i32 = -1;
export const LOUD: i32 = -2;
/** How many they are: 0 and the numbers below it. */
export const SHARED_SOURCES: i32 = 3;
