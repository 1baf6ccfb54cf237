import test from 'ava';
import { RFC_TCP_CLOSING, RFC_TCP_ESTABLISHED, RFC_TCP_OPENING } from '../../base/parameters.ts';
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../../wire/tcp.ts';
import {
  DATA_FRESH,
  DATA_NEAR,
  INBOUND,
  OUTBOUND,
  tcpRfcNext,
  tcpRfcOpening,
  tcpRfcOver,
  tcpRfcTimer,
} from './tcp-rfc.ts';

const names = [
  'CLOSED',
  'ESTABLISHED',
  'INIT_OUT',
  'INIT_IN',
  'CLIENT_FIN',
  'SERVER_FIN',
  'BOTH_FIN',
  'TRANS',
];
const events: Record<string, [number, number]> = {
  syn: [TCP_SYN, 0],
  'syn,ack': [TCP_SYN | TCP_ACK, 0],
  fin: [TCP_FIN, 0],
  'fin,ack': [TCP_FIN | TCP_ACK, 1],
  rst: [TCP_RST, 0],
  'rst,ack': [TCP_RST | TCP_ACK, 0],
  ack: [TCP_ACK, 0],
  near: [TCP_ACK, DATA_NEAR],
  fresh: [TCP_ACK, DATA_FRESH],
  none: [0, 0],
};

// RFC 7857, section 2, Figure 1, as tables: a row an event, a column a state in the order of `names`. Where the
// figure is silent: RFC 6146, 3.5.2.2, and tcp-rfc.ts.
const tables: Record<string, string> = {
  outbound: `
    syn      INIT_OUT ESTABLISHED INIT_OUT    ESTABLISHED INIT_OUT   INIT_OUT   INIT_OUT INIT_OUT
    syn,ack  INIT_OUT ESTABLISHED INIT_OUT    ESTABLISHED ESTABLISHED ESTABLISHED INIT_OUT INIT_OUT
    fin      TRANS    CLIENT_FIN  INIT_OUT    INIT_IN     CLIENT_FIN BOTH_FIN   BOTH_FIN TRANS
    fin,ack  TRANS    CLIENT_FIN  INIT_OUT    INIT_IN     CLIENT_FIN BOTH_FIN   BOTH_FIN TRANS
    rst      CLOSED   TRANS       TRANS       TRANS       TRANS      TRANS      BOTH_FIN TRANS
    rst,ack  CLOSED   TRANS       TRANS       TRANS       TRANS      TRANS      BOTH_FIN TRANS
    ack      TRANS    ESTABLISHED INIT_OUT    INIT_IN     CLIENT_FIN SERVER_FIN BOTH_FIN TRANS
    near     TRANS    ESTABLISHED INIT_OUT    ESTABLISHED CLIENT_FIN SERVER_FIN BOTH_FIN ESTABLISHED
    fresh    TRANS    ESTABLISHED INIT_OUT    ESTABLISHED ESTABLISHED SERVER_FIN SERVER_FIN ESTABLISHED
    none     TRANS    ESTABLISHED INIT_OUT    INIT_IN     CLIENT_FIN SERVER_FIN BOTH_FIN TRANS`,
  inbound: `
    syn      INIT_IN  ESTABLISHED ESTABLISHED INIT_IN     CLIENT_FIN SERVER_FIN INIT_IN  INIT_IN
    syn,ack  INIT_IN  ESTABLISHED ESTABLISHED INIT_IN     ESTABLISHED ESTABLISHED ESTABLISHED ESTABLISHED
    fin      TRANS    SERVER_FIN  INIT_OUT    INIT_IN     BOTH_FIN   SERVER_FIN BOTH_FIN TRANS
    fin,ack  TRANS    SERVER_FIN  INIT_OUT    INIT_IN     BOTH_FIN   SERVER_FIN BOTH_FIN TRANS
    rst      CLOSED   TRANS       TRANS       TRANS       TRANS      TRANS      BOTH_FIN TRANS
    rst,ack  CLOSED   TRANS       TRANS       TRANS       TRANS      TRANS      BOTH_FIN TRANS
    ack      TRANS    ESTABLISHED INIT_OUT    INIT_IN     CLIENT_FIN SERVER_FIN BOTH_FIN TRANS
    near     TRANS    ESTABLISHED INIT_OUT    ESTABLISHED CLIENT_FIN SERVER_FIN BOTH_FIN ESTABLISHED
    fresh    TRANS    ESTABLISHED INIT_OUT    ESTABLISHED CLIENT_FIN ESTABLISHED CLIENT_FIN ESTABLISHED
    none     TRANS    ESTABLISHED INIT_OUT    INIT_IN     CLIENT_FIN SERVER_FIN BOTH_FIN TRANS`,
};

for (const [direction, text] of Object.entries(tables)) {
  test(`tcpRfcNext() ${direction}, every state and event`, t => {
    const rows = text.trim().split('\n');
    t.is(rows.length, Object.keys(events).length);
    for (const row of rows) {
      const [event, ...expected] = row.trim().split(/\s+/);
      const [flags, data] = events[event as string] as [number, number];
      t.is(expected.length, names.length);
      for (const [state, name] of expected.entries()) {
        const next = tcpRfcNext(state, flags, direction === 'outbound' ? OUTBOUND : INBOUND, data);
        t.is(names[next], name, `${names[state]} by ${event}`);
      }
    }
  });
}

test('tcpRfcNext() by RST first, then SYN, then FIN', t => {
  t.is(names[tcpRfcNext(1, TCP_RST | TCP_SYN | TCP_FIN, OUTBOUND, 0)], 'TRANS');
  t.is(names[tcpRfcNext(7, TCP_SYN | TCP_FIN, OUTBOUND, 0)], 'INIT_OUT');
});

test('a late duplicate after both FINs and an RST does not bring the long timer back (RFC 7857, 2.2)', t => {
  let state = 1;
  for (const [flags, direction, data] of [
    [TCP_FIN | TCP_ACK, OUTBOUND, 0],
    [TCP_FIN | TCP_ACK, INBOUND, 0],
    [TCP_RST, OUTBOUND, 0],
    [TCP_ACK, INBOUND, 1],
  ] as const) {
    state = tcpRfcNext(state, flags, direction, data);
  }
  t.is(tcpRfcTimer(state), RFC_TCP_CLOSING);
});

test('timers (RFC 5382, section 5): opening, established until both have closed, closing', t => {
  const expected = [
    RFC_TCP_CLOSING,
    RFC_TCP_ESTABLISHED,
    RFC_TCP_OPENING,
    RFC_TCP_OPENING,
    RFC_TCP_ESTABLISHED,
    RFC_TCP_ESTABLISHED,
    RFC_TCP_CLOSING,
    RFC_TCP_CLOSING,
  ];
  for (const state of names.keys()) t.is(tcpRfcTimer(state), expected[state] as number, names[state]);
});

test('what is over, and what is not a connection yet', t => {
  const which = (is: (state: number) => number) => names.filter((_, state) => is(state) !== 0);
  t.deepEqual(which(tcpRfcOver), ['CLOSED', 'BOTH_FIN', 'TRANS']);
  t.deepEqual(which(tcpRfcOpening), ['INIT_OUT', 'INIT_IN']);
});
