// Lines of packets that rules have logged: as Linux 2.4, 2.2 and 2.0 write them.

import test from 'ava';
import { echo, fragments, icmpError, ipv4, payload, SYN, tcp, udp } from '../../../../test/packets.ts';
import { HOST, SERVER, startRouter } from '../../../../test/plane-router.ts';
import { addRule, startRules } from '../../../../test/rule-lab.ts';
import { javascriptBuild } from '../../../../tools/builds.ts';
import { fill, get8, i32at, put8, puti32 } from '../../../base/memory.ts';
import { logAt } from '../../../base/rule-log-record.ts';
import * as R from '../../../base/rule-record.ts';
import { LOG_LOST_AT, LOG_READ_AT, LOG_WRITTEN_AT } from '../../../base/rule-state.ts';
import { DEBUG, type Log } from '../../core/log.ts';
import { logLine } from './line.ts';
import { chainsLine, fwadmLine } from './old-line.ts';
import { writeLog } from './overlay.ts';

const build = javascriptBuild();
const { plane } = build;
const ends = { source: HOST, destination: SERVER, id: 7 };
const MAC = 'MAC=02:4d:42:00:00:01:02:00:00:00:00:02:08:00';
const ADDRESSES = `SRC=${HOST} DST=${SERVER}`;

/** A rule that logs, with what is written of it. */
const logging = (prefix: string, flags: number, level = 4) => ({
  target: R.TARGET_LOG,
  operations: [
    {
      kind: R.OPERATION_LOG,
      write: (at: number) => {
        put8(at + 4, level);
        put8(at + 5, flags);
        put8(at + 6, prefix.length);
        for (let i = 0; i < prefix.length; i++) put8(at + 8 + i, prefix.charCodeAt(i));
      },
    },
  ],
});

function start(fields: Parameters<typeof addRule>[2], chain = R.CHAIN_FORWARD) {
  const router = startRouter(build);
  fill(LOG_READ_AT, 0, 1);
  startRules(plane);
  addRule(plane, chain, fields);
  return router;
}

/** The line of what was logged last. */
const last = (line: (record: number) => string): string => line(logAt(get8(LOG_WRITTEN_AT) - 1));

test.serial('a segment, with all that a rule may ask for', t => {
  const all = R.LOG_SEQUENCE | R.LOG_TCP_OPTIONS | R.LOG_IP_OPTIONS;
  const router = start(logging('fw: ', all));
  const header = { sourcePort: 1234, destinationPort: 80, sequence: 287454020, acknowledgment: 1432778632 };
  router.fromHost(
    tcp({ ...ends, dontFragment: true }, { ...header, flags: SYN, window: 8192, options: [2, 4, 5, 0xb4] }),
  );
  t.is(
    last(logLine),
    `fw: IN=lan OUT=wan ${MAC} ${ADDRESSES} LEN=44 TOS=0x00 PREC=0x00 TTL=63 ID=7 DF PROTO=TCP SPT=1234 DPT=80 ` +
      'SEQ=287454020 ACK=1432778632 WINDOW=8192 RES=0x00 SYN URGP=0 OPT (020405B4) ',
  );
});

