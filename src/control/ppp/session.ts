// A PPP link from the first frame to the last: its phases (RFC 1661, section 3), which protocol gets a packet, and what LCP has beside options:
// echo, Protocol-Reject, packets to be thrown away.
// Not here: the options (lcp.ts, ipcp.ts), their automaton (automaton.ts), frames (src/plane/link/hdlc.ts), modems.
//
//    dead --open--> establish --LCP up--> authenticate --all known--> network --IPCP up--> open
//      ^                ^                      |                        |                    |
//      |                '------------ LCP down: the peer begins anew ---'--------------------'
//      '--- LCP finished, carrier lost, echoes without an answer --- any
//
// One timer, the echo's, while LCP is open: if no frame has come since it ran last, it asks; after `echoMost` such times the link is dead. What
// comes is counted by the plane, so a link at work is never asked.

import { get16, get32 } from '../../wire/bytes.ts';
import {
  CHAP_RESPONSE,
  DISCARD_REQUEST,
  ECHO_MAGIC_BYTES,
  ECHO_REPLY,
  ECHO_REQUEST,
  IDENTIFICATION,
  PAP_REQUEST,
  PPP_CHAP,
  PPP_IP,
  PPP_IPCP,
  PPP_LCP,
  PPP_MRU_DEFAULT,
  PPP_PAP,
  PPP_VJ_COMPRESSED,
  PPP_VJ_UNCOMPRESSED,
  PROTOCOL_REJECT,
  TIME_REMAINING,
} from '../../wire/ppp.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Account, AuthHost, PasswordOf } from './auth.ts';
import { Automaton, OPENED, RESTART_TICKS } from './automaton.ts';
import { ChapPeer, ChapServer } from './chap.ts';
import { joined } from './digest.ts';
import { IpcpOptions, type IpcpWants, type VjWay } from './ipcp.ts';
import { LcpOptions, type LcpWants, type LcpWay } from './lcp.ts';
import { number16, number32, type Packet, readPacket, writePacket } from './packet.ts';
import { PapPeer, PapServer } from './pap.ts';

export type Phase = 'dead' | 'establish' | 'authenticate' | 'network' | 'open';

export interface SessionWants {
  lcp: LcpWants;
  ipcp: IpcpWants;
  /** Who we are, and what we call ourselves where we ask. */
  account: Account;
  name: string;
  passwordOf: PasswordOf;
  /** Who the peer is has been shown: what it may have goes into `ipcp`, which is the session's own. Answers why it may have nothing. */
  known?: (name: string, ipcp: IpcpWants) => string | undefined;
  /** Ticks between looks at whether the peer is there, and looks without an answer; 0: it is not looked. */
  echoTicks: number;
  echoMost: number;
  /** An LCP request in an open link is a mistake of the peer's. */
  keepsOpen: boolean;
}

/** What an open link has. */
export interface Opened {
  local: number;
  /** 0: the peer has said none. */
  remote: number;
  dns: readonly number[];
  mtu: number;
  vjIn: VjWay | undefined;
  vjOut: VjWay | undefined;
  /** Who the peer has shown to be, or ''. */
  peer: string;
}

export interface SessionHost {
  readonly clock: Clock;
  random(): number;
  send(protocol: number, bytes: Uint8Array): void;
  /** How frames are to look from now on: those that we send, and those that come; and whether LCP is open, so that echoes are answered. */
  framing(send: Readonly<LcpWay>, receive: Readonly<LcpWay>, isOpen: boolean): void;
  /** Frames that have come, all together: a number that changes. */
  received(): number;
  opened(result: Opened): void;
  /** The link carries no datagrams for the moment. */
  held(): void;
  /** It is over. @param wasRefused somebody did not believe the other: again soon is of no use */
  closed(reason: string, wasRefused: boolean): void;
}

/** What of an open link must be known to a control that was started again; the rest is in the plane. */
export interface Kept {
  /** Our magic number, and what the peer takes. */
  magic: number;
  mtu: number;
  local: number;
}

/** One side's way of showing who it is. */
interface Auth {
  start(): void;
  stop(): void;
  input(packet: Packet): void;
}

