// A Linux of its own for peers that this machine's kernel may not be: PPP, PPPoE and SLIP are modules, and a container
// loads none. User-mode-linux is a kernel that is a program; its root is this machine's, to be read alone.
//
// Its console takes command lines, one at a time, and says the status behind each. A serial line (/dev/ttyS1 there) is one end of
// a pair of sockets here: bytes go as fast as both take them, and no line of a modem crosses, so pppd wants `local`.
// Its network card, vec0, is a TAP of a namespace here, if it is to have one.
// /mnt/out there is a folder here, for logs. What a guest has of /etc/ppp is its own.
// Not here: the serial line's delays and errors.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { within } from './namespace.ts';
import { PATIENCE_SECONDS, Processes, type Running } from './processes.ts';

const REGISTERS = fileURLToPath(new URL('uml-registers.c', import.meta.url));
const MEMORY = '64M';
const CARD_MAC = '02:00:00:00:0a:0c';
/** A guest that is told to go is gone in less than a second. */
const LEAVE_SECONDS = 10;

/**
 * The first process there. Modules are found below /mnt, as the root is not to be written. The serial line is held open:
 * what comes while nobody has it is lost.
 */
const INIT = `#!/bin/bash
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C TERM=dumb
mount -t proc p /proc; mount -t sysfs s /sys; mount -t tmpfs t /run; mount -t tmpfs t /mnt
mkdir -p /dev/pts /mnt/lib /mnt/out /mnt/ppp /run/lock
mount -t devpts d /dev/pts
ln -s /usr/lib/uml/modules /mnt/lib/modules
cp -a /etc/ppp/. /mnt/ppp/; mount --bind /mnt/ppp /etc/ppp; : >/etc/ppp/options
mount -t tmpfs t /var/log
mount -t hostfs none /mnt/out -o $SHARED
modprobe -d /mnt ppp_async; modprobe -d /mnt slip
[ -e /dev/ppp ] || mknod /dev/ppp c 108 0
ip link set lo up
exec 7<>/dev/ttyS1; stty raw -echo clocal <&7
stty -echo -onlcr </dev/console
echo READY
while IFS= read -r line; do eval "$line"; status=$?; echo; echo "@@$status@@"; done </dev/console
echo o >/proc/sysrq-trigger; sleep 5
`;

export interface Said {
  readonly status: number;
  readonly output: string;
}

export class Guest {
  /** This end of its serial line. */
  readonly serial: Duplex;

  private constructor(
    private readonly running: Running,
    /** /mnt/out there. */
    readonly folder: string,
  ) {
    this.serial = running.line!;
    this.serial.on('error', () => {}); // of a guest that has left
  }

  /** Boots one, some two seconds; stop() ends it. @param card the TAP that is its card, and where that is */
  static async start(card?: { tap: string; namespace: string }): Promise<Guest> {
    const folder = mkdtempSync(join(tmpdir(), 'masqbox-guest-'));
    mkdirSync(join(folder, 'uml'));
    const init = join(folder, 'init');
    writeFileSync(init, INIT, { mode: 0o700 });
    const library = join(folder, 'uml-registers.so');
    execFileSync('gcc', ['-O2', '-shared', '-fPIC', '-o', library, REGISTERS]);
    const words = [
      ...['linux.uml', `mem=${MEMORY}`, 'rootfstype=hostfs', 'rootflags=/', 'ro', 'root=/dev/root'],
      ...[`init=${init}`, 'con=null', 'con0=fd:0,fd:1', 'ssl=null', 'ssl1=fd:3', 'quiet'],
      ...['umid=guest', `uml_dir=${join(folder, 'uml')}`, `SHARED=${folder}`],
      ...(card === undefined ? [] : [`vec0:transport=tap,ifname=${card.tap},depth=32,gro=0,mac=${CARD_MAC}`]),
    ];
    const running = new Processes().start(words, {
      ...{ interactive: true, line: true },
      ...(card === undefined ? {} : { within: within(card.namespace) }),
      env: { LD_PRELOAD: library },
    });
    const guest = new Guest(running, folder);
    try {
      await running.until(/^READY$/m);
    } catch (error) {
      await guest.stop();
      throw error;
    }
    return guest;
  }

  /** Carries out a line of bash there. What is to go on behind it ends with `&`, and has its output elsewhere. */
  async command(line: string, seconds = PATIENCE_SECONDS): Promise<Said> {
    this.running.stdout = '';
    this.running.send(`${line}\n`);
    const [whole, status] = await this.running.until(/@@(\d+)@@/, seconds);
    const output = this.running.stdout.split(whole)[0]!.replace(/\n$/, '');
    return { status: Number(status), output };
  }

  /** The same of a line that must succeed: what it said. */
  async output(line: string, seconds?: number): Promise<string> {
    const { status, output } = await this.command(line, seconds);
    if (status !== 0) throw new Error(`${line}: status ${status}\n${output}`);
    return output;
  }

  /** A file that it has written to /mnt/out, as it is now. */
  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8');
  }

  async stop(): Promise<void> {
    this.running.child.stdin?.end();
    await this.running.wait(() => this.running.ended, LEAVE_SECONDS);
    // Its helpers hold the pipes that the end is known by.
    this.endRest();
    await this.running.stop('SIGKILL');
    this.serial.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A guest is several processes; those of one that died stay. They are known by its folder, which no other has. */
  private endRest(): void {
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const words = readFileSync(`/proc/${name}/cmdline`, 'utf8');
        if (words.includes('linux.uml') && words.includes(this.folder)) process.kill(Number(name), 'SIGKILL');
      } catch {
        // it has left meanwhile
      }
    }
  }
}
