// One link on a serial port: joins who calls (caller.ts), PPP (session.ts) and the plane's line. What was agreed on goes into the line's and the
// interface's records, so that an open link does not need control; what a control that was started again must know, too.
//
//    caller: dialling        the port's bytes are the modem's: read and written here
//    caller: negotiating     lineBind(): frames, PPP's own ones alone; SLIP has none and is open at once
//    session: opened         address, ways, name servers, lineOpen()
//
// Not here: framing, compression, echoes (src/plane/link/), which link it is and what it is set to (ppp.ts, options.ts).

import {
  LINES_UP,
  MCR_DTR,
  SERIAL_DCD,
  SERIAL_RTS_CTS,
  SERIAL_RX_HEAD,
  SERIAL_WATCHED,
  serialAt,
} from '../../../hal/serial/ns16550.ts';
import { SERIAL_CHANGED_AT } from '../../base/cells.ts';
import { DEMAND_USED, demandAt } from '../../base/demand-record.ts';
import { INTERFACE_OUTSIDE } from '../../base/interface.ts';
import { LOG_KIND_CALLS } from '../../base/layout.ts';
import { TICKS_PER_SECOND, VJ_PAGE, VJ_PAGES_AT } from '../../base/limits.ts';
import { VJ_SLOT_COUNT } from '../../base/line-limits.ts';
import {
  LINE_ACFC,
  LINE_KIND,
  LINE_LINK,
  LINE_MAGIC,
  LINE_NONE,
  LINE_OPEN,
  LINE_PFC,
  LINE_PPP,
  LINE_RX_FRAMES,
  LINE_SLIP,
  lineAt,
} from '../../base/line-record.ts';
import { i32at, puti32 } from '../../base/memory.ts';
import { PACKET_IP } from '../../base/packet.ts';
import { QUEUE_RATE_LEAST } from '../../base/queue-limits.ts';
import { formatAddress } from '../core/address.ts';
import { configure, mtuOf } from '../core/addresses.ts';
import { civilOf } from '../core/civil.ts';
import type { Clock } from '../core/clock.ts';
import type { Context } from '../core/context.ts';
import { interfaceName } from '../core/facts.ts';
import { SECTION_SPARE_BYTES } from '../core/limits.ts';
import { NOTICE, WARNING } from '../core/log.ts';
import { createSerialLine, type SerialLine } from '../core/serial-line.ts';
import { localAt } from '../core/timezone.ts';
import { adopted, bringUp, type Pace, refuseResult, takeDown, unbind } from './agreed.ts';
import type { Answerer } from './answer.ts';
import type { AnswerHost } from './answer-wants.ts';
import { Budget } from './budget.ts';
import { Caller } from './caller.ts';
import { giveWords } from './demand.ts';
import type { LcpWay } from './lcp.ts';
import type { LinkWants } from './options.ts';
import { type Opened, Session, type SessionHost, type SessionWants } from './session.ts';

/** Bytes of a port that are looked at in a step. */
const PIECE_BYTES = 256;
const RATE = 115200;
/** Beside a datagram: flags, protocol, FCS, and what is escaped of it. */
const FRAME_BYTES = 8;
/** How often it is looked whether the record of calls has been read. */
const READ_TICKS = 5;
/** How long a modem's DTR is down so that it hangs up. */
const DTR_TICKS = 2 * TICKS_PER_SECOND;

export class PppLink implements AnswerHost, SessionHost {
  readonly clock: Clock;
  readonly budget: Budget;
  /** Who calls, or waits for who calls. */
  caller: Caller | Answerer;
  private readonly answerer: Answerer | undefined;
  readonly serial: SerialLine;
  readonly name: string;
  dns: readonly number[] = [];
  /** What an open link has. */
  result: Opened | undefined;
  /** Uptime in ticks since when it is open. */
  since = 0;
  private session: Session | undefined;
  private readonly piece = new Uint8Array(PIECE_BYTES);
  private isGone = false;
  private hadCarrier = false;

  constructor(
    private readonly context: Context,
    readonly link: number,
    public wants: LinkWants,
    private readonly tell: () => void,
  ) {
    const { clock, machine, wallClock } = context;
    this.clock = clock;
    this.name = interfaceName(link);
    this.serial = createSerialLine(machine, wants.port);
    this.budget = new Budget({
      uptime: () => clock.uptime() / TICKS_PER_SECOND,
      unix: () => {
        const milliseconds = wallClock.milliseconds();
        return milliseconds === undefined ? undefined : Math.floor(milliseconds / 1000);
      },
      month: () => {
        const seconds = this.localSeconds();
        if (seconds === undefined) return undefined;
        const { year, month } = civilOf(seconds);
        return year * 12 + month;
      },
    });
    this.budget.limits = wants.limits;
    const { answer } = wants;
    this.answerer =
      answer === undefined ? undefined : machine.overlay('ppp/answer').createAnswerer(this, answer);
    this.caller = this.answerer ?? new Caller(this, wants.caller);
  }

