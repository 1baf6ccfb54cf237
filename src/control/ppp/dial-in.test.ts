// Somebody calls: a Windows 95 PC on a cable, callers by modem, and those who only make noise, against the sim board.

import test from 'ava';
import { Called, Peer } from './dial-in-lab.ts';
import { address } from './ppp-lab.ts';

const WINDOWS = { ipcp: { hasVj: true }, lcp: { accm: 0x0a0000 } };
const WITHIN = 20;

test.serial(
  'a Windows 95 PC on a cable: its modem commands, then PPP, and again after it was switched off',
  async t => {
    t.timeout(600_000);
    const called = await Called.start();
    t.is(called.set('ppp0 answer cable', 'ppp0 port com2'), '');
    const pc = called.cable();
    called.seconds(2);
    t.is(pc.heard, '', 'nobody is spoken to who has said nothing');
    t.regex(called.stateOf('ppp0'), /^ppp0 waiting for a call, on COM2 at 115200, PPP, answers$/);
    for (const [said, heard] of [
      ['ATZ\r', 'ATZ\r\r\nOK\r\n'],
      ['ATE0V1&C1&D2\r', 'ATE0V1&C1&D2\r\r\nOK\r\n'],
      ['ATDT5551234\r', '\r\nCONNECT 115200\r\n'],
    ] as const) {
      pc.heard = '';
      pc.send(said);
      called.seconds(1, () => pc.heard.endsWith(heard));
      t.is(pc.heard, heard);
    }
    const peer = new Peer(called, pc, WINDOWS).open();
    called.seconds(WITHIN, () => peer.isUp);
    t.true(peer.isUp);
    t.is(peer.end.result?.local, address('10.64.64.2'));
    t.is(peer.end.result?.remote, address('10.64.64.1'));
    t.deepEqual(peer.end.result?.dns, [address('10.64.64.1')]);
    t.regex(called.type('show ppp'), /ppp0 up .*\n {4}address 10\.64\.64\.1, peer 10\.64\.64\.2, /);
    // It ends in good order, and the modem is there again.
    pc.heard = '';
    peer.close();
    called.seconds(WITHIN, () => pc.heard.endsWith('NO CARRIER\r\n'));
    t.regex(pc.heard, /\r\nNO CARRIER\r\n$/);
    called.seconds(3);
    pc.heard = '';
    pc.send('ATDT1\r');
    called.seconds(1);
    t.is(pc.heard, '\r\nCONNECT 115200\r\n');
    const again = new Peer(called, pc, WINDOWS, 6).open();
    called.seconds(WITHIN, () => again.isUp);
    t.true(again.isUp);
    // It is switched off, starts, and wants its modem.
    again.die();
    called.seconds(4);
    pc.heard = '';
    pc.send('ATZ\r');
    called.seconds(4);
    t.regex(pc.heard, /\r\nOK\r\n$/);
    pc.heard = '';
    pc.send('ATDT1\r');
    called.seconds(1);
    t.regex(pc.heard, /\r\nCONNECT 115200\r\n$/);
    const third = new Peer(called, pc, WINDOWS, 7).open();
    called.seconds(WITHIN, () => third.isUp);
    t.true(third.isUp);
  },
);

test.serial('Windows direct cable connection, and a peer that begins with frames', async t => {
  t.timeout(600_000);
  const called = await Called.start();
  t.is(
    called.set('ppp0 answer cable', 'ppp0 address 10.9.0.1:10.9.0.2', 'ppp0 dns 10.9.0.53', 'ppp0 port com2'),
    '',
  );
  const pc = called.cable();
  pc.send('CLIENT');
  called.seconds(1, () => pc.heard.startsWith('CLIENTSERVER'));
  t.regex(pc.heard, /^CLIENTSERVER/);
  const peer = new Peer(called, pc, WINDOWS).open();
  called.seconds(WITHIN, () => peer.isUp);
  t.is(peer.end.result?.local, address('10.9.0.2'));
  t.deepEqual(peer.end.result?.dns, [address('10.9.0.53')]);
  peer.close();
  called.seconds(WITHIN, () => called.stateOf('ppp0').includes('waiting'));
  pc.heard = '';
  const first = new Peer(called, pc, WINDOWS, 9).open();
  called.seconds(WITHIN, () => first.isUp);
  t.true(first.isUp);
  t.false(pc.heard.includes('OK'));
  t.is(
    first.end.sent.filter(({ protocol, packet }) => protocol === 0xc021 && packet.code === 1).length,
    1,
    'its first frame is not lost',
  );
});

test.serial('noise on a cable begins nothing, and who dials and says nothing is let go', async t => {
  t.timeout(600_000);
  const called = await Called.start();
  t.is(called.set('ppp0 answer cable', 'ppp0 port com2'), '');
  const pc = called.cable();
  pc.send('hello?\r\n+++\r\x7e\x7e\x00garbage\x7e');
  called.seconds(3);
  t.is(pc.heard, '');
  t.regex(called.stateOf('ppp0'), /waiting/);
  pc.send('ATDT1\r');
  called.seconds(6);
  t.regex(called.stateOf('ppp0'), /negotiating/, 'nobody is asked for a name: PPP begins');
  called.seconds(80, () => pc.heard.endsWith('NO CARRIER\r\n'));
  called.seconds(5);
  t.regex(called.stateOf('ppp0'), /waiting/);
});
