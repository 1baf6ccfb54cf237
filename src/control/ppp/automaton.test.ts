import test from 'ava';
import { CONFIGURE_ACK, CONFIGURE_NAK } from '../../wire/ppp.ts';
import { Automaton, MAX_CONFIGURE, MAX_REQUESTS, MAX_TERMINATE, STATE_NAMES } from './automaton.ts';
import type { Negotiation } from './negotiation.ts';
import { writePacket } from './packet.ts';
import { bytes, PppTime } from './ppp-lab.ts';

/** RFC 1661, section 4.1, in its own words, less the options r, p and x of the states. */
const RFC = `
Up    2 irc,scr/6 - - - - - - - -
Down  - - 0 tls/1 0 1 1 1 1 tld/1
Open  tls/1 1 irc,scr/6 3 5 5 6 7 8 9
Close 0 tlf/0 2 2 4 4 irc,str/4 irc,str/4 irc,str/4 tld,irc,str/4
TO+   - - - - str/4 str/5 scr/6 scr/6 scr/8 -
TO-   - - - - tlf/2 tlf/3 tlf/3 tlf/3 tlf/3 -
RCR+  - - sta/2 irc,scr,sca/8 4 5 sca/8 sca,tlu/9 sca/8 tld,scr,sca/8
RCR-  - - sta/2 irc,scr,scn/6 4 5 scn/6 scn/7 scn/6 tld,scr,scn/6
RCA   - - sta/2 sta/3 4 5 irc/7 scr/6 irc,tlu/9 tld,scr/6
RCN   - - sta/2 sta/3 4 5 irc,scr/6 scr/6 irc,scr/8 tld,scr/6
RTR   - - sta/2 sta/3 sta/4 sta/5 sta/6 sta/6 sta/6 tld,zrc,sta/5
RTA   - - 2 3 tlf/2 tlf/3 6 6 8 tld,scr/6
RUC   - - scj/2 scj/3 scj/4 scj/5 scj/6 scj/7 scj/8 scj/9
RXJ-  - - tlf/2 tlf/3 tlf/2 tlf/3 tlf/3 tlf/3 tlf/3 tld,irc,str/5
RXR   - - 2 3 4 5 6 7 8 ser/9`
  .trim()
  .split('\n')
  .map(row => row.split(/\s+/));

const SENT: Record<number, string> = {
  1: 'scr',
  2: 'sca',
  3: 'scn',
  4: 'scn',
  5: 'str',
  6: 'sta',
  7: 'scj',
  10: 'ser',
};

class Bench {
  readonly time = new PppTime();
  readonly done: string[] = [];
  isGood = true;
  readonly sent: Uint8Array[] = [];
  readonly automaton: Automaton;
  reason = '';

  constructor() {
    const options: Negotiation = {
      begin: () => {},
      request: () => [{ type: 1, value: bytes('05dc') }],
      judge: options => ({ code: this.isGood ? CONFIGURE_ACK : CONFIGURE_NAK, options: [...options] }),
      nakked: () => undefined,
      rejected: () => undefined,
    };
    this.automaton = new Automaton(this.time.clock, options, {
      name: 'LCP',
      send: packet => {
        this.sent.push(packet);
        this.done.push(SENT[packet[0] as number] as string);
      },
      up: () => this.done.push('tlu'),
      down: () => this.done.push('tld'),
      finished: reason => {
        this.reason = reason;
        this.done.push('tlf');
      },
      other: packet => {
        if (packet.code === 9 && this.automaton.state === 9) this.done.push('ser');
        return packet.code === 9;
      },
      most: 1500,
    });
  }

  /** The inside of the automaton, which only this test looks at. */
  inside(): {
    state: number;
    counter: number;
    isWaiting: boolean;
    identifier: number;
    request: Uint8Array;
    happen(event: string): void;
  } {
    return this.automaton as unknown as ReturnType<Bench['inside']>;
  }

  happen(event: string): void {
    const { automaton } = this;
    const inside = this.inside();
    const packet = (code: number, data = '') =>
      automaton.input(writePacket(code, inside.identifier, bytes(data)));
    this.isGood = event === 'RCR+';
    if (event === 'Up') automaton.lowerUp();
    else if (event === 'Down') automaton.lowerDown();
    else if (event === 'Open') automaton.open();
    else if (event === 'Close') automaton.close('over');
    else if (event === 'TO+' || event === 'TO-') inside.happen(event === 'TO+' ? 'timeout' : 'over');
    else if (event.startsWith('RCR')) packet(1, '010405dc');
    else if (event === 'RCA') packet(2, '010405dc');
    else if (event === 'RCN') packet(3, '010405dc');
    else if (event === 'RTR') packet(5);
    else if (event === 'RTA') packet(6);
    else if (event === 'RUC') packet(77);
    else if (event === 'RXJ-') automaton.rejected('no');
    else packet(9, '00000000');
  }
}