  get port(): number {
    return this.wants.port;
  }

  get line(): number {
    return lineAt(this.wants.port);
  }

  /** Whether the port's line is this link's. */
  private get hasLine(): boolean {
    return i32at(this.line + LINE_KIND) !== LINE_NONE && i32at(this.line + LINE_LINK) === this.link;
  }

  /** @param restarted control was started again, perhaps over an open link */
  start(restarted: boolean): void {
    this.openPort();
    const { hasLine } = this;
    const isUp = restarted && hasLine && i32at(this.line + LINE_OPEN) !== 0;
    if (hasLine && !isUp) unbind(this.context.machine, this.port);
    this.arm(isUp);
    // A modem that was dialling, or whose call was not open yet, has nobody who would hang it up; nor has one whose link was stopped in a call just now.
    const hasDtr = (i32at(serialAt(this.port) + LINES_UP) & MCR_DTR) !== 0;
    let isHeld = (!restarted && hasDtr) || isUp;
    if (!isHeld) this.setDtr(false);
    this.hadCarrier = isUp && this.hasCarrier() === true;
    const { store, disk } = this.context;
    const task =
      this.hasLimits && disk !== undefined
        ? store?.read(LOG_KIND_CALLS, ({ key, payload }) => {
            if (key === this.link) this.budget.restore(payload);
          })
        : undefined;
    const begin = (): void => {
      if (this.isGone) return;
      if (task !== undefined && !task.done) {
        this.clock.after(READ_TICKS, begin);
        return;
      }
      if (!isHeld) {
        isHeld = true;
        this.clock.after(DTR_TICKS, begin);
        return;
      }
      this.setDtr(true);
      if (isUp) this.resume();
      this.caller.start(isUp);
    };
    begin();
  }

  /** Nothing of it stays. */
  stop(): void {
    this.isGone = true;
    this.caller.stop();
    if (this.answerer !== this.caller) this.answerer?.stop();
    const { machine } = this.context;
    machine.plane.demandSet(this.link, 0);
    machine.plane.routeForget(0, 0, this.link);
    machine.plane.serialRead(this.port, 0);
    // Nobody looks at its modem's lines any more.
    machine.plane.serialSetMode(this.port, 0);
    machine.lock();
    puti32(SERIAL_CHANGED_AT, i32at(SERIAL_CHANGED_AT) & ~(1 << this.port));
    machine.unlock();
  }

  /** Whether so it would be another link: on another port, or of another kind, or a modem's in place of a cable's, or waiting in place of calling. */
  isOther({ port, isSlip, isModem, answer }: LinkWants): boolean {
    const { wants } = this;
    if ((answer === undefined) !== (wants.answer === undefined)) return true;
    return port !== wants.port || isSlip !== wants.isSlip || isModem !== wants.isModem;
  }

  /** It is wanted otherwise, on the same port: what calls may be at once, all else from the next one on. */
  change(wants: LinkWants): void {
    if (wants.text === this.wants.text) return;
    this.wants = wants;
    this.budget.limits = wants.limits;
    if (wants.answer !== undefined) this.answerer?.change(wants.answer);
    else if (this.answerer === undefined) (this.caller as Caller).change(wants.caller);
    this.arm(this.result !== undefined);
    if (!this.hasLine) this.openPort();
  }

  private get hasLimits(): boolean {
    const { hourSeconds, hourCalls, monthSeconds, monthCalls } = this.wants.limits;
    return hourSeconds + hourCalls + monthSeconds + monthCalls > 0;
  }

  /** A packet wants to go: whether a call is made for it. Who waits for calls makes none. */
  demand(who: string): boolean {
    return this.answerer === undefined && (this.caller as Caller).demand(who);
  }

  /** Says to the plane which packets count, and whether they dial. Where they do it has its way to the world while it is down. */
  private arm(isUp: boolean): void {
    const { plane } = this.context.machine;
    const { demand, caller, side } = this.wants;
    giveWords(plane, this.link, demand);
    const isDialled = caller.mode === 'demand';
    // Its side is to be known before its address is.
    if (!isUp && isDialled) configure(plane, this.link, side, 0, 0, mtuOf(this.link));
    if (!isUp) this.lead();
    plane.demandSet(this.link, isDialled ? 1 : 0);
  }

  /** The way to the world while it is down. */
  private lead(): void {
    const { plane } = this.context.machine;
    if (this.wants.caller.mode === 'demand') plane.routeLearn(0, 0, 0, this.link);
    else plane.routeForget(0, 0, this.link);
  }

