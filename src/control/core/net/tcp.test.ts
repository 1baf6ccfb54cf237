// TCP by segments made by hand. Against real kernels: test/tcp.test.ts.

import test from 'ava';
import fc from 'fast-check';
import { controlLab, type Lab } from '../../../../test/control-lab.ts';
import {
  ACK,
  FIN,
  mssOption as mss,
  PSH,
  payload,
  type Read,
  RST,
  read,
  SYN,
  tcp,
} from '../../../../test/packets.ts';
import { HOST, LAN_ADDRESS } from '../../../../test/plane-router.ts';
import { runSeed } from '../../../../tools/harness/random.ts';
import { COUNT_PUNTED } from '../../../base/counters.ts';
import { ICMP_BURST, INTERFACE_LAN, TCP_MSS, TICKS_PER_SECOND } from '../../../base/limits.ts';
import { parseAddress } from '../address.ts';
import { TCP_CONNECTIONS, TCP_REPAIRS_PER_SECOND, TCP_SEND_BYTES } from '../limits.ts';
import type { Connection, End } from './tcp.ts';
import { MSS_DEFAULT, mssOption } from './tcp-segment.ts';

const PORT = 53;
const ENDS = { source: HOST, destination: LAN_ADDRESS };
const FIRST = 5000;

interface Open extends Lab {
  connection: Connection | undefined;
  got: string;
  ends: End[];
  /** Sends a segment from the host and answers what comes back. */
  say(flags: number, sequence: number, acknowledgment: number, data?: Uint8Array, port?: number): Read[];
  heard(): Read[];
  /** Our side's initial sequence number, once open. */
  iss: number;
}

function listening(): Open {
  const lab = controlLab();
  const open: Open = {
    ...lab,
    ...{ connection: undefined, got: '', ends: [], iss: 0 },
    heard: () => lab.router.toLan().map(read),
    say: (flags, sequence, acknowledgment, data = new Uint8Array(0), port = 4000) => {
      const header = { sourcePort: port, destinationPort: PORT, flags, sequence, acknowledgment };
      const options = (flags & SYN) !== 0 ? { options: mss(1300) } : {};
      lab.router.fromHost(tcp(ENDS, { ...header, ...options }, data));
      lab.settle();
      return open.heard();
    },
  };
  lab.context.tcp.listen(PORT, 1 << INTERFACE_LAN, connection => {
    open.connection = connection;
    connection.onData = data => {
      open.got += Buffer.from(data).toString();
    };
    connection.onClose = end => open.ends.push(end);
  });
  return open;
}

/** Opens a connection from the host. */
function opened(): Open {
  const open = listening();
  const [answer] = open.say(SYN, FIRST - 1, 0) as [Read];
  open.iss = (answer.sequence + 1) | 0;
  open.say(ACK, FIRST, open.iss);
  return open;
}

const seen = (segments: Read[]) => segments.map(({ tcpFlags, data }) => `${tcpFlags} ${data.length}`);

test.serial('a connection is opened, used both ways and closed by the other side', t => {
  const open = listening();
  const [synAck] = open.say(SYN, FIRST - 1, 0) as [Read];
  t.is(synAck.tcpFlags, SYN | ACK);
  t.is(synAck.acknowledgment, FIRST);
  t.is(open.connection, undefined, 'not before the third segment');
  const iss = (synAck.sequence + 1) | 0;
  open.say(ACK, FIRST, iss);
  t.is(open.connection?.state, 'ESTABLISHED');
  const [ack] = open.say(ACK | PSH, FIRST, iss, Buffer.from('query')) as [Read];
  t.is(open.got, 'query');
  t.is(ack.acknowledgment, FIRST + 5);
  t.true(open.connection?.write(payload(2500)));
  const sent = open.heard();
  t.deepEqual(seen(sent), [`${ACK} 1220`, `${ACK} 1220`], 'two segments of what its MSS was rounded to');
  t.deepEqual(seen(open.say(ACK, FIRST + 5, (iss + 2440) | 0)), [`${ACK | PSH} 60`]);
  t.deepEqual(seen(open.say(ACK | FIN, FIRST + 5, (iss + 2500) | 0)), [`${ACK | FIN} 0`]);
  t.deepEqual(open.ends, []);
  open.say(ACK, FIRST + 6, (iss + 2501) | 0);
  t.deepEqual(open.ends, ['closed']);
  t.is(open.context.tcp.connections().length, 0);
  t.is(open.router.held(), 0);
});

