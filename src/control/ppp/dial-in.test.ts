// Somebody calls: a Windows 95 PC on a cable, callers by modem, and those who only make noise, against the sim board.

import test from 'ava';
import { arpFrame, arpIn, BROADCAST, isArp } from '../../../test/packets.ts';
import { Called, Peer, type PlayedModem } from './dial-in-lab.ts';
import { address } from './ppp-lab.ts';

const WINDOWS = { ipcp: { hasVj: true }, lcp: { accm: 0x0a0000 } };
const WITHIN = 20;
const USERS = ['dial-in user bob secret', 'dial-in user amy word', 'dial-in address bob 10.9.0.7'];
const MODEM = ['ppp0 answer modem', 'ppp0 address 10.9.0.1:10.9.0.2', 'ppp0 port com2'];

/** A caller by modem, whom the board answers. */
function calls(called: Called, modem: PlayedModem, rings = 1): void {
  for (let n = 0; n < rings; n++) {
    modem.heard = '';
    modem.say('RING');
    called.seconds(6, () => modem.isOnline);
  }
}

const HOST_MAC = '02:00:00:00:00:02';
const LAN_MAC = '02:4d:42:00:00:01';

/** Who says to a host of the LAN that he has an address. */
function asks(called: Called, target: string): string[] {
  called.lan.length = 0;
  const fields = { operation: 1, senderMac: HOST_MAC, senderAddress: '192.168.0.2', targetAddress: target };
  called.board.receive(0, arpFrame(BROADCAST, fields));
  called.seconds(1);
  const answers = called.lan
    .filter(isArp)
    .map(arpIn)
    .filter(({ isRequest }) => !isRequest);
  return answers.map(({ sender }) => sender);
}

const who = (name: string, password: string) => ({
  ...WINDOWS,
  lcp: { ...WINDOWS.lcp, offered: ['chap-md5', 'pap'] as const },
  rest: { account: { name, password } },
});

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

test.serial(
  'somebody calls by modem: rings are counted, he shows who he is, and the modem waits again',
  async t => {
    t.timeout(600_000);
    const called = await Called.start();
    const modem = called.modem();
    t.is(called.set(...USERS, 'ppp0 rings 2', ...MODEM), '');
    called.seconds(2, () => modem.commands.length === 2);
    t.deepEqual(modem.commands, ['ATZ', 'ATS0=0']);
    modem.say('RING');
    called.seconds(12);
    t.false(modem.isOnline, 'it has rung but once');
    modem.say('NMBR = 5551234');
    calls(called, modem, 2);
    t.is(modem.commands.at(-1), 'ATA');
    called.seconds(1);
    t.regex(modem.heard, /masqbox login: $/);
    const peer = new Peer(called, modem, who('bob', 'secret')).open();
    called.seconds(WITHIN, () => peer.isUp);
    t.is(peer.end.result?.local, address('10.9.0.7'));
    t.regex(
      called.type('show ppp'),
      /peer 10\.9\.0\.7, who is bob.*\n[\s\S]*from bob \(CONNECT 33600\): goes on/,
    );
    t.regex(
      called.type('show config'),
      /^set dial-in address bob 10\.9\.0\.7\nset dial-in user \(not shown\)\nset dial-in user \(not shown\)$/m,
    );
    // He is cut off.
    peer.die();
    modem.hangUp();
    called.seconds(WITHIN, () => modem.commands.at(-1) === 'ATS0=0');
    called.seconds(1);
    t.regex(called.stateOf('ppp0'), /^ppp0 waiting for a call/);
    t.regex(called.type('show ppp'), /from bob \(CONNECT 33600\): 0:\d\d, The line was hung up/);
    // He types.
    calls(called, modem, 2);
    const types = (text: string, until: RegExp) => {
      modem.heard = '';
      modem.send(text);
      called.seconds(6, () => until.test(modem.heard));
      return modem.heard;
    };
    called.seconds(1);
    t.is(types('bob\r\n', /: $/), 'bob\r\nPassword: ');
    t.is(types('wrong\r', /login: $/), '\r\nLogin incorrect\r\n\r\nmasqbox login: ');
    t.is(types('bobb\b\r', /: $/), 'bobb\b \b\r\nPassword: ');
    t.regex(types('secret\r', /begins/), /^\r\nPPP begins\r\n/);
    const typist = new Peer(called, modem, WINDOWS, 8).open();
    called.seconds(WITHIN, () => typist.isUp);
    t.is(typist.end.result?.local, address('10.9.0.7'));
    // He hangs up in good order.
    typist.close();
    called.seconds(WITHIN, () => !modem.isOnline);
    called.seconds(WITHIN, () => modem.commands.at(-1) === 'ATS0=0');
    // One that is not known, and a wrong password.
    for (const [name, password] of [
      ['bob', 'wrong'],
      ['eve', ''],
    ] as const) {
      calls(called, modem, 2);
      const stranger = new Peer(called, modem, who(name, password), 11).open();
      called.seconds(WITHIN, () => stranger.end.reason !== undefined);
      t.regex(stranger.end.reason ?? '', /Wrong name or password/);
      stranger.die();
      called.seconds(WITHIN, () => !modem.isOnline);
      called.seconds(30, () => called.stateOf('ppp0').includes('waiting'));
    }
  },
);

