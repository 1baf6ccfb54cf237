import test from 'ava';
import { controlLab } from '../../../test/control-lab.ts';
import { arpFrame, BROADCAST, faults, isIpv4, read } from '../../../test/packets.ts';
import {
  GATEWAY_MAC,
  introduce,
  LAN,
  LAN_ADDRESS,
  OTHER,
  OTHER_MAC,
  WAN,
  WAN_ADDRESS,
} from '../../../test/plane-router.ts';
import { INTERFACE_LAN, INTERFACE_WAN, NEIGHBOUR_HELD_SHARE, TICKS_PER_SECOND } from '../../base/limits.ts';
import { parseAddress } from '../core/address.ts';
import { secondsOf } from '../core/civil.ts';
import { LOG_BURST, SYSLOG_BURST, SYSLOG_WAITING } from '../core/limits.ts';
import { ERROR, INFO } from '../core/log.ts';
import { parseZone, type Zone } from '../core/timezone.ts';
import { createWallClock } from '../core/wall-clock.ts';
import { syslogSetting } from './settings.ts';
import { modernLine, oldLine, SyslogSender } from './syslog.ts';

const TIME = secondsOf(2026, 11, 2, 3, 5, 9) * 1000 + 42;
const entry = { tick: 0, level: INFO, facility: 'dhcp', text: 'a lease' };

function fixture() {
  const lab = controlLab();
  const wallClock = createWallClock(lab.clock, 0);
  const others = {
    wan: { onChange(_listener: () => void) {} },
    resolve(_name: string, _done: (addresses: number[]) => void) {},
  };
  const setting = syslogSetting(new SyslogSender(lab.context, wallClock, others));
  const lines = (): string[] =>
    lab.router.toLan().map(datagram => {
      const { destination, destinationPort, data } = read(datagram);
      if (faults(datagram) !== '' || destination !== OTHER || destinationPort !== 514)
        throw new Error('Bad datagram');
      return Buffer.from(data).toString('latin1');
    });
  return { ...lab, wallClock, setting, lines, others };
}

test('modernLine() is as RFC 5424 has it', t => {
  t.is(modernLine(entry, TIME), '<30>1 2026-11-02T03:05:09.042Z masqbox dhcp - - - a lease');
  t.is(modernLine({ ...entry, level: ERROR }, undefined), '<27>1 - masqbox dhcp - - - a lease');
});

test('oldLine() is as RFC 3164 has it', t => {
  t.is(oldLine(entry, Math.floor(TIME / 1000)), '<30>Nov  2 03:05:09 masqbox dhcp: a lease');
  t.is(oldLine(entry, undefined), '<30>dhcp: a lease');
});

test.serial('each line of the log is sent, in local time with rfc3164', t => {
  const { context, wallClock, setting, lines, clock } = fixture();
  context.log(INFO, 'wan', 'before');
  setting.set([OTHER]);
  context.log(INFO, 'wan', 'one');
  t.deepEqual(lines(), ['<30>1 - masqbox wan - - - one']);
  wallClock.set(TIME, clock.now(), 'the test', true);
  wallClock.zone = parseZone('CET-1') as Zone;
  context.log(INFO, 'wan', 'two');
  t.deepEqual(lines(), ['<30>1 2026-11-02T03:05:09.042Z masqbox wan - - - two']);
  setting.set([OTHER, 'rfc3164']);
  context.log(INFO, 'wan', 'three');
  t.deepEqual(lines(), ['<30>Nov  2 04:05:09 masqbox wan: three']);
  t.deepEqual(setting.lines(), [`set syslog ${OTHER} rfc3164`]);
  setting.unset?.([]);
  context.log(INFO, 'wan', 'four');
  t.deepEqual(lines(), []);
  t.deepEqual(setting.lines(), []);
});

test.serial(
  'a receiver by name is looked up when there is a line, again after a while, and lines wait for it',
  t => {
    const { context, router, setting, lines, others, ticks } = fixture();
    const asked: string[] = [];
    let answer: ((addresses: number[]) => void) | undefined;
    others.resolve = (name, done) => {
      asked.push(name);
      answer = done;
    };
    const texts = () => lines().map(line => line.replace(/.* - - - /, ''));
    setting.set(['Log.Example']);
    t.deepEqual(setting.lines(), ['set syslog log.example']);
    t.deepEqual(asked, []);
    context.log(INFO, 'wan', 'one');
    context.log(INFO, 'wan', 'two');
    t.deepEqual(asked, ['log.example']);
    answer?.([]);
    context.log(INFO, 'wan', 'three');
    t.is(asked.length, 1, 'not at once');
    ticks(40 * TICKS_PER_SECOND);
    context.log(INFO, 'wan', 'four');
    t.is(asked.length, 2);
    t.deepEqual(texts(), []);
    answer?.([parseAddress(OTHER) as number]);
    t.deepEqual(texts(), ['one', 'two', 'three', 'four']);
    context.log(INFO, 'wan', 'five');
    t.deepEqual(texts(), ['five']);
    t.is(asked.length, 2);
    ticks(601 * TICKS_PER_SECOND);
    introduce(router, LAN, OTHER_MAC, OTHER, LAN_ADDRESS);
    context.log(INFO, 'wan', 'six');
    t.deepEqual(texts(), ['six'], 'by the old address, until there is an answer');
    t.is(asked.length, 3);
    setting.unset?.([]);
    answer?.([parseAddress(OTHER) as number]);
    context.log(INFO, 'wan', 'seven');
    t.deepEqual(texts(), []);
    t.is(asked.length, 3);
  },
);

