import test from 'ava';
import { Failure } from './failure.ts';
import type { Session } from './session.ts';
import { parseStatus, statusRows } from './status.ts';

const ROWS = `masqbox    0.1.0, up 26:00:35, 2026-11-21 16:29:11 UTC
restarts   2 of control since power-on
load       34 %
memory     8192 KiB; control's heap 2968 KiB of 4096 KiB free
buffers    127 of 128 free
sessions   17 of 4096
neighbours 3 of 256
gateway    none
dns        10.0.2.3 10.0.2.4
lan        up, 192.168.0.1/24
           in 12 packets/s, 34 kbit/s; out 56 packets/s, 78 kbit/s
           errors in 1, out 2; dropped in 3, out 4
wan        down, no address
           in 0 packets/s, 0 kbit/s; out 0 packets/s, 0 kbit/s
           errors in 0, out 0; dropped in 0, out 0
warnings   2, the last: wan: no answer`.split('\n');

test('statusRows() leaves out what the log says meanwhile', async t => {
  const rows = ROWS.flatMap(row => [row, 'wan: lease of 192.0.2.7/24 for 3600 s', 'update: slot B', '']);
  const session = { run: async () => ({ rows, refusal: undefined }) } as unknown as Session;
  t.deepEqual(await statusRows(session), ROWS);
});

test('parseStatus() makes numbers of what is one', t => {
  t.deepEqual(parseStatus(ROWS), {
    version: '0.1.0',
    uptimeSeconds: 26 * 3600 + 35,
    time: '2026-11-21 16:29:11 UTC',
    interfaces: {
      lan: {
        state: 'up',
        address: '192.168.0.1/24',
        in: { packetsPerSecond: 12, kbitPerSecond: 34, errors: 1, dropped: 3 },
        out: { packetsPerSecond: 56, kbitPerSecond: 78, errors: 2, dropped: 4 },
      },
      wan: {
        state: 'down',
        address: null,
        in: { packetsPerSecond: 0, kbitPerSecond: 0, errors: 0, dropped: 0 },
        out: { packetsPerSecond: 0, kbitPerSecond: 0, errors: 0, dropped: 0 },
      },
    },
    restarts: 2,
    load: 34,
    memory: { kib: 8192, heapFreeKib: 2968, heapKib: 4096 },
    buffers: { free: 127, of: 128 },
    sessions: { used: 17, of: 4096 },
    neighbours: { used: 3, of: 256 },
    gateway: 'none',
    dns: '10.0.2.3 10.0.2.4',
    warnings: '2, the last: wan: no answer',
  });
});

test('parseStatus() knows a board without a card, and what is no status', t => {
  const none = 'no network card was found; the one on the PCI bus, 10ec:8139, has no driver';
  const missing = 'its card 52:54:00:12:34:01 at port 0x300 does not answer';
  const status = parseStatus([
    ROWS[0]!,
    `lan        absent, ${missing}`,
    `wan        absent, ${none}`,
    'news       5 things',
  ]);
  t.deepEqual(status.interfaces, {
    lan: { state: 'absent', because: missing },
    wan: { state: 'absent', because: none },
  });
  t.is(status['news'], '5 things');
  for (const rows of [[], ROWS.slice(1), ['masqbox    0.1.0']]) {
    t.throws(() => parseStatus(rows), { instanceOf: Failure });
  }
});
