// The time of day from chrony and the log to rsyslog, both in the town's internet: on the sim board and on the
// booted 486. One list of checks for both.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { eventually, type Running } from '../tools/harness/processes.ts';
import { boardRouter } from './harness/board-router.ts';
import { simRouter } from './harness/sim-router.ts';
import { GATEWAY, listening, type Router, SERVER, STRANGER, type Town } from './harness/town.ts';
import { wholeTests } from './harness/whole.ts';

/** What the console's clock may be off: chrony's is this machine's. */
const OFF_SECONDS = 2;

const directory = mkdtempSync(join(tmpdir(), 'masqbox-time-'));
test.after.always(() => rmSync(directory, { recursive: true, force: true }));

async function chrony(town: Town, address: string): Promise<Running> {
  const file = join(directory, `chrony-${address}.conf`);
  const lines = [
    'local stratum 5',
    'allow all',
    'cmdport 0',
    `bindaddress ${address}`,
    `pidfile ${file}.pid`,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const running = town.inet.start(['chronyd', '-x', '-d', '-u', 'root', '-f', file]);
  await running.until(/Disabled control of system clock|Initial frequency|starting/);
  return running;
}

async function rsyslog(town: Town, name: string): Promise<{ running: Running; text(): string }> {
  const [file, log] = [join(directory, `${name}.conf`), join(directory, `${name}.log`)];
  writeFileSync(log, '');
  const format =
    'string="%pri%|%timestamp:::date-rfc3339%|%hostname%|%app-name%|%protocol-version%|%msg%\\n"';
  writeFileSync(
    file,
    `module(load="imudp")\ninput(type="imudp" port="514")\ntemplate(name="t" type="string" ${format})\n*.* action(type="omfile" file="${log}" template="t")\n`,
  );
  const running = town.inet.start(['rsyslogd', '-n', '-f', file, '-i', join(directory, `${name}.pid`)]);
  await listening(town.inet, ':514');
  return { running, text: () => readFileSync(log, 'utf8') };
}

/** Asks the console until it answers so. */
async function until(router: Router, line: string, pattern: RegExp): Promise<string> {
  return await eventually(
    () => router.console!(line),
    answer => pattern.test(answer),
  );
}

for (const router of [simRouter(), boardRouter({ name: 'time' })]) {
  const whole = wholeTests(test, () => router);
  const { name } = router;
  const type = async (line: string) => await router.console!(line);

  whole(
    `${name}: the time comes from chrony, the second server when the first is silent`,
    async (t, town) => {
      const server = await chrony(town, SERVER);
      t.is(await type(`set ntp server ${STRANGER}`), '');
      t.is(await type(`set ntp server ${SERVER}`), '');
      // The board's clock stands while this machine's other work keeps the emulator from running.
      const from = Date.now() / 1000;
      await until(router, 'show time', /by NTP server/);
      const answer = await type('show time');
      const seconds = Date.parse(`${answer.slice(0, 19).replace(' ', 'T')}Z`) / 1000;
      t.true(seconds >= from - OFF_SECONDS && seconds <= Date.now() / 1000 + OFF_SECONDS, answer);
      t.regex(answer, new RegExp(`NTP server ${SERVER.replaceAll('.', '\\.')}, stratum 5`));
      for (const zone of ['Europe/Berlin', 'CET-1CEST,M3.5.0,M10.5.0/3']) {
        t.is(await type(`set timezone ${zone}`), '');
        const shown = await type('show time');
        t.regex(shown, /^[-0-9]+ [:0-9]+ CES?T/);
        t.true(shown.includes(`time zone ${zone}, next change: `), shown);
      }
      t.is(await type('set timezone UTC'), '');
      t.regex(await type('show time'), /^[-0-9]+ [:0-9]+ UTC/);
      await server.stop();
    },
  );

  whole(
    `${name}: an answer that is not to our question does not set the clock, a kiss sends it away`,
    async (t, town) => {
      await type(`unset ntp server ${SERVER}`);
      await type(`unset ntp server ${STRANGER}`);
      const before = await type('show time');
      const program = [
        'import socket, struct',
        's = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)',
        `s.bind(("${GATEWAY}", 123))`,
        'print("ready", flush=True)',
        't = struct.pack(">II", 3000000000, 0)',
        // An answer that comes too late is none: then it asks again.
        'while True:',
        '  q, peer = s.recvfrom(100)',
        // Another originate timestamp; a mode of 3; too short; then DENY.
        '  s.sendto(bytes([0x24, 2, 6, 0xe8]) + bytes(20) + bytes(8) + t + t, peer)',
        '  s.sendto(bytes([0x23, 2, 6, 0xe8]) + bytes(20) + q[40:48] + t + t, peer)',
        '  s.sendto((bytes([0x24, 2, 6, 0xe8]) + bytes(20) + q[40:48] + t + t)[:47], peer)',
        '  s.sendto(bytes([0xe4, 0, 6, 0xe8]) + bytes(8) + b"DENY" + bytes(8) + q[40:48] + t + t, peer)',
      ];
      const asked = town.inet.start(['/usr/bin/python3', '-c', program.join('\n')]);
      await asked.until(/ready/);
      await type(`set ntp server ${GATEWAY}`);
      const answer = await until(router, 'show time', /denied/);
      await asked.stop();
      t.is(answer.slice(0, 4), before.slice(0, 4));
      t.regex(await type('show log'), /ntp: .* answers DENY/);
      await type(`unset ntp server ${GATEWAY}`);
    },
  );

  whole(`${name}: rsyslog understands both formats`, async (t, town) => {
    const receiver = await rsyslog(town, name);
    for (const [format, version, silent] of [
      ['', '1', STRANGER],
      [' rfc3164', '0', GATEWAY],
    ] as const) {
      await type(`set syslog ${SERVER}${format}`);
      // What is logged: nobody answers there. The same line again would be folded.
      await type(`set ntp server ${silent}`);
      const pattern = new RegExp(
        `^30\\|${new Date().getUTCFullYear()}-.*\\|masqbox\\|ntp\\|${version}\\| ?no time from ${silent}`,
        'm',
      );
      await eventually(receiver.text, text => pattern.test(text));
      await type(`unset ntp server ${silent}`);
    }
    await type('unset syslog');
    t.notRegex(await type('show config'), /syslog|ntp/);
    await receiver.running.stop();
  });

  whole(`${name}: nothing listens on the WAN for time or log`, async (t, town) => {
    const scan = ['nmap', '-n', '-sU', '-Pn', '-p', '123,514', '--max-retries', '0', '203.0.113.10'];
    t.regex((await town.inet.run(scan)).stdout, /123\/udp open\|filtered/);
    t.regex(await type('show counters'), /drop-unsolicited/);
  });
}