const PLAIN: LcpWay = {
  mru: PPP_MRU_DEFAULT,
  accm: -1,
  pfc: false,
  acfc: false,
  magic: 0,
  method: undefined,
};
/** A control packet's header and, of a rejected one, its protocol. */
const PPP_HEADERS = 6;
/** LCP's codes that need no answer. */
const UNANSWERED = [ECHO_REPLY, DISCARD_REQUEST, IDENTIFICATION, TIME_REMAINING];
/** Protocols of datagrams: the plane's, and nothing that is rejected where they come too early. */
const DATAGRAMS = [PPP_IP, PPP_VJ_COMPRESSED, PPP_VJ_UNCOMPRESSED];

export class Session {
  phase: Phase = 'dead';
  private readonly lcpOptions: LcpOptions;
  private readonly ipcpOptions: IpcpOptions;
  private readonly lcp: Automaton;
  private readonly ipcp: Automaton;
  /** How we show who we are, and how the peer does. */
  private ourAuth: Auth | undefined;
  private theirAuth: Auth | undefined;
  private waitsFor = 0;
  private peer = '';
  private wasRefused = false;
  /** We end it, for a reason of our own. */
  private isEnding = false;
  private echoTimer: Timer | undefined;
  private echoMisses = 0;
  private receivedLast = 0;

  constructor(
    private readonly host: SessionHost,
    private readonly wants: SessionWants,
  ) {
    this.lcpOptions = new LcpOptions(wants.lcp, () => host.random());
    this.ipcpOptions = new IpcpOptions(wants.ipcp);
    const most = () => this.lcpOptions.theirs.mru;
    this.lcp = new Automaton(host.clock, this.lcpOptions, {
      name: 'LCP',
      send: packet => host.send(PPP_LCP, packet),
      up: () => this.lcpUp(),
      down: () => this.lcpDown(),
      finished: reason => this.finish(reason),
      other: packet => this.lcpOther(packet),
      get most() {
        return most();
      },
      keepsOpen: wants.keepsOpen,
    });
    this.ipcp = new Automaton(host.clock, this.ipcpOptions, {
      name: 'IPCP',
      send: packet => host.send(PPP_IPCP, packet),
      up: () => this.ipcpUp(),
      down: () => this.ipcpDown(),
      finished: reason => this.lcp.close(reason),
      get most() {
        return most();
      },
    });
  }

  /** The line is there: begins. */
  open(): void {
    if (this.phase !== 'dead') return;
    this.wasRefused = false;
    this.isEnding = false;
    this.phase = 'establish';
    this.plain();
    this.lcp.restartTicks = RESTART_TICKS;
    this.lcp.open();
    this.lcp.lowerUp();
  }

  /** Control was started again over an open link: nothing is negotiated, and the peer notices nothing. */
  resume({ magic, mtu, local }: Kept): void {
    this.lcpOptions.begin();
    this.lcpOptions.ours.magic = magic;
    this.lcpOptions.theirs.mru = mtu;
    this.ipcpOptions.begin();
    this.ipcpOptions.local = local;
    this.phase = 'open';
    this.lcp.resume();
    this.ipcp.resume();
    this.receivedLast = this.host.received();
    this.watch();
  }

  /** Ends the link in good order. */
  close(reason: string): void {
    if (this.phase === 'dead') return;
    this.isEnding = true;
    this.lcp.close(reason);
  }

  /** The line is gone. */
  lost(reason: string): void {
    this.finish(reason);
  }

  /** Asks the peer once more who it is, in an open link. */
  askAgain(): void {
    if (this.phase === 'open' && this.theirAuth instanceof ChapServer) this.theirAuth.start();
  }

  /** For a list: what both automatons are in. */
  get states(): string {
    return `${this.phase}, LCP ${this.lcp.stateName}, IPCP ${this.ipcp.stateName}`;
  }

