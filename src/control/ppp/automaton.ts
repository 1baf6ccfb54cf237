// The option negotiation automaton of PPP (RFC 1661, section 4), by its table: LCP's and IPCP's. Here: states, events, actions, identifiers,
// the restart timer and its counter. Not here: what the options are (negotiation.ts and those who are one), what other codes mean.
//
// One timer, the restart timer: it runs in the states from closing to ack-sent, RESTART seconds at first, and sends the request again. It
// grows by half each time as soon as the peer has been heard, up to RESTART_MOST, and by twice the time that an answer took: a peer at
// the end of a satellite's link, 4 s away, would else be asked anew before its answer is there. As long as nobody has spoken yet
// it stays as it is, since the peer may begin to listen at any moment.
//
// A request that is sent again keeps its identifier, so that a late answer counts; once an answer has counted, the identifier is used up, and
// a second answer to it is nothing. With either alone, late answers keep two sides negotiating for ever.

import { TICKS_PER_SECOND } from '../../base/limits.ts';
import {
  CODE_REJECT,
  CONFIGURE_ACK,
  CONFIGURE_NAK,
  CONFIGURE_REJECT,
  CONFIGURE_REQUEST,
  CP_HEADER_BYTES,
  TERMINATE_ACK,
  TERMINATE_REQUEST,
} from '../../wire/ppp.ts';
import { type Clock, since, type Timer } from '../core/clock.ts';
import type { Negotiation } from './negotiation.ts';
import {
  bytesOf,
  type Packet,
  readOptions,
  readPacket,
  sameBytes,
  textOf,
  writeOptions,
  writePacket,
} from './packet.ts';

export const INITIAL = 0;
export const STARTING = 1;
export const CLOSED = 2;
export const STOPPED = 3;
export const CLOSING = 4;
export const STOPPING = 5;
export const REQ_SENT = 6;
export const ACK_RCVD = 7;
export const ACK_SENT = 8;
export const OPENED = 9;

export const STATE_NAMES = [
  'initial',
  'starting',
  'closed',
  'stopped',
  'closing',
  'stopping',
  'req-sent',
  'ack-rcvd',
  'ack-sent',
  'opened',
];

/**
 * The table: of each event the actions and the new state, from each state in turn; `-` cannot happen or changes nothing. Actions: u
 * this-layer-up, d this-layer-down, s this-layer-started, f this-layer-finished, i initialize the counter, z zero it, r send
 * Configure-Request, a Configure-Ack, n Configure-Nak or -Reject, t Terminate-Request, k Terminate-Ack, j Code-Reject.
 */
const TABLE = {
  up: '2 ir6 - - - - - - - -',
  down: '- - 0 s1 0 1 1 1 1 d1',
  open: 's1 1 ir6 3 5 5 6 7 8 9',
  close: '0 f0 2 2 4 4 it4 it4 it4 dit4',
  timeout: '- - - - t4 t5 r6 r6 r8 -',
  over: '- - - - f2 f3 f3 f3 f3 -',
  goodRequest: '- - k2 ira8 4 5 a8 au9 a8 dra8',
  badRequest: '- - k2 irn6 4 5 n6 n7 n6 drn6',
  ack: '- - k2 k3 4 5 i7 r6 iu9 dr6',
  nak: '- - k2 k3 4 5 ir6 r6 ir8 dr6',
  terminate: '- - k2 k3 k4 k5 k6 k6 k6 dzk5',
  terminated: '- - 2 3 f2 f3 6 6 8 dr6',
  unknown: '- - j2 j3 j4 j5 j6 j7 j8 j9',
  // A rejected code or protocol that this layer cannot do without.
  fatal: '- - f2 f3 f2 f3 f3 f3 f3 dit5',
} as const;

export type AutomatonEvent = keyof typeof TABLE;

