// IPCP's options (RFC 1332, section 3; RFC 1877, section 1): addresses, name servers, and compressed TCP headers, each way.
// Not here: when they are said (automaton.ts). The two addresses in one option, from before RFC 1332, are rejected, as WINS servers are.

import { VJ_SLOT_COUNT } from '../../base/line-limits.ts';
import { get16, get32 } from '../../wire/bytes.ts';
import { IPCP_ADDRESS, IPCP_COMPRESSION, IPCP_DNS_1, IPCP_DNS_2, PPP_VJ_COMPRESSED } from '../../wire/ppp.ts';
import { type Negotiation, type Opinion, type Verdict, verdictOf } from './negotiation.ts';
import { number32, type Option } from './packet.ts';

export interface IpcpWants {
  /** Our address; 0: the peer gives one. Whether another one that it gives is taken, too. */
  local: number;
  takesLocal: boolean;
  /** The peer's address; 0: it says its own. Whether another one that it says is taken, too. */
  remote: number;
  takesRemote: boolean;
  /** Whether name servers are asked for, and those that are told, 0 for none. */
  asksDns: boolean;
  givesDns: readonly number[];
  /** Compressed TCP headers. */
  hasVj: boolean;
}

/** What one way of compressed headers has: connections, and whether a connection's number may be left out. */
export interface VjWay {
  slots: number;
  mayOmit: boolean;
}

const DNS = [IPCP_DNS_1, IPCP_DNS_2];
const VJ_VALUE_BYTES = 4;

function vjValue({ slots, mayOmit }: VjWay): Uint8Array {
  return Uint8Array.of(PPP_VJ_COMPRESSED >> 8, PPP_VJ_COMPRESSED & 255, slots - 1, mayOmit ? 1 : 0);
}

/** What a value of IPCP_COMPRESSION asks for, if we know it. */
function vjOf(value: Uint8Array): VjWay | undefined {
  if (value.length !== VJ_VALUE_BYTES || get16(value, 0) !== PPP_VJ_COMPRESSED) return undefined;
  return { slots: (value[2] as number) + 1, mayOmit: value[3] === 1 };
}

export class IpcpOptions implements Negotiation {
  local = 0;
  remote = 0;
  /** Name servers that the peer has given, 0 for none. */
  dns = [0, 0];
  /** How the peer may compress what it sends to us, and how we may. */
  vjIn: VjWay | undefined;
  vjOut: VjWay | undefined;
  private readonly dropped = new Set<number>();

  constructor(private readonly wants: IpcpWants) {}

  begin(): void {
    const { wants } = this;
    this.dropped.clear();
    this.local = wants.local;
    this.remote = 0;
    this.dns = [0, 0];
    this.vjIn = wants.hasVj ? { slots: VJ_SLOT_COUNT, mayOmit: true } : undefined;
    this.vjOut = undefined;
  }

  request(): Option[] {
    const all: Option[] = [];
    const add = (type: number, value: Uint8Array) => {
      if (!this.dropped.has(type)) all.push({ type, value });
    };
    add(IPCP_ADDRESS, number32(this.local));
    if (this.vjIn !== undefined) add(IPCP_COMPRESSION, vjValue(this.vjIn));
    for (let i = 0; this.wants.asksDns && i < DNS.length; i++)
      add(DNS[i] as number, number32(this.dns[i] as number));
    return all;
  }

  judge(options: readonly Option[], isFinal: boolean): Verdict {
    this.remote = 0;
    this.vjOut = undefined;
    return verdictOf(options, isFinal, option => this.opinion(option));
  }

  private opinion({ type, value }: Option): Opinion {
    if (type === IPCP_COMPRESSION) return this.compression(value);
    if (value.length !== 4) return 'reject';
    const address = get32(value, 0);
    if (type === IPCP_ADDRESS) return this.address(address);
    const given = this.wants.givesDns[DNS.indexOf(type)] ?? 0;
    if (!DNS.includes(type) || given === 0) return 'reject';
    return address === given ? 'ack' : number32(given);
  }

  private address(address: number): Opinion {
    const { remote, takesRemote } = this.wants;
    const isGood = address !== 0 && (remote === 0 || takesRemote || address === remote);
    if (isGood) this.remote = address;
    // Without one to give, and without its own, the peer is left unnumbered.
    return isGood ? 'ack' : remote === 0 ? 'reject' : number32(remote);
  }

  private compression(value: Uint8Array): Opinion {
    const way = vjOf(value);
    if (!this.wants.hasVj || way === undefined) return 'reject';
    if (way.slots > VJ_SLOT_COUNT) return vjValue({ slots: VJ_SLOT_COUNT, mayOmit: way.mayOmit });
    this.vjOut = way;
    return 'ack';
  }

  nakked(options: readonly Option[]): string | undefined {
    let verdict: string | undefined;
    for (const { type, value } of options) {
      if (type === IPCP_COMPRESSION) {
        const way = vjOf(value);
        if (way === undefined || way.slots > VJ_SLOT_COUNT) this.dropped.add(type);
        else if (this.vjIn !== undefined) this.vjIn = way;
        if (this.dropped.has(type)) this.vjIn = undefined;
      } else if (value.length === 4) {
        verdict = this.given(type, get32(value, 0)) ?? verdict;
      }
    }
    return verdict;
  }

  /** An address that the peer gives. A modem that says 0.0.0.0 has none yet; a name server 0.0.0.0 is none. */
  private given(type: number, address: number): string | undefined {
    if (type === IPCP_ADDRESS) {
      if (address === 0) return this.local === 0 ? 'wait' : undefined;
      if (this.wants.local !== 0 && !this.wants.takesLocal) return 'The peer refuses our address';
      this.local = address;
    } else if (DNS.includes(type)) {
      if (address === 0) this.dropped.add(type);
      this.dns[DNS.indexOf(type)] = address;
    }
    return undefined;
  }

  rejected(options: readonly Option[]): string | undefined {
    for (const { type } of options) {
      this.dropped.add(type);
      if (type === IPCP_COMPRESSION) this.vjIn = undefined;
      else if (DNS.includes(type)) this.dns[DNS.indexOf(type)] = 0;
      else if (type === IPCP_ADDRESS && this.local === 0) return 'The peer gives no address';
    }
    return undefined;
  }
}