test('the table is that of RFC 1661, for every event in every state', t => {
  for (const [event, ...entries] of RFC) {
    t.is(entries.length, STATE_NAMES.length);
    for (const [state, entry] of entries.entries()) {
      const bench = new Bench();
      const inside = bench.inside();
      inside.state = state;
      inside.isWaiting = true;
      inside.identifier = 3;
      inside.request = bytes('010405dc');
      inside.counter = 99;
      bench.happen(event as string);
      const name = `${event} in ${STATE_NAMES[state]}`;
      const parts = entry.split('/');
      const next = entry === '-' ? state : Number(parts.at(-1));
      const actions = parts.length === 2 ? (parts[0] as string).split(',') : [];
      t.is(inside.state, next, name);
      const shown = actions.filter(action => !['irc', 'zrc', 'tls'].includes(action));
      t.deepEqual([...bench.done].sort(), shown.sort(), name);
      const begins = actions.includes('scr') ? MAX_CONFIGURE - 1 : MAX_CONFIGURE;
      if (actions.includes('irc'))
        t.is(inside.counter, actions.includes('str') ? MAX_TERMINATE - 1 : begins, name);
      if (actions.includes('zrc')) t.is(inside.counter, 0, name);
    }
  }
});

test('nobody answers: 10 requests 3 s apart, then it is over', t => {
  const bench = new Bench();
  bench.automaton.open();
  bench.automaton.lowerUp();
  bench.time.seconds(29.9);
  t.is(bench.sent.length, MAX_CONFIGURE);
  t.is(
    new Set(bench.sent.map(packet => packet[1])).size,
    1,
    'a request that is sent again keeps its identifier',
  );
  t.is(bench.reason, '');
  bench.time.seconds(1);
  t.is(bench.reason, 'The peer does not answer LCP');
  bench.time.seconds(100);
  t.is(bench.sent.length, MAX_CONFIGURE);
});

test('an end that nobody agrees to is over after two requests', t => {
  const bench = new Bench();
  bench.inside().state = 9;
  bench.automaton.close('by hand');
  bench.time.seconds(10);
  t.deepEqual(bench.done, ['str', 'tld', 'str', 'tlf']);
  t.is(bench.reason, 'by hand');
});

test('answers count by their identifiers, and once', t => {
  const bench = new Bench();
  bench.automaton.open();
  bench.automaton.lowerUp();
  const answer = (code: number, identifier: number, data = '010405dc') =>
    bench.automaton.input(writePacket(code, identifier, bytes(data)));
  const asked = () => (bench.sent.at(-1) as Uint8Array)[1] as number;
  const first = asked();
  for (const code of [2, 3, 4]) answer(code, first + 1);
  answer(2, first, '010405dd');
  t.is(bench.automaton.stateName, 'req-sent');
  answer(3, first);
  t.is(asked(), first + 1, 'other options, another identifier');
  answer(2, first);
  t.is(bench.automaton.stateName, 'req-sent');
  answer(2, first + 1);
  t.is(bench.automaton.stateName, 'ack-rcvd');
  const count = bench.sent.length;
  answer(2, first + 1);
  answer(3, first + 1);
  t.is(bench.sent.length, count, 'a second answer to the same request is nothing');
  t.is(bench.automaton.stateName, 'ack-rcvd');
});

test('a peer that never agrees is given up, however it answers', t => {
  for (const code of [3, 4]) {
    const bench = new Bench();
    bench.automaton.open();
    bench.automaton.lowerUp();
    for (let seen = 0; seen < bench.sent.length && seen < 1000; seen++) {
      bench.automaton.input(
        writePacket(code, (bench.sent[seen] as Uint8Array)[1] as number, bytes('010405dc')),
      );
    }
    bench.time.seconds(100);
    t.is(bench.sent.length, MAX_REQUESTS);
    t.is(bench.reason, 'No agreement');
  }
});

test('the restart timer grows when the peer has been heard, and by the time that answers take', t => {
  const bench = new Bench();
  bench.automaton.open();
  bench.automaton.lowerUp();
  bench.time.seconds(1);
  bench.isGood = false;
  bench.automaton.input(writePacket(1, 1, bytes('010405dc')));
  bench.time.seconds(19);
  const requests = bench.sent.filter(packet => packet[0] === 1).length;
  t.is(requests, 4, 'after 0, 3, 7.5 and 14.25 s');
  bench.automaton.input(
    writePacket(
      3,
      (bench.sent.findLast(packet => packet[0] === 1) as Uint8Array)[1] as number,
      bytes('010405dc'),
    ),
  );
  t.is(bench.automaton.restartTicks, 1200);
});

test('a request that was agreed to and comes again is answered again, and the link stays open; later it begins anew', t => {
  const bench = new Bench();
  bench.automaton.open();
  bench.automaton.lowerUp();
  const request = (identifier: number) =>
    bench.automaton.input(writePacket(1, identifier, bytes('010405dc')));
  bench.automaton.input(writePacket(2, (bench.sent[0] as Uint8Array)[1] as number, bytes('010405dc')));
  request(9);
  t.is(bench.automaton.stateName, 'opened');
  bench.done.length = 0;
  request(9);
  t.deepEqual(bench.done, ['sca']);
  t.is(bench.automaton.stateName, 'opened');
  bench.time.seconds(16);
  request(9);
  t.deepEqual(bench.done.slice(1), ['scr', 'sca', 'tld']);
  t.is(bench.automaton.stateName, 'ack-sent');
});

test('what is no packet is nothing', t => {
  const bench = new Bench();
  bench.automaton.open();
  bench.automaton.lowerUp();
  bench.done.length = 0;
  for (const packet of [
    '',
    '01',
    '010100',
    '01010003',
    '01010009 0104',
    '01010006 0101',
    '01010008 0100 05dc',
    '01010008 0105 05dc',
  ])
    bench.automaton.input(bytes(packet));
  t.deepEqual(bench.done, []);
  t.is(bench.automaton.stateName, 'req-sent');
});