test.serial(
  'a war dialler, a fax, one who is cut off while he types, a modem that says nothing: each is over, and little is logged',
  async t => {
    t.timeout(600_000);
    const called = await Called.start();
    const modem = called.modem();
    t.is(called.set(...USERS, ...MODEM), '');
    called.seconds(2);
    called.said = '';
    const waits = () => called.stateOf('ppp0').includes('waiting');
    // A fax.
    modem.answer = command => (command === 'ATA' ? '+FCO' : undefined);
    calls(called, modem);
    called.seconds(WITHIN, waits);
    t.true(waits());
    modem.answer = () => undefined;
    // One who hangs up between name and password.
    calls(called, modem);
    modem.send('bob\rsec');
    called.seconds(2);
    modem.hangUp();
    called.seconds(WITHIN, waits);
    t.true(waits());
    // One who says nothing, all night long.
    let answered = 0;
    const logged: string[] = [];
    for (let n = 0; n < 40; n++) {
      called.said = '';
      calls(called, modem);
      if (modem.isOnline) answered++;
      called.seconds(70, () => !modem.isOnline);
      t.false(modem.isOnline);
      called.seconds(10);
      logged.push(...called.said.split('\n').filter(line => line.includes('ppp0')));
    }
    t.true(answered >= 8 && answered < 40, `${answered}`);
    t.true(logged.length <= 40, `${logged.length} lines`);
    t.true(logged.some(line => line.includes('for an hour no more of this is told')));
    called.seconds(120, waits);
    // The modem is switched off, and on again after a while.
    modem.answer = () => '';
    called.said = '';
    called.seconds(3700);
    t.is(called.said.split('no modem').length - 1, 1, called.said);
    modem.answer = () => undefined;
    called.seconds(1000, waits);
    t.true(waits());
  },
);

test.serial(
  'two call at once; the address of one is in the LAN, which hears of him by ARP; the same user twice is one too many',
  async t => {
    t.timeout(600_000);
    const called = await Called.start([1, 2]);
    const [first, second] = [called.modem(1), called.modem(2)];
    const more = ['ppp1 answer modem', 'ppp1 address 10.9.1.1:10.9.1.2', 'ppp1 port com3'];
    t.is(
      called.set(
        'dial-in user bob secret',
        'dial-in user amy wo\\x3frd',
        'dial-in address bob 192.168.0.200',
        ...MODEM,
        ...more,
      ),
      '',
    );
    called.seconds(2);
    t.deepEqual(asks(called, '192.168.0.1'), ['192.168.0.1']);
    t.deepEqual(asks(called, '192.168.0.200'), []);
    calls(called, first);
    calls(called, second);
    const bob = new Peer(called, first, who('BOSS\\bob', 'secret'), 3).open();
    const amy = new Peer(called, second, who('amy', 'wo?rd'), 4).open();
    called.seconds(WITHIN, () => bob.isUp && amy.isUp);
    t.is(bob.end.result?.local, address('192.168.0.200'));
    t.is(amy.end.result?.local, address('10.9.1.2'));
    t.deepEqual(asks(called, '192.168.0.200'), ['192.168.0.200']);
    t.deepEqual(asks(called, '192.168.0.201'), []);
    t.deepEqual(asks(called, '10.9.1.2'), []);
    amy.close();
    called.seconds(WITHIN, () => second.commands.at(-1) === 'ATS0=0');
    called.seconds(1);
    calls(called, second);
    const twin = new Peer(called, second, who('bob', 'secret'), 5).open();
    called.seconds(WITHIN, () => twin.end.reason !== undefined);
    t.regex(twin.end.reason ?? '', /address is in use/);
    t.true(bob.isUp);
    twin.die();
  },
);

