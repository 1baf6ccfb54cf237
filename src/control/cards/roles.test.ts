import test from 'ava';
import { NIC_PLACE_PCI } from '../../../hal/nic/card.ts';
import { decide, type Found, type Known, type Pair, placeText } from './roles.ts';

const mac = (n: number): string => `52:54:00:12:34:0${n}`;
/** Card `n` at an ISA port. */
const at = (n: number, port: number): Found => ({ mac: mac(n), place: port, port });
const known = (n: number, place: number): Known => ({ mac: mac(n), place });
const NOBODY: Pair<Known> = [undefined, undefined];
const BY_HAND: Pair<string> = [undefined, undefined];
/** What is remembered of the ordinary board: card 1 at 0x300 is the LAN, card 2 at 0x320 the WAN. */
const KEPT: Pair<Known> = [known(1, 0x300), known(2, 0x320)];

interface Case {
  title: string;
  found: Found[];
  kept?: Pair<Known>;
  set?: Pair<string>;
  /** Numbers of the cards that become LAN and WAN. */
  roles: Pair<number>;
  missing?: Pair<Known>;
  known: Pair<Known>;
  /** A part of each piece of news. */
  news?: RegExp[];
}

const CASES: Case[] = [
  {
    title: 'the first start with two cards takes them in the order found',
    found: [at(1, 0x300), at(2, 0x320)],
    kept: NOBODY,
    roles: [1, 2],
    known: KEPT,
  },
  {
    title: 'the first start with one card makes it the LAN',
    found: [at(2, 0x320)],
    kept: NOBODY,
    roles: [2, undefined],
    known: [known(2, 0x320), undefined],
  },
  {
    title: 'without any card there is nothing to be given',
    found: [],
    kept: NOBODY,
    roles: [undefined, undefined],
    known: NOBODY,
  },
  {
    title: "the LAN's card is missing: the WAN's stays the WAN's",
    found: [at(2, 0x320)],
    roles: [undefined, 2],
    missing: [known(1, 0x300), undefined],
    known: KEPT,
  },
  {
    title: "the WAN's card is missing",
    found: [at(1, 0x300)],
    roles: [1, undefined],
    missing: [undefined, known(2, 0x320)],
    known: KEPT,
  },
  {
    title: 'both are missing',
    found: [],
    roles: [undefined, undefined],
    missing: KEPT,
    known: KEPT,
  },
  {
    title: 'another card at the same place has the same role',
    found: [at(3, 0x300), at(2, 0x320)],
    roles: [3, 2],
    known: [known(3, 0x300), known(2, 0x320)],
    news: [/^lan: the card at port 0x300 is a new one, 52:54:00:12:34:03 for 52:54:00:12:34:01$/],
  },
  {
    title: 'both are others at the same places',
    found: [at(4, 0x300), at(3, 0x320)],
    roles: [4, 3],
    known: [known(4, 0x300), known(3, 0x320)],
    news: [/^lan: /, /^wan: /],
  },
  {
    title: "another card at the LAN's place, and no WAN card",
    found: [at(3, 0x300)],
    roles: [3, undefined],
    missing: [undefined, known(2, 0x320)],
    known: [known(3, 0x300), known(2, 0x320)],
    news: [/^lan: /],
  },
  {
    title: 'cards that have changed places keep their roles',
    found: [at(2, 0x300), at(1, 0x320)],
    roles: [1, 2],
    known: [known(1, 0x320), known(2, 0x300)],
    news: [
      /^lan: its card .*01 is at port 0x320 now, not at port 0x300$/,
      /^wan: its card .*02 is at port 0x300 now, not at port 0x320$/,
    ],
  },
  {
    title: "the WAN's card at the LAN's place is still the WAN's, and the LAN's is missing",
    found: [at(2, 0x300)],
    roles: [undefined, 2],
    missing: [known(1, 0x300), undefined],
    known: [known(1, 0x300), known(2, 0x300)],
    news: [/^wan: /],
  },
  {
    title: 'a third card, found first, gets no role',
    found: [at(3, 0x280), at(1, 0x300), at(2, 0x320)],
    roles: [1, 2],
    known: KEPT,
  },
  {
    title: 'a third card takes no role of a missing one',
    found: [at(2, 0x320), at(3, 0x340)],
    roles: [undefined, 2],
    missing: [known(1, 0x300), undefined],
    known: KEPT,
  },
  {
    title: 'one new card at a new place takes no role',
    found: [at(3, 0x340)],
    roles: [undefined, undefined],
    missing: KEPT,
    known: KEPT,
  },
  {
    title: 'a new card where the card was that has moved takes no role',
    found: [at(3, 0x300), at(1, 0x320)],
    roles: [1, undefined],
    missing: [undefined, known(2, 0x320)],
    known: [known(1, 0x320), known(2, 0x320)],
    news: [/^lan: /],
  },
  {
    title: 'two new cards at new places are another board',
    found: [at(3, 0x340), at(4, 0x360)],
    roles: [3, 4],
    known: [known(3, 0x340), known(4, 0x360)],
    news: [/^all cards are others/],
  },
  {
    title: 'cards with one station address are told apart by their places',
    found: [at(1, 0x320)],
    kept: [known(1, 0x300), known(1, 0x320)],
    roles: [undefined, 1],
    missing: [known(1, 0x300), undefined],
    known: [known(1, 0x300), known(1, 0x320)],
  },
  {
    title: 'set by hand, as it is',
    found: [at(1, 0x300), at(2, 0x320)],
    set: [mac(1), '0x320'],
    roles: [1, 2],
    known: KEPT,
  },
  {
    title: 'set by hand, the one word makes them change places',
    found: [at(1, 0x300), at(2, 0x320)],
    set: [mac(2), undefined],
    roles: [2, 1],
    known: [known(2, 0x320), known(1, 0x300)],
  },
  {
    title: "the WAN's card set to be the LAN where the LAN's is missing: now the WAN's is",
    found: [at(2, 0x320)],
    set: ['0x320', undefined],
    roles: [2, undefined],
    missing: [undefined, known(1, 0x300)],
    known: [known(2, 0x320), known(1, 0x300)],
  },
  {
    title: 'a third card set to be the LAN',
    found: [at(2, 0x320), at(3, 0x340)],
    set: [mac(3), undefined],
    roles: [3, 2],
    known: [known(3, 0x340), known(2, 0x320)],
  },
  {
    title: 'set by hand, but missing: the role stays empty, and what was remembered remembered',
    found: [at(1, 0x300), at(2, 0x320)],
    set: ['0x340', undefined],
    roles: [undefined, 2],
    missing: [{ place: 0x340, mac: '' }, undefined],
    known: KEPT,
  },
  {
    title: 'set by hand at the first start, but missing',
    found: [at(1, 0x300), at(2, 0x320)],
    kept: NOBODY,
    set: [mac(7), undefined],
    roles: [undefined, 1],
    missing: [{ place: -1, mac: mac(7) }, undefined],
    known: [undefined, known(1, 0x300)],
  },
];