test.serial('what is not acknowledged is sent again, ever later, and given up with a reset', t => {
  const open = opened();
  open.connection?.write(Buffer.from('lost'));
  open.heard();
  const times: number[] = [];
  const start = open.clock.now();
  for (let i = 0; i < 60 * TICKS_PER_SECOND && open.ends.length === 0; i++) {
    open.ticks(1);
    for (const { tcpFlags, data } of open.heard()) {
      if (data.length > 0) times.push(open.clock.now() - start);
      else t.is(tcpFlags, RST | ACK);
    }
  }
  t.deepEqual(open.ends, ['timeout']);
  t.is(times.length, 4, 'within the 30 s of an idle connection');
  for (let i = 2; i < times.length - 1; i++) {
    const gap = (times[i] as number) - (times[i - 1] as number);
    t.true(
      gap >= 1.9 * ((times[i - 1] as number) - (times[i - 2] as number)) || gap >= 16 * TICKS_PER_SECOND,
    );
  }
});

test.serial('what arrives twice, early or half known is handed on once and in order', t => {
  const open = opened();
  const all = 'abcdefghijklmnopqrstuvwxyz';
  const piece = (from: number, to: number) =>
    open.say(ACK, FIRST + from, open.iss, Buffer.from(all.slice(from, to)))[0]?.acknowledgment;
  t.is(piece(5, 10), FIRST, 'a gap: acknowledged is what is there');
  t.is(piece(0, 5), FIRST + 5);
  t.is(piece(0, 5), FIRST + 5);
  t.is(piece(3, 12), FIRST + 12);
  t.is(piece(12, 26), FIRST + 26);
  t.is(open.got, all);
});

test.serial('a reset counts only with the exact number, a SYN never', t => {
  const open = opened();
  t.deepEqual(seen(open.say(RST, FIRST + 1, 0)), [`${ACK} 0`], 'a challenge');
  t.deepEqual(open.say(RST, FIRST + 100_000, 0), []);
  t.deepEqual(seen(open.say(SYN, FIRST + 1, 0)), [`${ACK} 0`]);
  t.deepEqual(seen(open.say(ACK, FIRST, (open.iss + 1) | 0)), [`${ACK} 0`], 'of what was never sent');
  t.is(open.connection?.state, 'ESTABLISHED');
  open.say(RST, FIRST, 0);
  t.deepEqual(open.ends, ['reset']);
});

test.serial(
  'what is kept makes the window smaller, comes again with the next or when it is read, and no byte beyond it is taken',
  t => {
    const open = opened();
    const connection = open.connection as Connection;
    let takes = 2;
    connection.onData = data => {
      open.got += Buffer.from(data.subarray(0, takes)).toString();
      connection.keep(data.subarray(takes));
    };
    const [first] = open.say(ACK, FIRST, open.iss, Buffer.from('abcdef')) as [Read];
    t.is(first.acknowledgment, FIRST + 6);
    t.is(first.window, 2 * TCP_MSS - 4);
    open.say(ACK, FIRST + 6, open.iss, Buffer.from('gh'));
    t.is(open.got, 'abcd');
    takes = 0;
    let at = FIRST + 8;
    for (let i = 0; i < 4; i++) at = open.say(ACK, at, open.iss, payload(TCP_MSS))[0]?.acknowledgment ?? at;
    t.is(connection.unread, 2 * TCP_MSS, 'the window is full');
    t.is(at, FIRST + 4 + 2 * TCP_MSS);
    takes = 2 * TCP_MSS;
    connection.read();
    const [update] = open.heard() as [Read];
    t.is(update.window, 2 * TCP_MSS);
    t.is(update.acknowledgment, at);
    t.true(open.got.startsWith('abcdefgh'));
  },
);

test.serial('a closed window is asked about, and opened', t => {
  const open = opened();
  const header = { sourcePort: 4000, destinationPort: PORT, flags: ACK, sequence: FIRST };
  const window = (size: number, acknowledgment = open.iss) => {
    open.router.fromHost(tcp(ENDS, { ...header, acknowledgment, window: size }));
    open.settle();
  };
  window(0);
  open.connection?.write(payload(100));
  t.deepEqual(open.heard(), []);
  for (let i = 0; i < 8; i++) {
    open.ticks((10 * TICKS_PER_SECOND) / 4);
    for (const { data } of open.heard()) {
      t.is(data.length, 1);
      window(0);
    }
  }
  t.is(open.connection?.state, 'ESTABLISHED');
  window(1000, (open.iss + 1) | 0);
  t.is(
    open.heard().reduce((sum, { data }) => sum + data.length, 0),
    99,
  );
});