  /** What a frame carried that is for control. */
  input(protocol: number, bytes: Uint8Array): void {
    if (this.phase === 'dead') return;
    if (protocol === PPP_LCP) {
      this.lcp.input(bytes);
      if (this.lcpOptions.isLooped && this.lcp.state !== OPENED)
        this.finish('The line brings back what is sent: it is looped');
      return;
    }
    if (this.lcp.state !== OPENED || DATAGRAMS.includes(protocol)) return;
    if (protocol === PPP_IPCP) {
      if (this.phase === 'network' || this.phase === 'open') this.ipcp.input(bytes);
    } else if (protocol === PPP_PAP || protocol === PPP_CHAP) {
      this.authInput(protocol, readPacket(bytes));
    } else {
      const most = this.lcpOptions.theirs.mru - PPP_HEADERS;
      this.sendLcp(PROTOCOL_REJECT, joined(number16(protocol), bytes.subarray(0, most)));
    }
  }

  private sendLcp(code: number, data: Uint8Array): void {
    this.host.send(PPP_LCP, writePacket(code, this.lcp.nextIdentifier(), data));
  }

  // --- LCP ----------------------------------------------------------------------------------------------------

  private lcpUp(): void {
    const { theirs, ours } = this.lcpOptions;
    const { wants, host } = this;
    host.framing(theirs, ours, true);
    this.phase = 'authenticate';
    this.wasRefused = false;
    this.peer = '';
    this.echoMisses = 0;
    this.receivedLast = host.received();
    this.watch();
    this.waitsFor = 1;
    const ticks = this.lcp.restartTicks;
    if (theirs.method !== undefined) {
      const own = this.authHost(theirs.method === 'pap' ? PPP_PAP : PPP_CHAP, false);
      this.ourAuth =
        theirs.method === 'pap'
          ? new PapPeer(own, wants.account, this.lcp.nextIdentifier(), ticks)
          : new ChapPeer(own, theirs.method, wants.account, ticks, value => this.hasAsked(value));
      this.waitsFor++;
    }
    if (ours.method !== undefined) {
      const own = this.authHost(ours.method === 'pap' ? PPP_PAP : PPP_CHAP, true);
      this.theirAuth =
        ours.method === 'pap'
          ? new PapServer(own, wants.passwordOf, ticks)
          : new ChapServer(own, ours.method, wants.name, wants.passwordOf, ticks);
      this.waitsFor++;
    }
    this.ourAuth?.start();
    this.theirAuth?.start();
    this.known();
  }

  private lcpDown(): void {
    if (this.phase === 'dead') return;
    // Who ends the link while it looks at our password did not like it, whether it says so before, after or never.
    if (this.phase === 'authenticate' && this.ourAuth !== undefined && !this.isEnding) this.wasRefused = true;
    this.stopAll();
    this.phase = 'establish';
    this.plain();
  }

  /**
   * Frames as they are until LCP is open. What comes is read by the map that we ask for, since the first frame by it may follow the peer's
   * Configure-Ack at once, before that is read here; until then the peer escapes all the same.
   */
  private plain(): void {
    this.host.framing(PLAIN, { ...PLAIN, accm: this.wants.lcp.accm }, false);
  }

  /** All that is above LCP ends. */
  private stopAll(): void {
    this.ourAuth?.stop();
    this.theirAuth?.stop();
    this.ourAuth = undefined;
    this.theirAuth = undefined;
    if (this.echoTimer !== undefined) this.host.clock.cancel(this.echoTimer);
    this.echoTimer = undefined;
    this.ipcp.lowerDown();
  }

  /** Everything ends, the line's end as well as LCP's. */
  private finish(reason: string): void {
    if (this.phase === 'dead') return;
    this.stopAll();
    this.phase = 'dead';
    this.lcp.lowerDown();
    this.lcp.close(reason);
    this.host.closed(this.wasRefused ? `Authentication failed. ${reason}` : reason, this.wasRefused);
  }

  private lcpOther({ code, identifier, data }: Packet): boolean {
    if (code === PROTOCOL_REJECT) {
      if (this.lcp.state === OPENED && data.length >= 2) this.protocolRejected(get16(data, 0));
      return true;
    }
    if (code !== ECHO_REQUEST) return UNANSWERED.includes(code);
    const { theirs, ours } = this.lcpOptions;
    if (this.lcp.state !== OPENED || data.length < ECHO_MAGIC_BYTES) return true;
    // Our own number is our own packet, which the line brings back.
    if (ours.magic !== 0 && get32(data, 0) === ours.magic) return true;
    const rest = data.subarray(ECHO_MAGIC_BYTES, theirs.mru - PPP_HEADERS);
    this.host.send(PPP_LCP, writePacket(ECHO_REPLY, identifier, joined(number32(ours.magic), rest)));
    return true;
  }

