// Who waits for calls, by a host of its own: whatever comes, in whatever state, it waits again in the end, and neither its log nor its answers grow.

import test from 'ava';
import { seeded } from '../../../tools/harness/random.ts';
import { NOW_AT, NOW_WRAPS_AT } from '../../base/cells.ts';
import { PLANE_BYTES, TICKS_PER_SECOND } from '../../base/limits.ts';
import { attach, i32at, puti32 } from '../../base/memory.ts';
import { createClock } from '../core/clock.ts';
import { Answerer } from './answer.ts';
import type { AnswerHost, AnswerWants } from './answer-wants.ts';
import { Caller } from './caller.ts';
import { Phone, WANTS } from './caller-lab.ts';
import { type Hours, readHours } from './hours.ts';
import { wants } from './ppp-lab.ts';

attach(new ArrayBuffer(PLANE_BYTES), 0, PLANE_BYTES);

const ACCOUNTS = new Map([
  ['user bob', 'secret'],
  ['callback bob', '5557'],
]);

class Waiting implements AnswerHost {
  readonly clock = (() => {
    puti32(NOW_AT, 0);
    puti32(NOW_WRAPS_AT, 0);
    return createClock();
  })();
  readonly budget = new Phone().budget;
  readonly port = 1;
  readonly result = undefined;
  readonly answerer: Answerer;
  sent = '';
  logged = 0;
  begun = 0;
  dtr = true;
  carrier: boolean | undefined;
  caller: Caller | undefined;

  seconds: number | undefined;

  constructor(change: Partial<AnswerWants>, isUp = false) {
    this.answerer = new Answerer(this, {
      ...{ isModem: false, rings: 1, init: 'ATZ', isSlip: false, idleSeconds: 0, hours: [] },
      ...{ accounts: ACCOUNTS, session: wants(), ...change },
    });
    this.answerer.start(isUp);
  }

  localSeconds(): number | undefined {
    return this.seconds;
  }
  sendBytes(bytes: Uint8Array): void {
    this.sent += String.fromCharCode(...bytes);
  }
  sendBreak(): void {}
  setDtr(isOn: boolean): void {
    this.dtr = isOn;
    if (!isOn && this.carrier !== undefined) this.carrier = false;
  }
  hasCarrier(): boolean | undefined {
    return this.carrier;
  }
  begin(): void {
    this.begun++;
  }
  end(reason: string): void {
    this.clock.after(30, () => (this.caller ?? this.answerer).closed(reason, false));
  }
  release(): void {}
  gaveUp(): void {}
  askAnew(): void {}
  idleTicks(): number {
    return 0;
  }
  keep(): void {}
  log(): void {
    this.logged++;
  }
  callOut(number: string, who: string): Caller {
    this.caller = new Caller(this, { ...WANTS, mode: 'manual', numbers: [number] });
    this.caller.dial(who);
    return this.caller;
  }
  comeBack(): void {
    this.caller = undefined;
  }

  hear(text: string): void {
    (this.caller ?? this.answerer).input(Uint8Array.from(text, c => c.charCodeAt(0)));
  }

  run(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      puti32(NOW_AT, i32at(NOW_AT) + 1);
      this.clock.run();
    }
  }
}

const PIECES = [
  'OK\r\n',
  'RING\r\n',
  'CONNECT 9600\r\n',
  'NO CARRIER\r\n',
  'ERROR\r\n',
  'bob\r',
  'secret\r',
  'wrong\r',
];
const SPOKEN = [
  ...PIECES,
  'ATZ\r',
  'ATDT1\r',
  'CLIENT',
  '+++',
  'ATH\r',
  '\x7e\xff\x7d\x23\xc0\x21',
  '\x7e',
  'BUSY\r\n',
];

