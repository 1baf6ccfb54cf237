// Log lines to another host by UDP: RFC 5424 by RFC 5426, or RFC 3164 for old receivers. Sent and forgotten: what
// is lost on the wire is lost, and no failure to send is logged, as that line would have to be sent too. A burst beyond
// the rate is left out and counted; the count goes before the next line that is sent.
//
// What cannot be sent now, for want of a route, a buffer or the station's address, waits and is tried again, in its order,
// after AGAIN_TICKS and ever later, and when the WAN has changed; SYSLOG_WAITING lines at most, all others are counted.
//
// A receiver that was set by name is looked up when there is something to send: the first time, after RENEW_TICKS, and
// after the WAN has changed; the forwarder's cache keeps to the answer's TTL. Lines wait for the first answer, and while
// they do the name is asked for every RETRY_TICKS.
//
//    RFC 5424   <30>1 2026-11-21T03:15:02.340Z masqbox dhcp - - - text
//    RFC 3164   <30>Nov 21 04:15:02 masqbox dhcp: text
//
// Not here: the log (src/control/core/log.ts).

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { parseServer } from '../core/address.ts';
import { dateText, shortDateText } from '../core/civil.ts';
import type { Timer } from '../core/clock.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { SYSLOG_BURST, SYSLOG_PER_SECOND, SYSLOG_WAITING } from '../core/limits.ts';
import type { Entry } from '../core/log.ts';
import { localAt } from '../core/timezone.ts';
import type { WallClock } from '../core/wall-clock.ts';

/** Also our source port: nothing comes back. */
const SYSLOG_PORT = 514;
/** System daemons (RFC 5424, section 6.2.1). */
const FACILITY_DAEMON = 3;
const HOST_NAME = 'masqbox';
/** A name is asked for again after that, and after no answer. */
const RENEW_TICKS = 600 * TICKS_PER_SECOND;
const RETRY_TICKS = 30 * TICKS_PER_SECOND;
/** A station's address is found in some ms; without a route it takes as long as it takes. */
const AGAIN_TICKS = TICKS_PER_SECOND / 5;
const AGAIN_MOST_TICKS = 30 * TICKS_PER_SECOND;
const PERIOD_TICKS = TICKS_PER_SECOND / SYSLOG_PER_SECOND;

/** A line as RFC 5424, section 6 has it; the time is "-" as long as it is not known. */
export function modernLine(entry: Entry, milliseconds: number | undefined): string {
  const time =
    milliseconds === undefined
      ? '-'
      : `${dateText(Math.floor(milliseconds / 1000), 'T')}.${String(Math.floor(milliseconds) % 1000).padStart(3, '0')}Z`;
  return `<${priority(entry)}>1 ${time} ${HOST_NAME} ${entry.facility} - - - ${entry.text}`;
}

/** A line as RFC 3164, section 4.1 has it; without the time, the receiver's is taken (section 4.3.3). */
export function oldLine(entry: Entry, localSeconds: number | undefined): string {
  const time = localSeconds === undefined ? '' : `${shortDateText(localSeconds)} ${HOST_NAME} `;
  return `<${priority(entry)}>${time}${entry.facility}: ${entry.text}`;
}

function priority(entry: Entry): number {
  return FACILITY_DAEMON * 8 + entry.level;
}

/** Whether a receiver was set, and by its name. */
function isName(text: string): boolean {
  return text !== '' && !/^[0-9.]+$/.test(text);
}

/** What it needs of others. */
interface Others {
  wan: { onChange(listener: () => void): void };
  /** Finds the addresses of a name; `done` is called once, later, with none if there are none. */
  resolve(name: string, done: (addresses: number[]) => void): void;
}

export class SyslogSender {
  /** As it was set, and its address: 0 if it is not known, or nothing is set. */
  name = '';
  private host = 0;
  /** The uptime at which the name is to be looked up, as soon as there is a line; undefined while that is under way. */
  private lookUpAt: number | undefined;
  private waiting: Entry[] = [];
  isOld = false;
  private tokens = SYSLOG_BURST;
  private filledAt = 0;
  private leftOut = 0;
  private timer: Timer | undefined;
  private againTicks = AGAIN_TICKS;
  private readonly clock: Context['clock'];
  private readonly udp: Context['udp'];