test.serial('write() takes no more than there is room for, and nothing after close()', t => {
  const open = opened();
  t.false(open.connection?.write(payload(TCP_SEND_BYTES + 1)));
  t.true(open.connection?.write(payload(TCP_SEND_BYTES)));
  t.false(open.connection?.write(payload(1)));
  open.connection?.close();
  t.false(open.connection?.write(payload(0)));
});

test.serial('an idle connection is ended, and SYNs take no place', t => {
  const open = opened();
  for (let port = 1000; port < 1100; port++) t.is(open.say(SYN, FIRST, 0, undefined, port).length, 1);
  t.is(open.context.tcp.connections().length, 1);
  t.is(open.connection?.state, 'ESTABLISHED');
  open.ticks(31 * TICKS_PER_SECOND);
  t.deepEqual(open.ends, ['timeout']);
});

test.serial('segments to nobody are reset by the plane, at a rate, and never reach control', t => {
  const open = listening();
  const [byAck] = open.say(ACK, 7, 1234) as [Read];
  t.is(`${byAck.tcpFlags} ${byAck.sequence}`, `${RST} 1234`);
  t.deepEqual(open.say(RST, 7, 0), []);
  let answers = 0;
  for (let i = 0; i < 3 * ICMP_BURST; i++) answers += open.say(ACK, i, i).length;
  // By chance, see src/plane/ip/icmp.ts.
  t.true(answers > ICMP_BURST / 2 && answers < 2 * ICMP_BURST, `${answers}`);
  t.is(open.router.counter(COUNT_PUNTED), 0);
});

test.serial(
  'segments that make no sense are answered so often a second, and what does is taken all the time',
  t => {
    const open = opened();
    const far = () => open.say(ACK, FIRST + 100_000, open.iss, Buffer.from('x')).length;
    for (let second = 0; second < 3; second++) {
      let answered = 0;
      for (let i = 0; i < 2 * TCP_REPAIRS_PER_SECOND; i++) answered += far();
      t.is(answered, TCP_REPAIRS_PER_SECOND);
      t.is(open.say(ACK, FIRST + second, open.iss, Buffer.from('y')).length, 1);
      open.ticks(TICKS_PER_SECOND);
    }
    t.is(open.got, 'yyy');
  },
);

test.serial('isShort() tells want of ours from want of a way', t => {
  const { sockets, tcp: own } = controlLab().context;
  const connect = (address = HOST) => own.connect(parseAddress(address) as number, 53);
  t.is(connect('224.0.0.1'), undefined);
  t.false(own.isShort());
  const opened = Array.from({ length: TCP_CONNECTIONS }, () => connect());
  t.false(opened.includes(undefined));
  t.false(own.isShort());
  t.is(connect(), undefined);
  t.true(own.isShort(), 'all places are taken');
  opened[0]?.abort();
  let port = 1;
  while (sockets.open(17, port, 1, () => {})) port++;
  t.is(connect(), undefined);
  t.true(own.isShort(), 'all sockets are taken');
});

test.serial('mssOption() survives any options', t => {
  t.is(mssOption(Uint8Array.from([1, 1, ...mss(1000), 0])), 1000);
  t.is(mssOption(Uint8Array.from(mss(9000))), TCP_MSS);
  t.is(mssOption(Uint8Array.from(mss(1))), 88);
  for (const wrong of [[2], [2, 4], [2, 4, 5], [2, 0, 5, 5], [2, 3, 5, 5], [8, 0], [0, ...mss(1000)]])
    t.is(mssOption(Uint8Array.from(wrong)), MSS_DEFAULT);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), options => {
      const value = mssOption(options);
      return value >= 88 && value <= TCP_MSS;
    }),
    { seed: runSeed() },
  );
});

test.serial('any segments leave the connection sane and no buffer behind', t => {
  const field = fc.integer({ min: -3000, max: 3000 });
  const segment = fc.record({
    flags: fc.integer({ min: 0, max: 63 }),
    at: field,
    ack: field,
    bytes: fc.integer({ min: 0, max: 1460 }),
  });
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 30 }), segments => {
      const open = opened();
      open.connection?.write(payload(2000));
      open.heard();
      for (const { flags, at, ack, bytes } of segments)
        open.say(flags, FIRST + at, (open.iss + ack) | 0, payload(bytes));
      open.ticks(3);
      open.heard();
      t.true(open.context.tcp.connections().length <= 2);
      t.true(open.ends.length <= 1);
      t.is(open.router.held(), 0);
    }),
    { numRuns: 60, seed: runSeed() },
  );
});