  private protocolRejected(protocol: number): void {
    if (protocol === PPP_LCP) this.lcp.rejected('The peer does not know LCP');
    else if (protocol === PPP_IPCP) this.ipcp.rejected('The peer does not know IPCP');
    else if ((protocol === PPP_PAP || protocol === PPP_CHAP) && this.phase === 'authenticate')
      this.lcp.close('The peer does not know what it has agreed to be asked');
  }

  /** Looks whether the peer is there. */
  private watch(): void {
    const { host, wants } = this;
    if (wants.echoTicks === 0) return;
    this.echoTimer = host.clock.after(wants.echoTicks, () => {
      this.echoTimer = undefined;
      const received = host.received();
      if (received !== this.receivedLast) {
        this.echoMisses = 0;
      } else if (this.echoMisses === wants.echoMost) {
        this.finish(`The peer does not answer ${wants.echoMost} echoes`);
        return;
      } else {
        this.echoMisses++;
        this.sendLcp(ECHO_REQUEST, number32(this.lcpOptions.ours.magic));
      }
      this.receivedLast = received;
      this.watch();
    });
  }

  // --- who is who -----------------------------------------------------------------------------------------------

  private authHost(protocol: number, isTheirs: boolean): AuthHost {
    const { host } = this;
    let isFirst = true;
    return {
      clock: host.clock,
      random: () => host.random(),
      send: packet => host.send(protocol, packet),
      done: name => {
        const why = isTheirs && isFirst ? this.wants.known?.(name, this.wants.ipcp) : undefined;
        if (isTheirs) this.peer = name;
        if (why !== undefined) this.close(why);
        else if (isFirst) this.known();
        isFirst = false;
      },
      failed: (reason, isSilence) => {
        this.wasRefused = isSilence !== true;
        this.isEnding = true;
        this.lcp.close(reason);
      },
    };
  }

  /**
   * A challenge is our own, sent back. Nothing else keeps two who ask each other apart: neither may wait for the other to show first who it is, as both might.
   */
  private hasAsked(challenge: Uint8Array): boolean {
    return this.theirAuth instanceof ChapServer && this.theirAuth.hasAsked(challenge);
  }

  private authInput(protocol: number, packet: Packet | undefined): void {
    if (packet === undefined) return;
    const isForServer = packet.code === (protocol === PPP_PAP ? PAP_REQUEST : CHAP_RESPONSE);
    const method = isForServer ? this.lcpOptions.ours.method : this.lcpOptions.theirs.method;
    if (method === undefined || (method === 'pap') !== (protocol === PPP_PAP)) return;
    if (isForServer) this.theirAuth?.input(packet);
    else this.ourAuth?.input(packet);
  }

  /** One that is waited for is known: behind the last the network begins. */
  private known(): void {
    if (--this.waitsFor > 0 || this.phase !== 'authenticate') return;
    this.phase = 'network';
    this.ipcp.restartTicks = this.lcp.restartTicks;
    this.ipcp.open();
    this.ipcp.lowerUp();
  }

  // --- IPCP ---------------------------------------------------------------------------------------------------------

  private ipcpUp(): void {
    const { local, remote, dns, vjIn, vjOut } = this.ipcpOptions;
    if (local === 0) {
      this.lcp.close('The peer gives no address');
      return;
    }
    this.phase = 'open';
    const mtu = Math.min(this.lcpOptions.theirs.mru, this.wants.lcp.mtu);
    this.host.opened({
      local,
      remote,
      dns: dns.filter(address => address !== 0),
      mtu,
      vjIn,
      vjOut,
      peer: this.peer,
    });
  }

  private ipcpDown(): void {
    if (this.phase !== 'open') return;
    this.phase = 'network';
    this.host.held();
  }
}
