import test from 'ava';
import { runSeed, seeded } from '../../../tools/harness/random.ts';
import { MONDAY, Phone } from './caller-lab.ts';
import { isWithin, readHours } from './hours.ts';

const DAY = 86400;

test.serial('a call by demand: dialled, up, hung up when nobody uses it, and dialled again at once', t => {
  const phone = new Phone();
  t.true(phone.caller.demand('192.168.0.5 tcp 80'));
  t.is(phone.caller.state, 'dialling');
  phone.run(25);
  t.is(phone.caller.state, 'up');
  t.is(phone.caller.call?.report, 'CONNECT 33600');
  phone.run(200);
  phone.traffic();
  phone.run(299);
  t.is(phone.caller.state, 'up');
  phone.run(10);
  t.is(phone.caller.state, 'idle');
  t.false(phone.carrier);
  t.deepEqual(phone.logged, ['dials 0191011, for 192.168.0.5 tcp 80', 'ends: nobody has used it']);
  t.true(phone.caller.demand('192.168.0.5 tcp 80'));
  t.is(phone.caller.state, 'dialling');
  const [, first] = phone.caller.calls;
  t.is(first?.who, '192.168.0.5 tcp 80');
  t.true(first!.seconds > 500 && first!.seconds < 550, `${first!.seconds}`);
});

test.serial('what the modem says is told apart, and another number is tried where it may do', t => {
  for (const [answer, failure] of [
    ['BUSY', 'busy'],
    ['NO CARRIER', 'no carrier'],
    ['NO DIALTONE', 'no dial tone'],
    ['NO DIAL TONE', 'no dial tone'],
    ['NO ANSWER', 'no answer'],
    ['', 'no answer'],
    ['ERROR', 'no modem'],
  ] as const) {
    const phone = new Phone({ mode: 'manual', numbers: ['1', '2'] });
    phone.answer = () => answer;
    t.is(phone.caller.dial('the console'), undefined);
    phone.run(300);
    t.is(phone.caller.calls[0]?.end?.failure, failure, answer);
    t.is(phone.caller.state, 'idle');
    const isOther = failure !== 'no dial tone' && failure !== 'no modem';
    t.deepEqual(phone.dialled, isOther ? ['1', '2'] : ['1'], answer);
  }
  const second = new Phone({ numbers: ['1', '2', '3'] });
  second.answer = number => (number === '2' ? 'CONNECT' : 'BUSY');
  second.caller.demand('x');
  second.run(60);
  t.is(second.caller.state, 'up');
  t.deepEqual(second.dialled, ['1', '2']);
});

test.serial('a modem that says nothing at all, and one that has to be asked twice', t => {
  const phone = new Phone({ mode: 'manual' });
  phone.answer = () => 'BUSY';
  const send = phone.sendBytes.bind(phone);
  let asked = 0;
  phone.sendBytes = bytes => {
    if (++asked > 1) send(bytes);
  };
  phone.caller.dial('x');
  phone.run(60);
  t.deepEqual(phone.dialled, ['0191011']);
  phone.sendBytes = () => {};
  phone.caller.dial('x');
  phone.run(60);
  t.is(phone.caller.calls[0]?.end?.failure, 'no modem');
});

test.serial(
  'after failures it waits, twice as long each time and no longer than set; a call that works forgets them',
  t => {
    const phone = new Phone({ mode: 'always' });
    phone.answer = () => 'BUSY';
    const times: number[] = [];
    const dialled = phone.dialled.push.bind(phone.dialled);
    phone.dialled.push = number => {
      times.push(phone.now);
      return dialled(number);
    };
    phone.caller.start(false);
    phone.run(2 * 3600);
    const pauses = times
      .slice(1)
      .map((time, i) => Math.round(time - (times[i] as number) - phone.answerSeconds - 2));
    t.deepEqual(pauses.slice(0, 9), [15, 30, 60, 120, 240, 480, 900, 900, 900]);
    phone.answer = () => 'CONNECT';
    phone.run(1000);
    t.is(phone.caller.state, 'up');
    phone.run(100);
    // A call that has lasted is no failure.
    const before = times.length;
    phone.hangUp();
    phone.run(10);
    t.is(times.length, before + 1);
  },
);

