// The WAN: none, an address set by hand, or one by DHCP, which is the default. The one place that gives the plane
// the WAN's address, mask, MTU, gateway and routes, and tells who wants to know of the servers that came with it.
//
//    set wan dhcp      the client runs (../dhcp/client.ts), what it gets is used
//    set wan address   static; set wan gateway belongs to it
//    set wan none      no address: the LAN is on its own
//
// A lost address is not used from the same tick on: the interface is down, its routes are gone. Sessions of the
// masquerade end when another address takes its place (src/plane/interface-change.ts); what the inside sends on
// then makes them anew, an unanswered SYN too, which is what Linux's ip_dynaddr was for.
// Not here: the commands (settings.ts), the LAN's moving out of the way (src/control/lan/lan.ts).

import { IF_STATE, INTERFACE_ABSENT, INTERFACE_OUTSIDE, interfaceAt } from '../../base/interface.ts';
import { MTU_DEFAULT } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { formatPrefix, maskOf, type Prefix } from '../core/address.ts';
import { configure, mtuOf, prefixOf, refuseLink, setAddress, setGateway, setMtu } from '../core/addresses.ts';
import type { Context } from '../core/context.ts';
import { WARNING } from '../core/log.ts';
import type { Client, Identity, Lease, User } from './lease.ts';

export type WanMode = 'dhcp' | 'static' | 'none';

/** The host name that is sent if none is set. */
export const HOST_NAME_DEFAULT = 'masqbox';

/** The inside, whose network must be another. */
interface Inside {
  /** Why a link cannot have these networks, or undefined: then it is elsewhere, or moves by makeRoom(). */
  refuse(networks: readonly Prefix[], link: number): string | undefined;
  makeRoom(networks: readonly Prefix[]): void;
}

export class Wan {
  readonly client: Client;
  /** As whom we speak to the DHCP server. */
  readonly identity: Identity = { hostName: HOST_NAME_DEFAULT };
  /** Settings that few have, by their words behind `set wan` (overlay.ts). */
  readonly rare = new Map<string, string>();
  private modeNow: WanMode = 'dhcp';
  private isStarted = false;
  /** MTU set by hand: it goes before the lease's. */
  private mtu: number | undefined;
  /** What the plane has been given. */
  private inUse: Lease | undefined;
  private readonly listeners: (() => void)[] = [];

  constructor(
    private readonly context: Context,
    private readonly lan: Inside,
    /** The link that it is: any that has a station, for DHCP. */
    readonly link: number,
    /** Makes who asks for an address by DHCP. */
    clientFor: (user: User, link: number) => Client,
  ) {
    const user: User = {
      refuse: lease => lan.refuse(claimed(lease), link),
      use: lease => this.use(lease),
      identity: this.identity,
      lastAddress: () => context.store?.wanAddress ?? 0,
    };
    this.client = clientFor(user, link);
  }

  get mode(): WanMode {
    return this.modeNow;
  }

  get mtuByHand(): number | undefined {
    return this.mtu;
  }

  start(restarted: boolean): void {
    this.isStarted = true;
    if (this.modeNow === 'dhcp') this.startClient(restarted);
  }

  onChange(listener: () => void): void {
    this.listeners.push(listener);
  }

  dnsServers(): readonly number[] {
    return this.inUse?.dnsServers ?? [];
  }

  ntpServers(): readonly number[] {
    return this.inUse?.ntpServers ?? [];
  }

  domain(): string {
    return this.inUse?.domain ?? '';
  }

  wasTried(): boolean {
    if (this.modeNow === 'none') return true;
    if (i32at(interfaceAt(this.link) + IF_STATE) === INTERFACE_ABSENT) return false;
    return this.modeNow === 'static' || !['stopped', 'init'].includes(this.client.state);
  }

  setDhcp(): void {
    if (this.modeNow === 'dhcp') return;
    this.modeNow = 'dhcp';
    this.clear();
    if (this.isStarted) this.startClient(false);
  }

  setNone(): void {
    this.modeNow = 'none';
    this.client.stop();
    this.clear();
  }

  /** Sets the address by hand; answers why not, or undefined. */
  setAddress(prefix: Prefix): string | undefined {
    const why = refuseLink(this.link, INTERFACE_OUTSIDE, prefix);
    if (why !== undefined) return why;
    this.client.stop();
    this.modeNow = 'static';
    setAddress(this.context.machine.plane, this.link, INTERFACE_OUTSIDE, prefix);
    this.tell();
    return undefined;
  }