  private openPort(): void {
    const { plane } = this.context.machine;
    const { port, speed, hasFlow, hasCarrier } = this.wants;
    plane.serialSetRate(port, RATE / speed);
    plane.serialSetMode(port, (hasFlow ? SERIAL_RTS_CTS : 0) | (hasCarrier ? SERIAL_WATCHED : 0));
    plane.serialRead(port, 1);
  }

  // --- what comes -------------------------------------------------------------------------------------------------

  /** A frame of the link's own. */
  frame(protocol: number, bytes: Uint8Array): void {
    this.session?.input(protocol, bytes);
  }

  /** The port has bytes, or its modem's lines have changed. */
  work(isChanged: boolean): void {
    if (isChanged) this.lookAtCarrier();
    // The caller may bind the line, whose bytes are frames then.
    for (let n = 0; n < 4 && i32at(this.line + LINE_KIND) === LINE_NONE; n++) {
      const count = this.serial.read(this.piece, 0);
      if (count === 0) return;
      this.caller.input(this.piece.subarray(0, count));
    }
  }

  /** A carrier that was there is lost: while a modem dials, or is called, there is none. */
  private lookAtCarrier(): void {
    const before = this.hadCarrier;
    this.hadCarrier = this.hasCarrier() === true;
    if (before && !this.hadCarrier) this.caller.carrierLost();
  }

  // --- for the caller, and who waits for one ------------------------------------------------------------------

  private get sessionWants(): SessionWants {
    return this.answerer?.session ?? this.wants.session;
  }

  callOut(number: string, who: string): Caller {
    const caller = new Caller(this, { ...this.wants.caller, mode: 'manual', numbers: [number] });
    this.caller = caller;
    caller.dial(who);
    return caller;
  }

  comeBack(): void {
    if (this.answerer !== undefined) this.caller = this.answerer;
  }

  random(): number {
    return this.context.random();
  }

  localSeconds(): number | undefined {
    const { wallClock } = this.context;
    const milliseconds = wallClock.milliseconds();
    if (milliseconds === undefined) return undefined;
    const seconds = Math.floor(milliseconds / 1000);
    return seconds + localAt(wallClock.zone, seconds).offset;
  }

  /** To the modem, as it is: what has no room is lost, of 4 KB. */
  sendBytes(bytes: Uint8Array): void {
    this.serial.put?.(bytes);
  }

  sendBreak(): void {}

  setDtr(isOn: boolean): void {
    this.context.machine.plane.serialSetDtr(this.port, isOn ? 1 : 0);
  }

  hasCarrier(): boolean | undefined {
    if (!this.wants.hasCarrier) return undefined;
    return (this.context.machine.plane.serialModem(this.port) & SERIAL_DCD) !== 0;
  }

  begin(unread: number): void {
    const { plane } = this.context.machine;
    const { isSlip, port } = this.wants;
    const session = this.sessionWants;
    // What came behind the modem's last word is the peer's first frame.
    const head = serialAt(port) + SERIAL_RX_HEAD;
    puti32(head, (i32at(head) - unread) | 0);
    if (plane.lineBind(this.link, port, isSlip ? LINE_SLIP : LINE_PPP) === 0) {
      this.later('the port is another link’s');
      return;
    }
    const hasVj = session.ipcp.hasVj && this.lends();
    if (isSlip) {
      this.slip(hasVj, session.ipcp);
      return;
    }
    this.session = new Session(this, { ...session, ipcp: { ...session.ipcp, hasVj } });
    this.session.open();
  }

  /** SLIP negotiates nothing. */
  private slip(hasVj: boolean, { local, remote, givesDns }: SessionWants['ipcp']): void {
    const way = hasVj ? { slots: VJ_SLOT_COUNT, mayOmit: false } : undefined;
    if (local === 0) {
      this.later('SLIP wants both addresses, see set sl0 address');
      return;
    }
    const { mtu } = this.wants.session.lcp;
    this.opened({
      local,
      remote,
      dns: givesDns,
      mtu,
      vjIn: way,
      vjOut: way,
      peer: '',
    });
  }

  /** It comes to nothing, but not while the caller is about to begin. */
  private later(reason: string): void {
    this.clock.after(0, () => this.caller.closed(reason, false));
  }

  end(reason: string): void {
    if (this.session !== undefined) this.session.close(reason);
    else this.later(reason);
  }

  release(): void {
    const { session } = this;
    this.session = undefined;
    session?.lost('');
    this.down();
    if (this.hasLine) this.context.machine.plane.lineUnbind(this.port);
    this.openPort();
  }

  idleTicks(): number {
    return (this.clock.now() - i32at(demandAt(this.link) + DEMAND_USED)) | 0;
  }

