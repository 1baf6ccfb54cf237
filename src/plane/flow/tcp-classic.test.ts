import test from 'ava';
import { javascriptBuild } from '../../../tools/builds.ts';
import { CLASSIC_STATES } from '../../base/parameters.ts';
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../../wire/tcp.ts';
import {
  resetTcpClassic,
  tcpClassicNext,
  tcpClassicOpening,
  tcpClassicOver,
  tcpClassicTimer,
} from './tcp-classic.ts';
import { INBOUND, OUTBOUND } from './tcp-rfc.ts';

const names = ['NO', 'ES', 'SS', 'SR', 'FW', 'TW', 'CL', 'CW', 'LA', 'LI'];
const flags: Record<string, number> = { syn: TCP_SYN, fin: TCP_FIN, ack: TCP_ACK, rst: TCP_RST };

// Linux 2.2, ip_masq.c.
const table = {
  [INBOUND]: `
    syn SR ES ES SR SR SR SR SR SR SR
    fin CL CW SS TW TW TW CL CW LA LI
    ack CL ES SS SR FW TW CL CW CL LI
    rst CL CL CL SR CL CL CL CL LA LI`,
  [OUTBOUND]: `
    syn SS ES SS ES SS SS SS SS SS LI
    fin TW FW SS TW FW TW CL TW LA LI
    ack ES ES SS SR FW TW CL CW LA ES
    rst CL CL SS CL CL TW CL CL CL CL`,
};

test.before(() => {
  javascriptBuild().use();
  resetTcpClassic();
});

for (const direction of [INBOUND, OUTBOUND]) {
  test(`tcpClassicNext() ${direction === INBOUND ? 'inbound' : 'outbound'}, every state and event`, t => {
    for (const row of (table[direction] as string).trim().split('\n')) {
      const [event, ...expected] = row.trim().split(' ');
      t.is(expected.length, names.length);
      for (const [state, name] of expected.entries()) {
        const next = tcpClassicNext(state, flags[event as string] as number, direction);
        t.is(names[next], name, `${names[state]} by ${event}`);
      }
    }
  });
}

test('tcpClassicNext() by RST before SYN before FIN before ACK; by none of them CLOSE', t => {
  for (let state = 0; state < names.length; state++) {
    for (const direction of [INBOUND, OUTBOUND]) {
      for (let bits = 0; bits < 64; bits++) {
        const first = [TCP_RST, TCP_SYN, TCP_FIN, TCP_ACK].find(flag => (bits & flag) !== 0);
        const expected = first === undefined ? 6 : tcpClassicNext(state, first, direction);
        t.is(tcpClassicNext(state, bits, direction), expected);
      }
    }
  }
});

test('a connection from its SYN to TIME_WAIT', t => {
  const steps: [number, number, string][] = [
    [TCP_SYN, OUTBOUND, 'SS'],
    [TCP_SYN | TCP_ACK, INBOUND, 'ES'],
    [TCP_ACK, OUTBOUND, 'ES'],
    [TCP_FIN | TCP_ACK, OUTBOUND, 'FW'],
    [TCP_ACK, INBOUND, 'FW'],
    [TCP_FIN | TCP_ACK, INBOUND, 'TW'],
    [TCP_ACK, OUTBOUND, 'TW'],
  ];
  let state = 0;
  for (const [bits, direction, name] of steps) {
    state = tcpClassicNext(state, bits, direction);
    t.is(names[state], name);
  }
});

test('timers, what is over, what is not a connection yet', t => {
  for (const state of names.keys()) t.is(tcpClassicTimer(state), CLASSIC_STATES + state);
  t.deepEqual(
    names.filter((_, state) => tcpClassicOver(state) !== 0),
    ['TW', 'CL', 'LA'],
  );
  t.deepEqual(
    names.filter((_, state) => tcpClassicOpening(state) !== 0),
    ['NO', 'SS', 'SR', 'LI'],
  );
});