test.serial('while it waits after a failure packets do not dial, and who dials by hand does', t => {
  const phone = new Phone();
  phone.answer = () => 'BUSY';
  phone.caller.demand('x');
  phone.run(30);
  t.is(phone.caller.state, 'waiting');
  t.false(phone.caller.demand('x'));
  t.true(phone.caller.waitTicks > 0);
  phone.answer = () => 'CONNECT';
  t.is(phone.caller.dial('x'), undefined);
  phone.run(30);
  t.is(phone.caller.state, 'up');
  t.is(phone.caller.dial('x'), 'it is up');
});

test.serial('who is refused is not asked for minutes', t => {
  const phone = new Phone({ mode: 'always' });
  phone.ppp = 'refused';
  phone.caller.start(false);
  phone.run(60);
  t.is(phone.caller.calls[0]?.end?.failure, 'refused');
  phone.run(240);
  t.is(phone.dialled.length, 1);
  phone.run(60);
  t.is(phone.dialled.length, 2);
});

test.serial('PPP that comes to nothing, and a modem that does not mind DTR', t => {
  const phone = new Phone({ mode: 'manual' });
  phone.ppp = 'silent';
  phone.hearsDtr = false;
  phone.caller.dial('x');
  phone.run(250);
  t.is(phone.caller.state, 'idle');
  t.false(phone.carrier);
  t.is(phone.caller.calls[0]?.end?.failure, 'no ppp');
});

test.serial('a link that is always up stays down when it was hung up by hand, until somebody dials', t => {
  const phone = new Phone({ mode: 'always' });
  phone.caller.start(false);
  phone.run(60);
  t.is(phone.caller.state, 'up');
  t.is(phone.caller.hangUp(), undefined);
  phone.run(3600);
  t.is(phone.caller.state, 'idle');
  t.is(phone.caller.hangUp(), 'it is down');
  t.is(phone.caller.dial('x'), undefined);
  phone.run(4000);
  t.is(phone.caller.state, 'up', 'and is not idle, however long');
});

test.serial('a wish that comes while the line is hung up is granted then', t => {
  const phone = new Phone();
  phone.caller.demand('x');
  phone.run(400, () => phone.caller.state === 'hanging up');
  t.is(phone.caller.state, 'hanging up');
  t.true(phone.caller.demand('y'));
  phone.run(30);
  t.is(phone.caller.state, 'up');
  t.is(phone.caller.call?.who, 'y');
});

test.serial('a link that packets dial stays down when it was hung up by hand, until somebody dials', t => {
  const phone = new Phone();
  t.is(phone.caller.hangUp(), undefined, 'before any call, too');
  t.is(phone.caller.hangUp(), 'it is down');
  t.false(phone.caller.demand('x'));
  t.is(phone.caller.dial('x'), undefined);
  phone.run(30);
  t.is(phone.caller.state, 'up');
  t.is(phone.caller.hangUp(), undefined);
  phone.run(1);
  t.is(phone.caller.state, 'hanging up');
  t.false(phone.caller.demand('y'));
  phone.run(3600);
  t.false(phone.caller.demand('y'));
  t.is(phone.caller.refusal(), 'it was hung up by hand, until dial');
  t.is(phone.dialled.length, 1);
  t.is(phone.caller.dial('x'), undefined);
  phone.run(400, () => phone.caller.state === 'idle');
  t.true(phone.caller.demand('y'), 'and from then on packets dial again');
});