test.serial('where a host of the LAN has the address of who calls, that is said', async t => {
  t.timeout(600_000);
  const called = await Called.start();
  const modem = called.modem();
  t.is(called.set('dial-in user bob secret', 'dial-in address bob 192.168.0.200', ...MODEM), '');
  called.seconds(2);
  calls(called, modem);
  called.said = '';
  const bob = new Peer(called, modem, who('bob', 'secret')).open();
  called.seconds(WITHIN, () => bob.isUp);
  const [asked] = called.lan
    .filter(isArp)
    .map(arpIn)
    .filter(({ target }) => target === '192.168.0.200');
  t.true(asked?.isRequest);
  const answer = { operation: 2, senderMac: HOST_MAC, senderAddress: '192.168.0.200' };
  called.board.receive(0, arpFrame(LAN_MAC, { ...answer, targetMac: LAN_MAC, targetAddress: '192.168.0.1' }));
  called.seconds(3, () => called.said.includes('too'));
  t.regex(called.said, /02:00:00:00:00:02 on the LAN has the address 192\.168\.0\.200, too/);
  bob.close();
  called.seconds(WITHIN, () => modem.commands.at(-1) === 'ATS0=0');
  t.deepEqual(asks(called, '192.168.0.200'), [], 'behind the end nobody answers');
});

test.serial('a user is called back, and shows once more who he is', async t => {
  t.timeout(600_000);
  const called = await Called.start();
  const modem = called.modem();
  t.is(called.set(...USERS, 'dial-in callback bob 5557', ...MODEM), '');
  called.seconds(2);
  calls(called, modem);
  const peer = new Peer(called, modem, who('bob', 'secret')).open();
  called.seconds(WITHIN, () => peer.end.reason !== undefined);
  t.regex(peer.end.reason ?? '', /called back/);
  peer.die();
  // Busy the first time.
  modem.answer = command => (command.startsWith('ATD') ? 'BUSY' : undefined);
  called.seconds(30, () => modem.commands.at(-1) === 'ATDT5557');
  t.is(modem.commands.at(-1), 'ATDT5557');
  modem.answer = () => undefined;
  called.seconds(60, () => modem.isOnline);
  t.true(modem.isOnline);
  const back = new Peer(called, modem, who('bob', 'secret'), 8).open();
  called.seconds(WITHIN, () => back.isUp);
  t.is(back.end.result?.local, address('10.9.0.7'));
  t.regex(called.type('show ppp'), /peer 10\.9\.0\.7, who is bob/);
  back.close();
  called.seconds(WITHIN, () => modem.commands.at(-1) === 'ATS0=0');
  called.seconds(1);
  t.regex(called.stateOf('ppp0'), /waiting for a call/);
  t.regex(
    called.type('show ppp'),
    /5557 \(CONNECT 33600\): 0:\d\d, .*\n.*5557: .*busy[\s\S]*from bob \(CONNECT 33600\): .*is called back/,
  );
});

test.serial('what is set of users is checked, listed without passwords, taken back, and bounded', async t => {
  t.timeout(600_000);
  const called = await Called.start();
  t.regex(
    called.set('dial-in address bob 1.2.3'),
    /^Cannot set dial-in address bob 1\.2\.3: an address is four numbers/,
  );
  t.regex(called.set('dial-in callback bob home'), /a modem dials digits/);
  t.regex(called.type('unset dial-in user bob'), /^Cannot unset dial-in user bob: it is not set$/);
  t.is(
    called.set('dial-in user bob secret', 'dial-in address bob 10.9.0.7', 'dial-in callback bob 5557'),
    '',
  );
  t.is(
    called.type('show config').slice(called.type('show config').indexOf('set dial-in')),
    'set dial-in address bob 10.9.0.7\nset dial-in callback bob 5557\nset dial-in user (not shown)',
  );
  t.is(called.type('unset dial-in callback bob'), '');
  t.is(called.type('unset dial-in user bob'), '');
  t.notRegex(called.type('show config'), /dial-in/);
  for (let n = 0; n < 32; n++) t.is(called.set(`dial-in user u${n} x`), '');
  t.is(called.set('dial-in user more x'), 'Cannot set dial-in user more: there are 32 already');
  t.is(called.set('dial-in user u7 y'), '', 'one that is there is changed');
});