for (const isModem of [true, false])
  test.serial(`whatever comes, a ${isModem ? 'modem' : 'cable'} waits again in the end`, t => {
    for (let seed = 1; seed <= 25; seed++) {
      const random = seeded(seed);
      const host = new Waiting({ isModem });
      if (isModem) host.carrier = false;
      for (let n = 0; n < 400; n++) {
        const kind = random.below(12);
        if (kind < 6) host.hear(SPOKEN[random.below(SPOKEN.length)] as string);
        else if (kind === 6)
          host.hear(Array.from({ length: 20 }, () => String.fromCharCode(random.below(256))).join(''));
        else if (kind === 7) (host.caller ?? host.answerer).carrierLost();
        else if (kind === 8) (host.caller ?? host.answerer).opened();
        else if (kind === 9) (host.caller ?? host.answerer).closed('over', random.chance(0.5));
        else if (kind === 10 && isModem) host.carrier = random.chance(0.5);
        else host.run(random.below(3000));
      }
      // Long enough for each timer there is, with a modem that answers.
      host.answerer.hangUp();
      for (let n = 0; n < 4000 && host.answerer.state !== 'waiting for a call'; n++) {
        host.hear('\r\nOK\r\n');
        if (host.caller?.state === 'up') host.caller.hangUp();
        if (host.answerer.state === 'up') host.answerer.hangUp();
        host.run(TICKS_PER_SECOND);
      }
      t.is(host.answerer.state, 'waiting for a call', `seed ${seed}`);
      t.true(host.answerer.calls.length <= 20);
      t.true(host.dtr);
    }
  });

test.serial('three thousand wrong passwords take half a day, and ten lines of the log an hour', t => {
  const host = new Waiting({});
  let tries = 0;
  for (let n = 0; n < 1000; n++) {
    host.hear('ATDT1\r');
    for (let i = 0; i < 3; i++) {
      host.hear('root\r');
      host.hear(`guess${n}\r`);
      tries++;
      host.run(3.2 * TICKS_PER_SECOND);
    }
    for (let i = 0; i < 90 && host.answerer.state !== 'waiting for a call'; i++) host.run(TICKS_PER_SECOND);
  }
  t.is(tries, 3000);
  const hours = i32at(NOW_AT) / TICKS_PER_SECOND / 3600;
  t.true(hours > 15, `${hours} hours`);
  t.true(host.logged <= 11 * hours, `${host.logged} lines in ${hours} hours`);
  t.is(host.begun, 0);
});

test.serial('SLIP by a modem is for users alone, unless it is said to be for everybody', t => {
  const calls = (change: Partial<AnswerWants>) => {
    const host = new Waiting({ isModem: true, isSlip: true, ...change });
    host.carrier = false;
    for (const said of ['OK', 'OK', 'RING', 'CONNECT 9600']) host.hear(`\r\n${said}\r\n`);
    host.carrier = true;
    host.run(TICKS_PER_SECOND);
    return host;
  };
  const asked = wants({ lcp: { demanded: ['pap'] } });
  const nobody = calls({ accounts: new Map(), session: asked });
  t.is(nobody.answerer.state, 'hanging up');
  t.is(nobody.begun, 0);
  t.is(calls({ accounts: new Map() }).begun, 1);
  const users = calls({ session: asked, accounts: new Map([['user bob', 'secret']]) });
  t.is(users.begun, 0);
  users.hear('bob\rsecret\r');
  users.run(TICKS_PER_SECOND);
  t.is(users.begun, 1);
  t.regex(users.sent, /SLIP: your address is 0\.0\.0\.0, ours 0\.0\.0\.0\r\n$/);
});

test.serial('what a caller may have does not become the link’s', t => {
  const session = wants({ ipcp: { remote: 1 } });
  const host = new Waiting({
    session,
    accounts: new Map([
      ['user bob', 'secret'],
      ['address bob', '10.9.0.7'],
    ]),
  });
  host.hear('ATDT1\r');
  // As a link takes it up that was open when control was started again.
  const { ipcp, known } = host.answerer.session;
  t.is(known?.('bob', ipcp), undefined);
  t.is(ipcp.remote, 0x0a090007);
  t.is(session.ipcp.remote, 1);
});

