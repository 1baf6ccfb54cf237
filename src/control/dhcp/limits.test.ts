// What happens at the DHCP server's limits, and that an office that gets its power back does not meet them.
// Not here: what each kind of station may say (rates.test.ts), floods on a board (test/floods.test.ts), what each message costs (test/worst-inputs.test.ts).

import test from 'ava';
import { addressText, concat } from '../../../test/packets.ts';
import { LEASE_COUNT } from '../../base/limits.ts';
import { NEWCOMERS, STRANGERS } from '../../base/punt-source.ts';
import type { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import {
  DHCP_MESSAGE_BURST,
  DHCP_MESSAGE_LONG,
  DHCP_MESSAGE_TICKS,
  DHCP_NEW_BURST,
  DHCP_NEW_TICKS,
  DHCP_OFFER_SECONDS,
  DHCP_OPTIONS,
  DHCP_PENDING,
  DHCP_PENDING_BYTES,
  DHCP_RESERVATIONS,
} from '../core/limits.ts';
import type { Setting } from '../core/setting.ts';
import { fixture, INFORMS, inPieces, office, type Speaker } from './alone-lab.ts';
import { ACK, DISCOVER, INFORM, REQUEST, type Reader } from './message.ts';
import { lab as board, compose, station } from './server-lab.ts';
import { dhcpSettings } from './settings.ts';

const OFFICE = 150;
const ROUTER = '192.168.0.1';
const RELAY = '02:00:00:00:77:01';

test('an office of 150 is answered in 0.1 s each by a router that has lost its leases, all at once or in turn', t => {
  for (const pause of [0, 1, 7]) {
    const lab = office();
    const answers = new Map<number, number>();
    const asked = new Map<number, number>();
    const note = (heard: Reader[]): void => {
      for (const [i, { type, xid, yiaddr }] of heard.entries()) {
        if (xid >= OFFICE) continue;
        t.is(type, ACK);
        t.is(addressText(yiaddr), `192.168.0.${20 + xid}`);
        answers.set(xid, lab.times[i] as number);
      }
    };
    for (let n = 0; n < OFFICE; n++) {
      asked.set(n, lab.clock.passed);
      note(lab.stranger(lab.reboot(n), pause));
    }
    // Somebody's message lets the last answers come.
    for (let i = 0; i < 10; i++) note(lab.hear(compose(station(9999), INFORM, {}), 1));
    t.is(answers.size, OFFICE, `one each ${pause} ticks`);
    for (const [n, at] of answers) t.true(at - (asked.get(n) as number) <= 10, `host ${n}`);
  }
});

test('DHCP_MESSAGE_BURST: strangers are read no more, then one each DHCP_MESSAGE_TICKS; who is known is read', t => {
  const lab = office();
  let answered = 0;
  const say = (): boolean => lab.stranger(INFORMS).length > 0;
  for (let n = 0; n < 2 * DHCP_MESSAGE_BURST; n++) if (say()) answered++;
  t.is(answered, DHCP_MESSAGE_BURST);
  t.is(lab.hear(INFORMS, 0).length, 1, 'known');
  lab.clock.go(lab.clock.passed + DHCP_MESSAGE_TICKS);
  t.deepEqual([say(), say()], [true, false]);
});

test('a message in many pieces counts as several: what strangers cost is bounded, not how many there are', t => {
  const { server: _server, ...lab } = office();
  let answered = 0;
  for (let n = 0; n < DHCP_MESSAGE_BURST; n++) if (lab.stranger(inPieces(100)).length > 0) answered++;
  t.is(answered, DHCP_MESSAGE_BURST / DHCP_MESSAGE_LONG);
  // One that is refused for its pieces has been read as far.
  const other = office();
  for (let n = 0; n < DHCP_MESSAGE_BURST; n++) other.stranger(inPieces(200));
  t.is(other.stranger(INFORMS).length, 0);
});

test('DHCP_NEW_BURST: one more new client is not answered, and one each DHCP_NEW_TICKS is', t => {
  const lab = office();
  const relay = { mac: RELAY, port: 67 };
  const kinds: Speaker[] = [{ source: STRANGERS }, { source: NEWCOMERS }, relay];
  for (const [i, speaker] of kinds.entries()) {
    const isAsked = (n: number): boolean => {
      const giaddr = speaker === relay ? '192.168.0.2' : '0.0.0.0';
      const said = { requested: `192.168.0.${20 + n}`, xid: n, giaddr };
      lab.hear(compose(station(n + 300 * i), REQUEST, said), 0, speaker);
      return lab.questions.length > 0;
    };
    for (let n = 0; n < DHCP_NEW_BURST; n++) t.true(isAsked(n), `${n}`);
    lab.clock.go(lab.clock.passed + 10);
    t.false(isAsked(200));
    lab.clock.go(lab.clock.passed + DHCP_NEW_TICKS - 10);
    t.deepEqual([isAsked(201), isAsked(202)], [true, false]);
    // Nobody waits any more, and their addresses are another's to have.
    lab.clock.go(lab.clock.passed + 100);
    lab.server.table.keep(() => false);
  }
});

test('DHCP_PENDING and DHCP_PENDING_BYTES: one more is not asked for, and is when the others have their answers', t => {
  const plain = compose(station(1), DISCOVER, {});
  const long = (n: number): Uint8Array => {
    const options = Array.from({ length: 5 }, () => [43, 200, ...Array<number>(200).fill(1)]);
    return concat(compose(station(n), DISCOVER, { xid: n }).slice(0, 243), ...options, [255]);
  };
  for (const [make, most] of [
    [(n: number) => compose(station(n), DISCOVER, { xid: n }), DHCP_PENDING],
    [long, Math.floor(DHCP_PENDING_BYTES / (long(1).length - 1))],
  ] as const) {
    t.true(most <= DHCP_NEW_BURST, 'that limit is not met first');
    const lab = office();
    const isAsked = (data: Uint8Array): boolean => {
      lab.hear(data, 0);
      return lab.questions.length > 0;
    };
    for (let n = 0; n < most; n++) t.true(isAsked(make(n)), `${n} of ${most}`);
    t.false(isAsked(make(most)), 'one more');
    t.true(plain.length < 600);
    lab.clock.go(lab.clock.passed + 400);
    t.true(isAsked(make(most)), 'later');
  }
});

test('reservations and options beyond their limits are refused, and replace one of theirs', t => {
  const { server } = fixture();
  const said: string[] = [];
  const context = { registry: { isRestoring: false }, output: { line: (text: string) => said.push(text) } };
  const settings = dhcpSettings(context as unknown as Context, server);
  const set = (words: string, args: string): string => {
    const setting = settings.find(one => one.words === words) as Setting;
    try {
      setting.set(args.split(' '));
      return '';
    } catch (error) {
      return (error as Refusal).message;
    }
  };
  const reserve = (n: number): string => set('dhcp reserve', `${station(n)} 192.168.0.${10 + n} host${n}`);
  for (let n = 0; n < DHCP_RESERVATIONS; n++) t.is(reserve(n), '');
  t.regex(reserve(DHCP_RESERVATIONS), /^Cannot set DHCP reservation .*: all 64 reservations are in use$/);
  t.is(set('dhcp reserve', `${station(3)} 192.168.0.200`), '', 'another address for one of them');
  t.is(server.config.reservations.length, DHCP_RESERVATIONS);
  const option = (n: number): string => set('dhcp option', `${200 + n} 1`);
  for (let n = 0; n < DHCP_OPTIONS; n++) t.is(option(n), '');
  t.is(option(DHCP_OPTIONS), 'Cannot set DHCP option 216: all 16 places are taken');
  t.is(set('dhcp option', '203 2'), '');
  t.is(server.config.options.length, DHCP_OPTIONS);
  t.deepEqual(said, []);
});

test('a flood of made-up stations takes no lease away, and is bounded in rate and in the table', async t => {
  const { join, command, raw, wait, heard, one } = await board();
  const hosts = [1, 2, 3, 4, 5].map(n => ({
    mac: station(n),
    address: join(station(n), { name: `host${n}` }),
  }));
  // Wide enough for the rate to be the bound.
  t.is(command('set dhcp range 192.168.0.2 192.168.0.254'), '');
  heard.length = 0;
  for (let n = 0; n < 2000; n++) {
    raw(station(1000 + n), compose(station(1000 + n), DISCOVER, {}));
    if (n % 10 === 0) wait(1);
  }
  wait(100);
  // 2,000 in 2 s: the burst, and a few for the time.
  t.true(heard.length >= DHCP_NEW_BURST - 5 && heard.length <= DHCP_NEW_BURST + 16, `${heard.length} offers`);
  t.true(command('show leases').split('\n').length <= 1 + LEASE_COUNT);
  const renew = (mac: string, address: string): number | undefined => {
    const said = { ciaddr: address, destination: ROUTER };
    raw(mac, compose(mac, REQUEST, said), said);
    return heard.at(-1)?.type;
  };
  for (let n = 0; n < 400; n++) {
    raw(station(5000 + n), compose(station(5000 + n), DISCOVER, {}));
    if (n % 40 === 39) wait(1);
  }
  heard.length = 0;
  for (const { mac, address } of hosts) t.is(renew(mac, address), ACK, 'in the midst of it');
  wait(500);
  for (const { mac, address } of hosts) {
    const renewed = one(mac, REQUEST, { ciaddr: address, destination: ROUTER });
    t.deepEqual([renewed.type, renewed.yiaddr], [ACK, address]);
  }
  wait((DHCP_OFFER_SECONDS + 15) * 100);
  t.is(command('show leases').match(/leased/g)?.length, hosts.length);
  t.is(command('show leases').match(/offered/g), null);
});