export const RESTART_TICKS = 3 * TICKS_PER_SECOND;
export const RESTART_MOST_TICKS = 12 * TICKS_PER_SECOND;
export const MAX_CONFIGURE = 10;
export const MAX_TERMINATE = 2;
/** Naks that we send before what we do not like is rejected, and that we take before the peer's are read as rejects. */
export const MAX_FAILURE = 5;
/** Requests while the peer says that it does not know yet, RESTART apart: two minutes. */
export const MAX_WAITS = 40;
/** Requests of one negotiation in all: a peer that never agrees and never stops is given up. */
export const MAX_REQUESTS = 60;

/** So long after it has opened, a request that was agreed to is answered again. */
export const LATE_TICKS = 15 * TICKS_PER_SECOND;

/** Who uses an automaton. */
export interface Layer {
  /** The protocol, for a reason. */
  readonly name: string;
  send(packet: Uint8Array): void;
  up(): void;
  down(): void;
  /** It ends, and why. The layer below may be closed. */
  finished(reason: string): void;
  /** A packet with a code of this protocol's own; false: the code is unknown. */
  other?(packet: Packet): boolean;
  /** Bytes that the peer takes in one packet. */
  readonly most: number;
  /** A Configure-Request in the opened state is a mistake of the peer's, and is passed over. */
  readonly keepsOpen?: boolean;
}

export class Automaton {
  /** One of INITIAL to OPENED. */
  state = INITIAL;
  /** Ticks of the restart timer, which the next layer may begin with. */
  restartTicks = RESTART_TICKS;
  private timer: Timer | undefined;
  private counter = 0;
  private identifier = 0;
  private lastIdentifier = 0;
  /** The last request's options, and whether an answer to it may still count. */
  private request: Uint8Array = new Uint8Array(0);
  private isWaiting = false;
  private sentTick = 0;
  private wasRepeated = false;
  private wasHeard = false;
  private naksSent = 0;
  private naksTaken = 0;
  private waits = 0;
  private requests = 0;
  private reason = '';
  private openedTick = 0;
  /** The peer's request that was agreed to last. */
  private agreed: Uint8Array = new Uint8Array(0);
  private agreedIdentifier = -1;
  /** What an action answers, where it answers something. */
  private reply: Uint8Array | undefined;

  constructor(
    private readonly clock: Clock,
    private readonly options: Negotiation,
    private readonly layer: Layer,
  ) {}

  /** The layer below is up, or down. */
  lowerUp(): void {
    this.wasHeard = false;
    this.happen('up');
  }

  lowerDown(): void {
    this.happen('down');
  }

  open(): void {
    this.reason = '';
    this.happen('open');
  }

  /** Ends it; `finished` is told the reason when the peer agrees or is silent. */
  close(reason: string): void {
    if (this.reason === '') this.reason = reason;
    this.happen('close');
  }

  /** The peer does not know this protocol. */
  rejected(reason: string): void {
    if (this.reason === '') this.reason = reason;
    this.happen('fatal');
  }

  /** A control restarted over an open link: nothing is negotiated. */
  resume(): void {
    this.state = OPENED;
  }

  get stateName(): string {
    return STATE_NAMES[this.state] as string;
  }

  /** A packet from the peer. */
  input(bytes: Uint8Array): void {
    if (this.state <= STARTING) return;
    const packet = readPacket(bytes);
    if (packet === undefined) return;
    this.wasHeard = true;
    switch (packet.code) {
      case CONFIGURE_REQUEST:
        this.requested(packet);
        break;
      case CONFIGURE_ACK:
      case CONFIGURE_NAK:
      case CONFIGURE_REJECT:
        this.answered(packet);
        break;
      case TERMINATE_REQUEST:
        if (this.reason === '') this.reason = endedWith(packet.data);
        this.reply = writePacket(TERMINATE_ACK, packet.identifier, packet.data);
        this.happen('terminate');
        break;
      case TERMINATE_ACK:
        this.happen('terminated');
        break;
      case CODE_REJECT:
        if ((packet.data[0] ?? 0) <= CODE_REJECT) this.rejected('The peer rejects a code that every one has');
        break;
      default:
        if (this.layer.other?.(packet) === true) return;
        this.reply = writePacket(
          CODE_REJECT,
          this.nextIdentifier(),
          bytes.slice(0, this.layer.most - CP_HEADER_BYTES),
        );
        this.happen('unknown');
    }
  }