test.serial('datagrams, pings, errors, fragments, other protocols, and the type of service', t => {
  const router = start(logging('', R.LOG_MAC));
  const mac = 'MACSRC=02:00:00:00:00:02 MACDST=02:4d:42:00:00:01 MACPROTO=0800';
  const line = (datagram: Uint8Array): string => {
    router.fromHost(datagram);
    const text = last(logLine);
    const begin = `IN=lan OUT=wan ${mac} ${ADDRESSES} `;
    t.true(text.startsWith(begin), text);
    return text.slice(begin.length);
  };
  t.is(
    line(udp({ ...ends, tos: 0xb9 }, 1000, 53, payload(4))),
    'LEN=32 TOS=0x18 PREC=0xA0 TTL=63 ID=7 PROTO=UDP SPT=1000 DPT=53 LEN=12 ',
  );
  t.is(
    line(echo(ends, 8, 77, 3, payload(0))),
    'LEN=28 TOS=0x00 PREC=0x00 TTL=63 ID=7 PROTO=ICMP TYPE=8 CODE=0 ID=77 SEQ=3 ',
  );
  const quoted = udp({ source: SERVER, destination: HOST, id: 1 }, 1000, 53, payload(4));
  t.is(
    line(icmpError(ends, 3, 4, quoted, 1400)),
    'LEN=60 TOS=0x00 PREC=0x00 TTL=63 ID=7 PROTO=ICMP TYPE=3 CODE=4 ' +
      `[SRC=${SERVER} DST=${HOST} LEN=32 TOS=0x00 PREC=0x00 TTL=64 ID=1 PROTO=UDP SPT=1000 DPT=53 LEN=12 ] MTU=1400 `,
  );
  t.is(line(ipv4(ends, 47, payload(8))), 'LEN=28 TOS=0x00 PREC=0x00 TTL=63 ID=7 PROTO=47 ');
  const [first, second] = fragments(udp({ ...ends, id: 99 }, 1000, 53, payload(56)), 32);
  t.is(
    line(first as Uint8Array),
    'LEN=52 TOS=0x00 PREC=0x00 TTL=63 ID=99 MF PROTO=UDP SPT=1000 DPT=53 LEN=64 ',
  );
  t.is(line(second as Uint8Array), 'LEN=52 TOS=0x00 PREC=0x00 TTL=63 ID=99 FRAG:4 PROTO=UDP ');
});

test.serial('lines of 2.2 and 2.0', t => {
  const old = (target: number) => ({
    target,
    operations: [{ kind: R.OPERATION_DO_LOG, write: (at: number) => put8(at + 4, 6) }],
  });
  const router = start({ protocol: 47, target: R.TARGET_ACCEPT }, R.CHAIN_OLD_INPUT);
  addRule(plane, R.CHAIN_OLD_INPUT, { ...old(R.TARGET_DROP), protocol: 6 });
  addRule(plane, R.CHAIN_OLD_FORWARD, old(R.TARGET_MASQUERADE));
  router.fromHost(tcp(ends, { sourcePort: 1043, destinationPort: 80, flags: SYN }));
  const tail = 'L=40 S=0x00 I=7 F=0x0000 T=64';
  t.is(
    last(chainsLine),
    `Packet log: - DENY lan PROTO=6 ${HOST}:1043 ${SERVER}:80 ${tail} SYN (#2)`.replace(
      '- DENY',
      'input DENY',
    ),
  );
  t.is(last(fwadmLine), `IP fw-in deny lan TCP ${HOST}:1043 ${SERVER}:80 ${tail}`);
  router.fromHost(echo(ends, 8, 1, 1, payload(12)));
  t.is(
    last(chainsLine),
    `Packet log: forward MASQ wan PROTO=1 ${HOST}:8 ${SERVER}:0 ${tail} (#1)`.replace('T=64', 'T=63'),
  );
  t.is(last(fwadmLine), `IP fw-fwd acc/masq wan ICMP/8 ${HOST} ${SERVER} ${tail}`.replace('T=64', 'T=63'));
});

test.serial('what has no room in the ring is counted and told, and each is written once at its level', t => {
  const router = start(logging('x ', 0, 7));
  for (let i = 0; i < 40; i++) router.fromHost(udp(ends, 1, 2 + i));
  t.is(i32at(LOG_LOST_AT), 8);
  const lines: [number, string][] = [];
  const log = ((level: number, _: string, text: string) => lines.push([level, text])) as unknown as Log;
  writeLog(log);
  t.is(lines.length, 33);
  t.is(lines[0]?.[0], DEBUG);
  t.is(lines[32]?.[1], '8 more packets were to be logged');
  writeLog(log);
  t.is(lines.length, 33);
  puti32(LOG_LOST_AT, 0);
});
