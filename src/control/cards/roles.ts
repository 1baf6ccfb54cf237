// Which card is the LAN and which is the WAN: the rule, by what was found, what is remembered, and what is set by hand.
//
//    1. What `set card` says. A card that is set and did not answer leaves its role empty.
//    2. What is remembered, once two cards were there: first a card with the same station address at the same place,
//       then one with the same station address elsewhere (moved), then another card at the same place (replaced).
//    3. Where nothing is remembered, or none of it is there and two other cards are: in the order found.
//
// No card gets a role in any other way: one that is missing is said to be, and no other takes its place. The WAN's card
// as the LAN would serve DHCP to the provider.
// Not here: reading and moving cards (overlay.ts), when this is asked at all (cards.ts).

/** A card by its place (hal/nic/card.ts: NIC_PLACE) and its station address, as people write it. */
export interface Known {
  place: number;
  mac: string;
}

export interface Found extends Known {
  /** Its first port, by which it may be set. */
  port: number;
}

/** LAN and WAN, in this order. */
export type Pair<T> = [T | undefined, T | undefined];

export interface Decision {
  /** Places in what was found. */
  roles: Pair<number>;
  /** The cards of roles that nobody got; '' and -1 where that is not known. */
  missing: Pair<Known>;
  /** What is to be remembered from now on. */
  known: Pair<Known>;
  /** What has changed, for the log. */
  news: string[];
}

export const ROLES = ['lan', 'wan'] as const;
const SIDES = [0, 1] as const;

/** Whether a word of `set card`, a station address or a port, means this card. */
export function isMeant(card: Found, word: string): boolean {
  return card.mac === word || card.port === Number(word);
}

export function placeText(place: number): string {
  if (place >= 0) return `port 0x${place.toString(16)}`;
  return `PCI ${(place >> 16) & 255}:${(place >> 11) & 31}.${(place >> 8) & 7}`;
}

export function decide(found: readonly Found[], kept: Pair<Known>, set: Pair<string>): Decision {
  const roles: Pair<number> = [undefined, undefined];
  const news: string[] = [];
  let known = kept;
  const isFree = (index: number): boolean => !roles.includes(index);
  const isOpen = (side: 0 | 1): boolean => roles[side] === undefined && set[side] === undefined;
  const search = (fits: (card: Found) => boolean): number | undefined => {
    const index = found.findIndex((card, i) => isFree(i) && fits(card));
    return index < 0 ? undefined : index;
  };

  for (const side of SIDES) {
    const word = set[side];
    if (word !== undefined) roles[side] = search(card => isMeant(card, word));
  }
  // One card that is set to be what the other was: the two change places.
  for (const side of SIDES) {
    const card = found[roles[side] ?? -1];
    if (card !== undefined && set[1 - side] === undefined && card.mac === kept[1 - side]?.mac)
      known = [kept[1], kept[0]];
  }
  const match = (
    fits: (card: Found, known: Known) => boolean,
    text?: (card: Found, old: Known) => string,
  ) => {
    for (const side of SIDES) {
      const old = known[side];
      if (old === undefined || !isOpen(side)) continue;
      roles[side] = search(card => fits(card, old));
      const card = found[roles[side] ?? -1];
      if (card !== undefined && text !== undefined) news.push(`${ROLES[side]}: ${text(card, old)}`);
    }
  };
  const isKnown = (mac: string): boolean => known.some(card => card?.mac === mac);
  match((card, old) => card.mac === old.mac && card.place === old.place);
  match(
    (card, old) => card.mac === old.mac,
    (card, old) => `its card ${card.mac} is at ${placeText(card.place)} now, not at ${placeText(old.place)}`,
  );
  match(
    (card, old) => card.place === old.place && !isKnown(card.mac),
    (card, old) => `the card at ${placeText(card.place)} is a new one, ${card.mac} for ${old.mac}`,
  );
  const isOther = found.length > 1 && SIDES.every(isOpen);
  if (isOther && known.some(card => card !== undefined)) {
    news.push('all cards are others than before: they have their roles in the order found');
    known = [undefined, undefined];
  }
  const isNew = known.every(card => card === undefined);
  for (const side of SIDES) if (isNew && isOpen(side)) roles[side] = search(() => true);
  return { roles, news, ...outcome(found, roles, known, set) };
}

/** What is missing, and what is to be remembered: who has a role, or had it last. */
function outcome(found: readonly Found[], roles: Pair<number>, known: Pair<Known>, set: Pair<string>) {
  const missing: Pair<Known> = [undefined, undefined];
  const keep: Pair<Known> = [undefined, undefined];
  for (const side of SIDES) {
    const card = found[roles[side] ?? -1];
    const word = set[side];
    keep[side] = card === undefined ? known[side] : { place: card.place, mac: card.mac };
    if (card !== undefined) continue;
    if (word === undefined) missing[side] = known[side];
    else missing[side] = word.includes(':') ? { place: -1, mac: word } : { place: Number(word), mac: '' };
  }
  return { missing, known: keep };
}