test.serial(
  'what waits is told where no call is made for it, and asks for another where the last one worked',
  t => {
    const phone = new Phone({}, { hourCalls: 1 });
    phone.caller.demand('x');
    phone.run(400, () => phone.caller.state === 'hanging up');
    t.is(phone.givenUp, 0);
    // A wish that may not be granted any more when the line is free.
    phone.budget.limits = { ...phone.budget.limits, hourCalls: 2 };
    t.true(phone.caller.demand('y'));
    phone.budget.limits = { ...phone.budget.limits, hourCalls: 1 };
    phone.run(10);
    t.deepEqual([phone.caller.state, phone.givenUp, phone.asked], ['idle', 1, 0]);
    phone.budget.limits = { ...phone.budget.limits, hourCalls: 0 };
    phone.caller.demand('y');
    phone.run(100);
    // PPP is agreed on anew when the line is lost; who comes meanwhile waits, and control has been asked before.
    phone.hangUp();
    phone.caller.carrierLost();
    phone.run(10);
    t.deepEqual([phone.caller.state, phone.givenUp, phone.asked], ['idle', 1, 1]);
  },
);

test.serial('a call over which control was restarted goes on, and costs', t => {
  const phone = new Phone({}, { monthSeconds: 600 });
  phone.carrier = true;
  phone.caller.start(true);
  phone.traffic();
  t.is(phone.caller.state, 'up');
  for (let i = 0; i < 20; i++) {
    phone.run(60);
    phone.traffic();
  }
  t.is(phone.caller.state, 'idle');
  t.is(phone.caller.calls[0]?.end?.text, 'what calls may cost is used up');
});

test.serial('hours: days, midnight, and no time of day', t => {
  const at = (day: number, hour: number, minute = 0) => MONDAY + day * DAY + hour * 3600 + minute * 60;
  const rule = (text: string) => {
    const hours = readHours(text);
    if (typeof hours === 'string') throw new Error(hours);
    return [hours];
  };
  t.true(isWithin(rule('8:00-18:00'), at(3, 8)));
  t.false(isWithin(rule('8:00-18:00'), at(3, 18)));
  t.true(isWithin(rule('mon-fri/18:00-8:00'), at(4, 23)), 'Friday');
  t.true(isWithin(rule('mon-fri/18:00-8:00'), at(5, 7, 59)), 'until Saturday morning');
  t.false(isWithin(rule('mon-fri/18:00-8:00'), at(5, 19)));
  t.true(isWithin(rule('sat-mon/0:00-24:00'), at(6, 12)));
  t.false(isWithin(rule('sat-mon/0:00-24:00'), at(1, 12)));
  t.true(isWithin(rule('sun/0:00-1:00'), undefined));
  for (const text of [
    '',
    '8-18',
    '8:00-8:00',
    '25:00-8:00',
    'day/8:00-9:00',
    '8:60-9:00',
    'mon-tue-wed/8:00-9:00',
  ])
    t.is(typeof readHours(text), 'string', text);
  const phone = new Phone({ hours: rule('8:00-18:00') });
  phone.run(7 * 3600);
  t.false(phone.caller.demand('x'));
  t.is(phone.caller.dial('x'), 'it is not the time for it');
  phone.run(3600);
  t.true(phone.caller.demand('x'));
  phone.run(60);
  const end = () => {
    phone.traffic();
    return phone.caller.state !== 'up';
  };
  phone.run(12 * 3600, end);
  t.is(phone.caller.calls[0]?.end?.text ?? 'the time for calls is over', 'the time for calls is over');
  t.true(Math.abs(phone.now - 18 * 3600) < 10, `${phone.now}`);
});

test.serial('minutes cost by the piece that has begun, and calls that nobody answers cost nothing', t => {
  const phone = new Phone({ price: 12, priceSeconds: 90 });
  phone.answer = () => 'BUSY';
  phone.caller.demand('x');
  phone.run(60);
  t.deepEqual([phone.caller.calls[0]?.cost, phone.budget.month.seconds, phone.budget.month.calls], [0, 0, 1]);
  phone.answer = () => 'CONNECT';
  phone.caller.demand('x');
  phone.run(600);
  const call = phone.caller.calls[0]!;
  t.is(call.cost, 12 * Math.ceil(call.seconds / 90));
});