  /** Sets the gateway of an address that was set by hand; undefined removes it. Answers why not, or undefined. */
  setGateway(gateway: number | undefined): string | undefined {
    const { plane } = this.context.machine;
    if (this.modeNow === 'dhcp') return 'it comes by DHCP, see set wan address';
    const why = gateway === undefined ? undefined : setGateway(plane, this.link, gateway);
    if (gateway === undefined) plane.routeRemove(0, 0);
    if (why === undefined) this.tell();
    return why;
  }

  /** Sets the MTU, or, undefined, leaves it to the lease; answers why not, or undefined. */
  setMtu(mtu: number | undefined): string | undefined {
    const { plane } = this.context.machine;
    const why = setMtu(plane, this.link, INTERFACE_OUTSIDE, mtu ?? (this.inUse?.mtu || MTU_DEFAULT));
    if (why === undefined) this.mtu = mtu;
    return why;
  }

  /**
   * Changes who we are on the link. What we have by DHCP is given back as who we were, and asked for as who we are then;
   * an address that was set is told to the link anew.
   */
  change(then: () => void): void {
    const { plane } = this.context.machine;
    const runs = this.isStarted && this.modeNow === 'dhcp' && this.client.state !== 'stopped';
    const own = this.modeNow === 'static' ? prefixOf(this.link) : undefined;
    const mtu = mtuOf(this.link);
    if (runs) this.client.stop();
    if (own !== undefined) configure(plane, this.link, INTERFACE_OUTSIDE, 0, 0, mtu);
    then();
    if (own !== undefined)
      configure(plane, this.link, INTERFACE_OUTSIDE, own.address, maskOf(own.length), mtu);
    if (runs) this.startClient(false);
  }

  /** Asks the DHCP server for more time, or for an address. */
  renew(): void {
    if (this.client.state === 'stopped') this.startClient(false);
    else this.client.renew();
  }

  private startClient(restarted: boolean): void {
    if (i32at(interfaceAt(this.link) + IF_STATE) !== INTERFACE_ABSENT) this.client.start(restarted);
  }

  /** Takes address, gateway and routes away. */
  private clear(): void {
    const { plane } = this.context.machine;
    for (const route of this.inUse?.routes ?? [])
      plane.routeForget(route.destination, maskOf(route.length), this.link);
    plane.routeRemove(0, 0);
    this.inUse = undefined;
    configure(plane, this.link, INTERFACE_OUTSIDE, 0, 0, this.mtu ?? MTU_DEFAULT);
    this.tell();
  }

  /** Uses what DHCP has brought; undefined: nothing any more. */
  private use(lease: Lease | undefined): void {
    if (lease === undefined) {
      this.clear();
      return;
    }
    const before = this.inUse;
    this.inUse = lease;
    this.context.store?.keepWan(lease.address);
    if (before !== undefined && contentOf(before) === contentOf(lease)) return;
    this.lan.makeRoom(claimed(lease));
    const { plane } = this.context.machine;
    const mtu = this.mtu ?? (lease.mtu || MTU_DEFAULT);
    configure(plane, this.link, INTERFACE_OUTSIDE, lease.address, maskOf(lease.length), mtu);
    for (const route of before?.routes ?? [])
      plane.routeForget(route.destination, maskOf(route.length), this.link);
    plane.routeRemove(0, 0);
    if (lease.gateway !== 0) this.noted(plane.routeAdd(0, 0, lease.gateway, this.link), 0, 0);
    // None of them captures what is the LAN's or was set by hand: the plane sees to that (src/plane/ip/route.ts).
    for (const { destination, length, gateway } of lease.routes) {
      const added = plane.routeLearn(destination, maskOf(length), gateway, this.link);
      this.noted(added, destination, length);
    }
    this.tell();
  }

  private noted(added: number, destination: number, length: number): void {
    if (added === 1) return;
    const route = formatPrefix(destination, length);
    this.context.log(WARNING, 'wan', `no route to ${route}: the table of routes is full`);
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

/** The networks that a lease needs on the WAN: its own, and the gateway if that lies elsewhere. */
function claimed(lease: Lease): Prefix[] {
  const own = { address: lease.address & maskOf(lease.length), length: lease.length };
  return lease.gateway === 0 ? [own] : [own, { address: lease.gateway, length: 32 }];
}

/** All that a renewal may change, for comparison. */
function contentOf(lease: Lease): string {
  const { address, length, gateway, routes, mtu, dnsServers, ntpServers, domain } = lease;
  return JSON.stringify([address, length, gateway, routes, mtu, dnsServers, ntpServers, domain]);
}