for (const { title, found, kept = KEPT, set = BY_HAND, roles, missing = NOBODY, known, news = [] } of CASES) {
  test(`decide(): ${title}`, t => {
    const decision = decide(found, kept, set);
    const numbers = decision.roles.map(index => (index === undefined ? undefined : found[index]!.mac));
    t.deepEqual(
      numbers,
      roles.map(n => (n === undefined ? undefined : mac(n))),
    );
    t.deepEqual(decision.missing, missing);
    t.deepEqual(decision.known, known);
    t.is(decision.news.length, news.length, decision.news.join('\n'));
    for (const [i, pattern] of news.entries()) t.regex(decision.news[i]!, pattern);
    // Decided again by what is remembered now, it is the same, and there is no more news.
    const again = decide(found, decision.known, BY_HAND);
    if (set.every(word => word === undefined) && known.every(card => card !== undefined)) {
      t.deepEqual(again.roles, decision.roles);
      t.deepEqual(again.news, []);
    }
  });
}

test('decide(): whatever is pulled out of or put into a board of two cards, none gets the role of the other', t => {
  const spares = [at(3, 0x340), at(4, 0x360), at(5, 0x280)];
  const places = [0x300, 0x320, 0x340, 0x360];
  for (let bits = 0; bits < 1 << 5; bits++) {
    for (const place of places) {
      for (const other of places) {
        const found: Found[] = [];
        if ((bits & 1) !== 0) found.push(at(1, place));
        if ((bits & 2) !== 0) found.push(at(2, other));
        for (const [i, spare] of spares.entries()) if ((bits & (4 << i)) !== 0) found.push(spare);
        for (const order of [found, [...found].reverse()]) {
          const { roles } = decide(order, KEPT, BY_HAND);
          const [lan, wan] = roles.map(index => (index === undefined ? undefined : order[index]!.mac));
          t.not(lan, mac(2));
          t.not(wan, mac(1));
          t.is((bits & 1) !== 0, lan === mac(1));
          t.is((bits & 2) !== 0, wan === mac(2));
        }
      }
    }
  }
});

test('placeText() says port or place on the PCI bus', t => {
  t.is(placeText(0x300), 'port 0x300');
  t.is(placeText(NIC_PLACE_PCI | (1 << 16) | (4 << 11) | (2 << 8)), 'PCI 1:4.2');
});