test.serial(
  'lines that wait for a name go without another line: the name is asked for again, and when the WAN is up',
  t => {
    const lab = fixture();
    const { context, lines, ticks } = lab;
    const asked: number[] = [];
    let answer: ((addresses: number[]) => void) | undefined;
    const changes: (() => void)[] = [];
    const wan = { onChange: (listener: () => void) => void changes.push(listener) };
    const resolve = (_name: string, done: (addresses: number[]) => void): void => {
      asked.push(lab.clock.uptime() / TICKS_PER_SECOND);
      answer = done;
    };
    const setting = syslogSetting(new SyslogSender(context, lab.wallClock, { wan, resolve }));
    setting.set(['log.example']);
    context.log(INFO, 'wan', 'one');
    for (let n = 1; n <= 3; n++) {
      t.is(asked.length, n);
      answer?.([]);
      ticks(31 * TICKS_PER_SECOND);
    }
    t.is(asked.length, 4, 'every 30 s');
    answer?.([]);
    for (const listener of changes) listener();
    t.is(asked.length, 5, 'the WAN has changed');
    introduce(lab.router, LAN, OTHER_MAC, OTHER, LAN_ADDRESS);
    answer?.([parseAddress(OTHER) as number]);
    t.is(lines().length, 1);
    ticks(100 * TICKS_PER_SECOND);
    for (const listener of changes) listener();
    t.is(asked.length, 5, 'nothing waits');
    setting.set(['other.example']);
    context.log(INFO, 'wan', 'two');
    answer?.([]);
    setting.unset?.([]);
    ticks(100 * TICKS_PER_SECOND);
    for (const listener of changes) listener();
    t.is(asked.length, 6, 'nothing is set');
  },
);

test.serial('a burst is cut at the rate, and what was left out is counted', t => {
  const { context, setting, lines, ticks } = fixture();
  setting.set([OTHER]);
  let sent = 0;
  // Each facility has its own rate in the log; together they pass syslog's.
  for (let n = 0; n < 5; n++) for (let i = 0; i < LOG_BURST; i++) context.log(INFO, `f${n}`, `x${i}`);
  sent += lines().length;
  t.is(sent, SYSLOG_BURST);
  ticks(TICKS_PER_SECOND);
  context.log(INFO, 'wan', 'after');
  const after = lines();
  t.deepEqual(
    after.map(line => line.replace(/^.* - - - /, '')),
    [`${5 * LOG_BURST - SYSLOG_BURST} lines were left out`, 'after'],
  );
});

test.serial('a receiver that cannot be reached is no reason to log', t => {
  const { context, setting } = fixture();
  setting.set(['10.99.99.99']);
  context.machine.plane.routeRemove(0, 0);
  context.log(INFO, 'wan', 'one');
  t.is(context.log.entries().length, 1);
});

test.serial('set syslog refuses in house form', t => {
  const { refusal, setting } = fixture();
  t.is(
    refusal(() => setting.set(['224.0.0.1'])),
    'Cannot set syslog 224.0.0.1: it is a multicast address',
  );
  t.is(
    refusal(() => setting.set([OTHER, 'json'])),
    'Cannot set syslog format json: it is one of rfc5424, rfc3164',
  );
  t.deepEqual(setting.lines(), []);
});

/** A receiver of whose station nothing is known yet. */
const UNKNOWN = '192.168.0.77';

test.serial(
  'what the queue for a station cannot take is sent later, in order; what is more is counted',
  t => {
    const { context, router, setting, ticks } = fixture();
    setting.set([UNKNOWN]);
    for (let n = 0; n < SYSLOG_BURST; n++) context.log(INFO, `f${n % 5}`, `${n}`);
    const texts: string[] = [];
    const take = (): void => {
      for (const frame of router.taken(INTERFACE_LAN)) {
        if (!isIpv4(frame)) continue;
        texts.push(
          Buffer.from(read(frame.slice(14)).data)
            .toString('latin1')
            .replace(/.* - - - /, ''),
        );
      }
    };
    take();
    t.deepEqual(texts, [], 'nobody knows where to');
    const arp = { operation: 1, senderMac: OTHER_MAC, senderAddress: UNKNOWN, targetAddress: LAN_ADDRESS };
    router.put(LAN, arpFrame(BROADCAST, arp));
    for (let i = 0; i < 40; i++) {
      ticks(10);
      take();
    }
    const kept = NEIGHBOUR_HELD_SHARE + SYSLOG_WAITING;
    t.deepEqual(
      texts,
      Array.from({ length: kept }, (_, n) => `${n}`),
    );
    context.log(INFO, 'wan', 'last');
    take();
    t.deepEqual(texts.slice(kept), [`${SYSLOG_BURST - kept} lines were left out`, 'last']);
  },
);

test.serial('lines of a time without a way wait for it', t => {
  const { context, router, setting, ticks } = fixture();
  setting.set(['10.1.2.77']);
  const { plane } = context.machine;
  plane.configureInterface(INTERFACE_WAN, 1, 0, 0, 1500);
  plane.interfacesChanged();
  plane.routeRemove(0, 0);
  router.taken(INTERFACE_WAN);
  context.log(INFO, 'wan', 'the lease is over');
  ticks(100 * TICKS_PER_SECOND);
  plane.configureInterface(INTERFACE_WAN, 1, parseAddress(WAN_ADDRESS) as number, -256, 1500);
  plane.interfacesChanged();
  introduce(router, WAN, GATEWAY_MAC, '10.1.2.77', WAN_ADDRESS);
  ticks(31 * TICKS_PER_SECOND);
  const sent = router.taken(INTERFACE_WAN).filter(isIpv4);
  t.is(sent.length, 1);
});