  /** An identifier that the last 255 packets of this side have not had. */
  nextIdentifier(): number {
    this.lastIdentifier = (this.lastIdentifier + 1) & 255;
    return this.lastIdentifier;
  }

  // --- what comes -------------------------------------------------------------------------------------------

  private requested({ identifier, data }: Packet): void {
    const options = readOptions(data);
    if (options === undefined || (this.state === OPENED && this.layer.keepsOpen === true)) return;
    if (this.isLate(identifier, data)) {
      this.layer.send(writePacket(CONFIGURE_ACK, identifier, data));
      return;
    }
    if (this.state === OPENED || this.state === STOPPED) this.begin();
    if (this.state < REQ_SENT && this.state !== STOPPED) {
      this.reply = writePacket(TERMINATE_ACK, identifier, []);
      this.happen('goodRequest');
      return;
    }
    const verdict = this.options.judge(options, this.naksSent >= MAX_FAILURE);
    // What is said again as it came, a loop or an echo: nobody is there to be answered.
    if (verdict === undefined) return;
    const { code } = verdict;
    if (code === CONFIGURE_NAK) {
      this.naksSent++;
    } else if (code === CONFIGURE_ACK) {
      this.naksSent = 0;
      this.agreed = data;
      this.agreedIdentifier = identifier;
    }
    this.reply = writePacket(code, identifier, writeOptions(verdict.options));
    this.happen(code === CONFIGURE_ACK ? 'goodRequest' : 'badRequest');
  }

  /**
   * The request that has been agreed to, once more and not long after: its answer was lost or is under way, and who asks has not begun anew. The
   * table would begin anew for it, and so on for as long as answers take longer than the peer's timer.
   */
  private isLate(identifier: number, data: Uint8Array): boolean {
    if (this.state !== OPENED || identifier !== this.agreedIdentifier) return false;
    return since(this.clock.now(), this.openedTick) < LATE_TICKS && sameBytes(data, this.agreed);
  }

  private answered({ code, identifier, data }: Packet): void {
    if (this.state >= REQ_SENT) {
      if (!this.isWaiting || identifier !== this.identifier) return;
      if (code === CONFIGURE_ACK && !sameBytes(data, this.request)) return;
    }
    const options = readOptions(data);
    if (options === undefined) return;
    if (this.state < REQ_SENT) {
      this.reply = writePacket(TERMINATE_ACK, identifier, []);
      this.happen(code === CONFIGURE_ACK ? 'ack' : 'nak');
      return;
    }
    this.learn();
    if (code === CONFIGURE_ACK) {
      this.isWaiting = false;
      this.naksTaken = 0;
      this.happen('ack');
      return;
    }
    this.naksTaken++;
    const isReject = code === CONFIGURE_REJECT || this.naksTaken > MAX_FAILURE;
    const verdict = isReject ? this.options.rejected(options) : this.options.nakked(options);
    if (verdict === 'wait' && this.waits < MAX_WAITS) {
      // Asked again by the timer, not at once: the peer has nothing to give yet.
      this.isWaiting = false;
      this.waits++;
      this.naksTaken = 0;
      this.counter = MAX_CONFIGURE;
      return;
    }
    this.isWaiting = false;
    if (verdict === undefined) this.happen('nak');
    else this.close(verdict === 'wait' ? 'The peer never had an address to give' : verdict);
  }

  /** How long an answer took: of a request that went twice at least that of the second one, so the first counts. */
  private learn(): void {
    const ticks = 2 * since(this.clock.now(), this.sentTick);
    const best = Math.min(RESTART_MOST_TICKS, Math.max(RESTART_TICKS, ticks));
    if (!this.wasRepeated || best > this.restartTicks) this.restartTicks = best;
  }