  gaveUp(): void {
    this.context.machine.plane.demandAnswer(this.link, 0);
  }

  askAnew(): void {
    if (this.wants.caller.mode === 'demand') this.context.machine.plane.demandSet(this.link, 1);
  }

  keep(): void {
    if (!this.hasLimits) return;
    this.context.store?.keep({ kind: LOG_KIND_CALLS, key: this.link, payload: this.budget.record() }, true);
  }

  log(text: string, isBad: boolean): void {
    this.context.log(isBad ? WARNING : NOTICE, this.name, text);
  }

  // --- for the session ------------------------------------------------------------------------------------------

  send(protocol: number, bytes: Uint8Array): void {
    const { plane, memory } = this.context.machine;
    const packet = plane.allocateForControl();
    if (packet === 0) return;
    memory.set(bytes, packet + PACKET_IP);
    plane.lineSendFrame(this.port, protocol, packet, bytes.length);
  }

  framing(send: Readonly<LcpWay>, receive: Readonly<LcpWay>, isOpen: boolean): void {
    const { plane } = this.context.machine;
    const less = (send.acfc ? LINE_ACFC : 0) | (send.pfc ? LINE_PFC : 0);
    plane.lineFraming(this.port, send.accm, receive.accm, less);
    plane.lineEchoes(this.port, isOpen ? 1 : 0, receive.magic);
  }

  received(): number {
    return i32at(this.line + LINE_RX_FRAMES);
  }

  opened(result: Opened): void {
    const { plane } = this.context.machine;
    const { port, link, wants } = this;
    const { local, remote, dns, mtu, vjIn, vjOut } = result;
    const why = refuseResult(link, result);
    if (why !== undefined) {
      this.log(`cannot have the address ${formatAddress(local)}: ${why}`, true);
      if (this.session === undefined) this.later(why);
      else this.session.close('No use for that address');
      return;
    }
    plane.lineCompress(port, vjOut?.slots ?? 0, vjIn?.slots ?? 0, vjOut?.mayOmit === true ? 1 : 0);
    this.result = result;
    this.since = this.clock.uptime();
    // Peers say the one that they have twice.
    this.dns = wants.side === INTERFACE_OUTSIDE ? [...new Set(dns)] : [];
    puti32(demandAt(link) + DEMAND_USED, this.clock.now());
    bringUp(
      this.context,
      port,
      wants.side,
      { ...result, dns: this.dns },
      this.pace,
      !this.sessionWants.ipcp.takesRemote,
    );
    const peer = remote === 0 ? 'one without an address' : formatAddress(remote);
    this.log(`up: ${formatAddress(local)}, peer ${peer}, MTU ${mtu}`, false);
    this.tell();
    this.caller.opened();
  }

  /** As fast as is set, or as the modem says, or as the port is: of ten bits of a byte on a wire eight are data. */
  private get pace(): Pace {
    const { rate, speed } = this.wants;
    const most = (speed * 8) / 10;
    const said = Number(/^CONNECT (\d{3,7})\b/.exec(this.caller.call?.report ?? '')?.[1] ?? most);
    return {
      rate: rate ?? Math.max(QUEUE_RATE_LEAST, Math.min(said, most)),
      overhead: FRAME_BYTES,
      isShaped: false,
    };
  }

  held(): void {
    this.down();
  }

  closed(reason: string, wasRefused: boolean): void {
    // Of a session that we let go nobody need hear.
    if (this.session === undefined) return;
    this.session = undefined;
    this.down();
    this.caller.closed(reason, wasRefused);
  }

  /** Addresses and ways go; the line stays. */
  private down(): void {
    const { result, link, wants } = this;
    if (result === undefined) return;
    const { machine } = this.context;
    this.result = undefined;
    this.dns = [];
    if (this.hasLine) machine.plane.lineOpen(this.port, 0);
    takeDown(machine, link, wants.side, result);
    this.lead();
    this.tell();
  }

  /** Control was started again over an open link. */
  private resume(): void {
    const { line } = this;
    this.result = adopted(this.port);
    const { mtu, local, dns } = this.result;
    this.dns = dns;
    this.since = this.clock.uptime();
    if (!this.wants.isSlip) {
      this.session = new Session(this, this.sessionWants);
      this.session.resume({ magic: i32at(line + LINE_MAGIC), mtu, local });
    }
    this.log('goes on, as control was started again', false);
    this.tell();
  }

  /** The memory of compression; false where the heap has none. */
  private lends(): boolean {
    const { machine } = this.context;
    const at = VJ_PAGES_AT + this.port * VJ_PAGE;
    return machine.heapFree() > VJ_PAGE + SECTION_SPARE_BYTES && machine.lend(at, at + VJ_PAGE, at + VJ_PAGE);
  }
}
