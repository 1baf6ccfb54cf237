// A real pppd in a Linux of its own calls the sim board by a null-modem cable: it dials with `chat`, as it would by a modem, and shows who it is in
// each of the ways. The time is real, as pppd's is.

import { setTimeout as pause } from 'node:timers/promises';
import test from 'ava';
import { Guest } from '../../../tools/harness/user-mode-linux.ts';
import { Called, type Far } from './dial-in-lab.ts';

const TICK_MILLISECONDS = 10;
const SECRETS =
  "printf 'bob * secret *\\neve * wrong *\\n' >/etc/ppp/pap-secrets; cp /etc/ppp/pap-secrets /etc/ppp/chap-secrets; chmod 600 /etc/ppp/*-secrets";
const DIAL = "'' ATZ OK ATDT5551234 CONNECT ''";
const rooted = process.getuid?.() === 0 ? test.serial : test.serial.skip;

/** The board goes on as fast as the clock, until stopped. */
class Wire {
  private isOver = false;
  private ticks = 0;
  private readonly from = performance.now();
  private readonly running: Promise<void>;

  constructor(
    private readonly called: Called,
    private readonly guest: Guest,
    far: Far,
  ) {
    guest.serial.on('data', (bytes: Buffer) => far.send(bytes));
    far.port.wire = { onBytes: bytes => guest.serial.write(bytes) };
    this.running = this.run();
  }

  private async run(): Promise<void> {
    while (!this.isOver) {
      const due = Math.floor((performance.now() - this.from) / TICK_MILLISECONDS);
      for (; this.ticks < due; this.ticks++) this.called.seconds(0.01);
      await pause(TICK_MILLISECONDS / 2);
    }
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.running;
  }

  /** Waits for pppd's log to say something. */
  async until(what: RegExp, seconds = 30): Promise<string> {
    const end = performance.now() + 1000 * seconds;
    for (;;) {
      let log = '';
      try {
        log = this.guest.read('log');
      } catch {
        // not written yet
      }
      if (what.test(log)) return log;
      if (performance.now() > end) throw new Error(`pppd has not said ${what}:\n${log}\n${this.called.said}`);
      await pause(50);
    }
  }
}

rooted(
  'pppd dials: without a password, by PAP, CHAP and MS-CHAP, by a login, and with a wrong password',
  async t => {
    t.timeout(900_000);
    const called = await Called.start();
    const users = ['dial-in user bob secret', 'dial-in address bob 10.9.0.7'];
    t.is(called.set(...users, 'ppp0 answer cable', 'ppp0 address 10.9.0.1:10.9.0.2', 'ppp0 port com2'), '');
    const guest = await Guest.start();
    const wire = new Wire(called, guest, called.cable());
    const call = async (script: string, options: string) => {
      await guest.output('rm -f /mnt/out/log');
      await guest.output(
        `pppd /dev/ttyS1 115200 local nodetach debug logfd 1 noauth usepeerdns ipcp-accept-local ipcp-accept-remote noipv6 noccp maxfail 1 ${options} connect "/usr/sbin/chat -t 10 ${script}" >/mnt/out/log 2>&1 </dev/null &`,
      );
    };
    const ends = async () => {
      await guest.command('killall pppd');
      await wire.until(/Exit\.|Connection terminated/);
      for (let i = 0; i < 100 && !/ppp0 waiting/.test(called.stateOf('ppp0')); i++) await pause(50);
    };
    try {
      await guest.output(SECRETS);
      for (const [auth, address, said] of [
        ['none', '10.9.0.2', /No auth is possible|remote IP address/],
        ['pap', '10.9.0.7', /PAP authentication succeeded/],
        ['chap-md5', '10.9.0.7', /CHAP authentication succeeded: Welcome/],
        ['ms-chap-v2', '10.9.0.7', /CHAP authentication succeeded/],
      ] as const) {
        t.is(called.set(`ppp0 auth ${auth}`), '');
        await call(DIAL, 'user bob');
        const log = await wire.until(/primary {3}DNS address 10\.9\.0\.1/);
        t.regex(log, said, auth);
        t.regex(log, new RegExp(`local  IP address ${address.replaceAll('.', '\\.')}`), auth);
        t.regex(log, /primary {3}DNS address 10\.9\.0\.1/);
        const { output } = await guest.command('ping -c 3 -i 0.3 -W 2 10.9.0.1');
        t.regex(output, /3 received/, `${auth}: ${output}`);
        await ends();
      }
      // He logs in by the prompts, and PPP asks no more.
      t.is(called.set('ppp0 auth chap-md5'), '');
      await call(`${DIAL} ogin: bob word: secret`, 'user bob');
      const log = await wire.until(/remote IP address 10\.9\.0\.1/);
      t.notRegex(log, /CHAP Challenge/);
      t.regex(log, /local {2}IP address 10\.9\.0\.7/);
      t.regex(called.type('show ppp'), /from bob: goes on/);
      await ends();
      // Wrong passwords, by PPP and by the prompts.
      await call(DIAL, 'user eve');
      t.regex(await wire.until(/Connection terminated|Exit\./), /CHAP authentication failed/);
      await call(`${DIAL} ogin: bob word: wrong begins`, 'user bob');
      await wire.until(/Connect script failed/);
    } finally {
      await wire.stop();
      await guest.stop();
    }
  },
);