  /** A negotiation begins. */
  private begin(): void {
    this.options.begin();
    this.isWaiting = false;
    this.naksSent = 0;
    this.naksTaken = 0;
    this.waits = 0;
    this.requests = 0;
    this.counter = MAX_CONFIGURE;
  }

  // --- the table -------------------------------------------------------------------------------------------

  /** The one place where the state changes. */
  private happen(event: AutomatonEvent): void {
    const entry = TABLE[event].split(' ')[this.state] as string;
    const reply = this.reply;
    this.reply = undefined;
    if (entry === '-') return;
    const old = this.state;
    const next = entry.charCodeAt(entry.length - 1) - 48;
    const isRequest = event === 'goodRequest' || event === 'badRequest';
    if (next >= REQ_SENT && next < OPENED && (old < REQ_SENT || old === OPENED) && !isRequest) this.begin();
    this.state = next;
    if (next < CLOSING || next === OPENED) this.stopTimer();
    // What this layer tells the others comes last: they may act on it at once, and it is in its new state then.
    let told = '';
    for (let i = 0; i < entry.length - 1; i++) {
      const action = entry[i] as string;
      if ('uds'.includes(action) || action === 'f') told += action;
      else this.act(action, next, reply);
    }
    for (const action of told) this.tell(action);
  }

  private act(action: string, next: number, reply: Uint8Array | undefined): void {
    if (action === 'i') this.counter = next < REQ_SENT ? MAX_TERMINATE : MAX_CONFIGURE;
    else if (action === 'z') this.counter = 0;
    else if (action === 'r') this.sendRequest();
    else if (action === 't') this.sendTerminate();
    else if (reply !== undefined) this.layer.send(reply);
    if (action === 'z') this.startTimer();
  }

  private tell(action: string): void {
    const { layer } = this;
    if (action === 'u') {
      this.reason = '';
      this.openedTick = this.clock.now();
      layer.up();
    } else if (action === 'd') layer.down();
    else if (action === 'f')
      layer.finished(this.reason === '' ? `The peer does not answer ${layer.name}` : this.reason);
  }

  private sendRequest(): void {
    if (++this.requests > MAX_REQUESTS) {
      // What comes is not answered with another one any more; the timer ends it.
      if (this.reason === '') this.reason = 'No agreement';
      this.isWaiting = false;
      this.counter = 0;
      if (this.timer === undefined) this.startTimer();
      return;
    }
    if (!this.isWaiting) {
      this.identifier = this.nextIdentifier();
      this.request = writeOptions(this.options.request());
      this.sentTick = this.clock.now();
      this.wasRepeated = false;
    } else {
      this.wasRepeated = true;
    }
    this.isWaiting = true;
    this.counter--;
    this.layer.send(writePacket(CONFIGURE_REQUEST, this.identifier, this.request));
    this.startTimer();
  }

  private sendTerminate(): void {
    this.counter--;
    this.layer.send(writePacket(TERMINATE_REQUEST, this.nextIdentifier(), bytesOf(this.reason)));
    this.startTimer();
  }

  private startTimer(): void {
    this.stopTimer();
    this.timer = this.clock.after(this.restartTicks, () => {
      this.timer = undefined;
      if (this.wasHeard && this.state >= REQ_SENT && this.isWaiting)
        this.restartTicks = Math.min(RESTART_MOST_TICKS, Math.floor(1.5 * this.restartTicks));
      this.happen(this.counter > 0 ? 'timeout' : 'over');
    });
  }

  private stopTimer(): void {
    if (this.timer !== undefined) this.clock.cancel(this.timer);
    this.timer = undefined;
  }
}

/** What the peer gave as its reason, if it gave a text. */
function endedWith(data: Uint8Array): string {
  const text = textOf(data.slice(0, 64)).trim();
  return text === '' || text.includes('?') ? 'The peer ended the link' : `The peer ended the link: ${text}`;
}