/** A modem that is called, and has connected. */
function connected(host: Waiting, report = 'CONNECT 9600'): Waiting {
  host.carrier = false;
  for (const said of ['OK', 'OK', 'RING', report]) host.hear(`\r\n${said}\r\n`);
  host.carrier = true;
  host.run(TICKS_PER_SECOND);
  return host;
}

test.serial('CLIENT on a cable of SLIP is asked for a name as everybody is', t => {
  const host = new Waiting({ isSlip: true });
  host.hear('CLIENT');
  t.regex(host.sent, /^CLIENTSERVER\r\nmasqbox login: $/);
  t.is(host.begun, 0);
  const asked = new Waiting({
    isSlip: true,
    accounts: new Map(),
    session: wants({ lcp: { demanded: ['pap'] } }),
  });
  asked.hear('CLIENT');
  t.is(asked.begun, 0);
});

test.serial('who has a number to be called back at does not get in by SLIP, nor is he called', t => {
  const host = connected(new Waiting({ isModem: true, isSlip: true }));
  host.hear('bob\rsecret\r');
  host.run(60 * TICKS_PER_SECOND);
  t.regex(host.sent, /no call-back by SLIP/);
  t.is(host.begun, 0);
  t.is(host.caller, undefined);
});

test.serial(
  'with hours the modem does not answer by itself, and each call is refused or ends with them',
  t => {
    const hours = [readHours('8:00-18:00') as Hours];
    const at = (hour: number) => hour * 3600;
    for (const isModem of [true, false]) {
      const host = new Waiting({ isModem, hours, rings: 0, accounts: new Map() });
      host.seconds = at(7);
      if (isModem) {
        connected(host);
        t.regex(host.sent, /ATS0=0\r/);
        t.notRegex(host.sent, /ATA|S0=1/);
      } else {
        host.hear('ATDT1\r');
        host.run(10 * TICKS_PER_SECOND);
        t.regex(host.sent, /NO CARRIER/);
        for (const said of ['CLIENT', '\x7e\xff\x7d\x23\xc0\x21']) {
          host.hear(said);
          host.run(10 * TICKS_PER_SECOND);
        }
      }
      host.run(60 * TICKS_PER_SECOND);
      t.is(host.begun, 0);
      t.regex(host.answerer.calls[0]?.end?.text ?? '', /not the time/);
      const open = new Waiting({ isModem, hours, rings: 0, accounts: new Map() });
      open.seconds = at(17);
      if (isModem) connected(open);
      else open.hear('ATDT1\r');
      if (isModem) t.regex(open.sent, /ATA\r/);
      open.run(6 * TICKS_PER_SECOND);
      t.is(open.begun, 1);
      open.answerer.opened();
      open.run(6 * TICKS_PER_SECOND);
      t.is(open.answerer.state, 'up');
      open.seconds = at(18);
      open.run(2 * TICKS_PER_SECOND);
      t.not(open.answerer.state, 'up');
      open.run(20 * TICKS_PER_SECOND);
      t.regex(open.answerer.calls[0]?.end?.text ?? 'none', /not the time/);
    }
  },
);

test.serial('when control was started again no call goes on that may be one of ours, back to a user', t => {
  for (const [change, isLeft] of [
    [{ isModem: true }, false],
    [{ isModem: true, accounts: new Map([['user bob', 'secret']]) }, true],
    [{ isModem: false }, true],
  ] as const) {
    const host = new Waiting(change, true);
    host.run(5 * TICKS_PER_SECOND);
    t.is(host.answerer.state === 'up', isLeft);
  }
});

test.serial('a modem that answers by itself is told that it is over when nobody waits any more', t => {
  for (const [rings, after] of [
    [0, 'ATS0=0\r'],
    [1, ''],
  ] as const) {
    const host = new Waiting({ isModem: true, rings });
    for (const said of ['OK', 'OK']) host.hear(`\r\n${said}\r\n`);
    host.sent = '';
    host.answerer.stop();
    t.is(host.sent, after);
  }
});