/** Hosts that want something now and then, for some days; answers the seconds online, of each 31 days. */
function days(phone: Phone, count: number, chance: ReturnType<typeof seeded>): void {
  const end = phone.now + count * DAY;
  while (phone.now < end) {
    // A question each ten minutes, and then for some time a few.
    phone.run(chance.fraction() * 1200);
    phone.caller.demand('a host');
    for (let i = 0; i < 5; i++) {
      phone.run(chance.fraction() * 100);
      if (phone.caller.state === 'up') phone.traffic();
    }
  }
}

test.serial(
  'months of dial on demand with a budget, cut off from power now and then: never over it, never stuck',
  t => {
    const chance = seeded(runSeed());
    const limit = 20 * 3600;
    let kept: Uint8Array | undefined;
    let from = MONDAY;
    const online: number[] = [];
    let cuts = 0;
    // Months of 31, 30 and 31 days, each its own budget.
    for (const length of [31, 30, 31]) {
      let used = 0;
      const end = from + length * DAY;
      while (from < end) {
        const phone = new Phone(
          { idleSeconds: 120 },
          { monthSeconds: limit, hourSeconds: 1800, hourCalls: 30 },
          { from, kept },
        );
        phone.answer = () =>
          chance.chance(0.1) ? 'BUSY' : chance.chance(0.1) ? 'NO CARRIER' : 'CONNECT 33600';
        const wanted = Math.min((end - from) / DAY, 0.5 + 6 * chance.fraction());
        while (phone.now < wanted * DAY) {
          days(phone, Math.min(1 / 24, wanted - phone.now / DAY), chance);
          if (phone.now > wanted * DAY) break;
        }
        // The power goes, perhaps in a call; what the provider counts goes on to the end of it.
        phone.hangUp();
        used += phone.online;
        kept = phone.kept ?? kept;
        from += Math.ceil(phone.now);
        cuts++;
      }
      online.push(used);
    }
    t.log(`seconds online of ${limit}: ${online.map(Math.round).join(', ')}; ${cuts} cuts`);
    for (const used of online) {
      t.true(used <= limit, `${used}`);
      // All of it was wanted, and but for what the cuts have cost, all was had.
      t.true(used > limit - 100 * cuts - 1200, `${used}`);
    }
  },
);

test.serial('an hour’s minutes and calls hold, whatever is wanted', t => {
  const phone = new Phone({ idleSeconds: 60 }, { hourSeconds: 600, hourCalls: 4 });
  let last = 0;
  for (let hour = 0; hour < 48; hour++) {
    for (let minute = 0; minute < 60; minute++) {
      phone.caller.demand('x');
      phone.run(60);
      phone.traffic();
    }
    // A window of an hour lies in two of these.
    t.true(phone.online - last <= 1200, `${phone.online - last}`);
    last = phone.online;
  }
  t.true(phone.online > 40 * 500 && phone.online <= 49 * 600, `${phone.online}`);
});

test.serial('without a time of day a month is 31 days, and what was used before counts', t => {
  const first = new Phone({}, { monthSeconds: 3600 }, { from: undefined as unknown as number });
  for (let i = 0; i < 200; i++) {
    first.caller.demand('x');
    first.run(60);
    first.traffic();
  }
  t.true(first.online <= 3600 && first.online > 3500, `${first.online}`);
  const second = new Phone(
    {},
    { monthSeconds: 3600 },
    { from: undefined as unknown as number, kept: first.kept },
  );
  t.false(second.caller.demand('x'));
  second.run(31 * DAY + 60);
  t.true(second.caller.demand('x'));
  // The time becomes known: still this month.
  const third = new Phone({}, { monthSeconds: 3600 }, { kept: first.kept });
  t.false(third.caller.demand('x'));
  third.run(31 * DAY);
  t.true(third.caller.demand('x'));
});