  constructor(
    context: Context,
    private readonly wallClock: WallClock,
    private readonly others: Others,
  ) {
    this.clock = context.clock;
    this.udp = context.udp;
    context.log.onEntry(entry => {
      if (this.name !== '') this.add(entry);
    });
    others.wan.onChange(() => {
      if (this.lookUpAt !== undefined) this.lookUpAt = this.clock.uptime();
      if (this.waiting.length > 0) this.lookUp();
      this.flush();
    });
  }

  /** Sends nowhere from now on. */
  stop(): void {
    this.name = '';
    this.host = 0;
    this.forget();
  }

  /** Sends to a receiver: its address or name, and the format. Throws a Refusal. */
  set([text = '', format = 'rfc5424']: readonly string[]): void {
    const address = parseServer(text);
    if (typeof address === 'string') throw new Refusal(`Cannot set syslog ${text}: ${address}`);
    if (format !== 'rfc3164' && format !== 'rfc5424')
      throw new Refusal(`Cannot set syslog format ${format}: it is one of rfc5424, rfc3164`);
    this.name = text.toLowerCase();
    this.host = address;
    this.lookUpAt = this.clock.uptime();
    this.forget();
    this.isOld = format === 'rfc3164';
  }

  /** Takes a line to be sent, or counts it among those that are left out. */
  private add(entry: Entry): void {
    this.lookUp();
    if ((this.host !== 0 && !this.take()) || this.waiting.length >= SYSLOG_WAITING) {
      this.leftOut++;
      return;
    }
    if (this.leftOut > 0)
      this.waiting.push({ ...entry, facility: 'syslog', text: `${this.leftOut} lines were left out` });
    this.leftOut = 0;
    this.waiting.push(entry);
    // Who waits already is tried again when it is time.
    if (this.timer === undefined) this.flush();
  }

  /** Finds the address of a receiver that was set by name. */
  private lookUp(): void {
    const asked = this.name;
    if (!isName(asked) || this.lookUpAt === undefined || this.clock.uptime() < this.lookUpAt) return;
    this.lookUpAt = undefined;
    this.others.resolve(asked, ([address]) => {
      if (this.name !== asked || this.lookUpAt !== undefined) return;
      this.lookUpAt = this.clock.uptime() + (address === undefined ? RETRY_TICKS : RENEW_TICKS);
      this.host = address ?? this.host;
      this.flush();
    });
  }

  /** Sends what waits, in order, as far as it goes. */
  private flush(): void {
    if (this.timer !== undefined) this.clock.cancel(this.timer);
    this.timer = undefined;
    while (this.host !== 0 && this.waiting.length > 0 && this.send(this.waiting[0] as Entry)) {
      this.waiting.shift();
      this.againTicks = AGAIN_TICKS;
    }
    if (this.waiting.length === 0) return;
    if (this.host === 0) {
      // While a look-up is under way, its answer goes on.
      if (this.lookUpAt !== undefined)
        this.timer = this.clock.after(Math.max(1, this.lookUpAt - this.clock.uptime()), () =>
          this.askAgain(),
        );
      return;
    }
    this.timer = this.clock.after(this.againTicks, () => this.flush());
    this.againTicks = Math.min(AGAIN_MOST_TICKS, this.againTicks * 2);
  }

  private askAgain(): void {
    this.timer = undefined;
    this.lookUp();
  }

  /** False if it could not be sent. */
  private send(entry: Entry): boolean {
    const time = this.wallClock.at(entry.tick);
    const seconds = time === undefined ? undefined : Math.floor(time / 1000);
    const local = seconds === undefined ? undefined : seconds + localAt(this.wallClock.zone, seconds).offset;
    const line = this.isOld ? oldLine(entry, local) : modernLine(entry, time);
    return this.udp.trySend(
      this.host,
      SYSLOG_PORT,
      SYSLOG_PORT,
      Uint8Array.from(line, character => character.charCodeAt(0)),
    );
  }

  /** What waits is for nobody any more. */
  private forget(): void {
    this.waiting = [];
    this.leftOut = 0;
    this.flush();
  }

  private take(): boolean {
    const filled = Math.floor((this.clock.uptime() - this.filledAt) / PERIOD_TICKS);
    this.tokens = Math.min(SYSLOG_BURST, this.tokens + filled);
    this.filledAt += filled * PERIOD_TICKS;
    return this.tokens > 0 && this.tokens-- > 0;
  }
}