test.serial('a control that dies leaves the call as it is, and its end is noticed', async t => {
  t.timeout(600_000);
  const called = await Called.start();
  const modem = called.modem();
  t.is(called.set(...USERS, ...MODEM), '');
  called.seconds(2);
  calls(called, modem);
  const bob = new Peer(called, modem, who('bob', 'secret')).open();
  called.seconds(WITHIN, () => bob.isUp);
  const frames = bob.end.frames;
  called.said = '';
  called.board.type('debug crash control throw\r');
  called.seconds(WITHIN, () => called.said.includes('goes on, as control was started again'));
  called.seconds(3);
  t.regex(called.type('show ppp'), /^ppp0 up .*\n {4}address 10\.9\.0\.1, peer 10\.9\.0\.7, /);
  t.true(modem.isOnline && bob.isUp);
  t.is(bob.end.frames, frames, 'nothing was negotiated');
  bob.die();
  modem.hangUp();
  called.seconds(WITHIN, () => modem.commands.at(-1) === 'ATS0=0');
  called.seconds(1);
  t.regex(called.stateOf('ppp0'), /^ppp0 waiting for a call/);
});

test.serial('three pluses and ATH give a cable its modem back', async t => {
  t.timeout(600_000);
  const called = await Called.start();
  t.is(called.set('ppp0 answer cable', 'ppp0 port com2'), '');
  const pc = called.cable();
  pc.send('ATE0\rATDT1\r');
  called.seconds(1);
  const peer = new Peer(called, pc, WINDOWS).open();
  called.seconds(WITHIN, () => peer.isUp);
  peer.die();
  called.seconds(2);
  pc.heard = '';
  pc.send('+++');
  called.seconds(4, () => pc.heard.endsWith('OK\r\n'));
  t.regex(pc.heard, /\r\nOK\r\n$/);
  pc.heard = '';
  pc.send('ATH\r');
  called.seconds(1);
  t.is(pc.heard, '\r\nOK\r\n');
  t.regex(called.stateOf('ppp0'), /waiting/);
});

test.serial('a stranger is not told the link’s password, and does not get in by it', async t => {
  t.timeout(600_000);
  const called = await Called.start();
  const modem = called.modem();
  t.is(called.set('ppp0 user bob', 'ppp0 password secret', ...MODEM), '');
  called.seconds(2);
  calls(called, modem);
  const stranger = new Peer(called, modem, {
    ...WINDOWS,
    lcp: { ...WINDOWS.lcp, demanded: ['pap'], offered: ['pap'] },
    rest: { account: { name: 'bob', password: 'secret' } },
  }).open();
  called.seconds(WITHIN, () => stranger.end.reason !== undefined || stranger.isUp);
  t.false(stranger.isUp);
  t.false(modem.heard.includes('secret'));
  stranger.die();
});

test.serial(
  'who takes back that it waits hangs up on who has called: DTR is down until a modem sees it',
  async t => {
    t.timeout(600_000);
    const called = await Called.start();
    const modem = called.modem();
    t.is(called.set(...USERS, ...MODEM), '');
    called.seconds(2);
    calls(called, modem);
    const bob = new Peer(called, modem, who('bob', 'secret')).open();
    called.seconds(WITHIN, () => bob.isUp);
    let down = 0;
    called.board.type('unset ppp0 answer\r');
    called.seconds(5, () => {
      if (!modem.port.uart.dtr) down++;
      return false;
    });
    t.true(down >= 150, `${down} ticks`);
    t.true(modem.port.uart.dtr);
    bob.die();
  },
);
