// Static routes: `set route DESTINATION/LENGTH GATEWAY`. A gateway need not be in reach when its route is set:
// the route leads nowhere until an interface's network holds the gateway, and no lease's route has its destination
// meanwhile. RFC 1812, section 7.4.
// Not here: the default route of the WAN (src/control/core/addresses.ts, or its lease), the table itself (src/plane/ip/route.ts).

import { LINK_END_AT } from '../../base/cells.ts';
import {
  IF_ADDRESS,
  IF_MASK,
  IF_NETWORK,
  IF_STATE,
  INTERFACE_UP,
  interfaceAt,
} from '../../base/interface.ts';
import { TICKS_PER_SECOND } from '../../base/limits.ts';
import { i32at } from '../../base/memory.ts';
import { ROUTE_NOWHERE } from '../../base/route-record.ts';
import {
  formatAddress,
  formatPrefix,
  maskOf,
  type Prefix,
  parseAddress,
  parsePrefix,
  refuseUnicast,
} from '../core/address.ts';
import { Refusal } from '../core/console/command.ts';
import type { Context } from '../core/context.ts';
import { STATIC_ROUTES } from '../core/limits.ts';
import type { Setting } from '../core/setting.ts';

/**
 * How often it is looked whether gateways are in reach, besides after each change of the WAN; only while there are
 * static routes. Idle control wakes as often for the DHCP server.
 */
const LOOK_TICKS = 10 * TICKS_PER_SECOND;

interface Route extends Prefix {
  gateway: number;
  /** Interface of the route in the plane's table, ROUTE_NOWHERE while it waits; undefined while it is not there. */
  index: number | undefined;
}

/** The interface whose network holds an address, or ROUTE_NOWHERE; `own` if it is the interface's own address. */
function linkOf(address: number): { index: number; own: boolean } {
  for (let index = 0; index < i32at(LINK_END_AT); index++) {
    const at = interfaceAt(index);
    if (i32at(at + IF_STATE) !== INTERFACE_UP) continue;
    if ((address & i32at(at + IF_MASK)) !== i32at(at + IF_NETWORK)) continue;
    return { index, own: i32at(at + IF_ADDRESS) === address };
  }
  return { index: ROUTE_NOWHERE, own: false };
}

/** @param wan who tells that the WAN's address is another one */
export function createRoutes(context: Context, wan: { onChange(listener: () => void): void }): Setting {
  const { clock, machine, output } = context;
  const { plane } = machine;
  let routes: Route[] = [];
  let looking = false;

  /** Puts a route in force, or lets it wait. */
  function look(route: Route): void {
    const { index } = linkOf(route.gateway);
    if (index === route.index) return;
    if (plane.routeAdd(route.address, maskOf(route.length), route.gateway, index) === 1) route.index = index;
  }

  function lookAgain(): void {
    for (const route of routes) look(route);
    looking = routes.length > 0;
    if (looking) clock.after(LOOK_TICKS, lookAgain);
  }

  wan.onChange(() => {
    for (const route of routes) look(route);
  });

  function parse(text: string): Prefix {
    const prefix = parsePrefix(text);
    if (typeof prefix === 'string') throw new Refusal(`Cannot set route ${text}: ${prefix}`);
    const network = prefix.address & maskOf(prefix.length);
    if (network !== prefix.address)
      throw new Refusal(
        `Cannot set route ${text}: the network of that length is ${formatPrefix(network, prefix.length)}`,
      );
    if (prefix.length === 0)
      throw new Refusal(`Cannot set route ${text}: the default route is set wan gateway`);
    return prefix;
  }

  const find = (prefix: Prefix) =>
    routes.find(({ address, length }) => address === prefix.address && length === prefix.length);

  function set(text: string, gatewayText: string): void {
    const prefix = parse(text);
    const gateway = parseAddress(gatewayText);
    const why = typeof gateway === 'string' ? gateway : refuseUnicast(gateway);
    if (typeof gateway === 'string' || why !== undefined)
      throw new Refusal(`Cannot set route by ${gatewayText}: ${why}`);
    const link = linkOf(gateway);
    if (link.own) throw new Refusal(`Cannot set route by ${gatewayText}: it is the router's own address`);
    let route = find(prefix);
    if (route === undefined) {
      // Nothing else sets one without a gateway. Ours are there too when control starts anew.
      if (prefix.length === 32 && plane.routeGateway(prefix.address, maskOf(32)) === 0)
        throw new Refusal(`Cannot set route ${text}: it is that of set wan modem, or of who has called in`);
      if (routes.length === STATIC_ROUTES)
        throw new Refusal(`Cannot set route ${text}: all ${STATIC_ROUTES} places are in use`);
      route = { ...prefix, gateway, index: undefined };
      routes.push(route);
    }
    if (route.gateway !== gateway) {
      route.gateway = gateway;
      route.index = undefined;
    }
    // Of a thousand saved lines nobody could read it, and the console takes its time.
    if (link.index === ROUTE_NOWHERE && !context.registry.isRestoring)
      output.line('No interface is in the network of the gateway yet');
    if (!looking) lookAgain();
    else look(route);
  }

  return {
    words: 'route',
    isDependent: true,
    arguments: 'DESTINATION/LENGTH:network GATEWAY:address',
    help: 'sends what is for a network to another router | 10.1.0.0/16 192.168.0.2',
    set: ([text = '', gateway = '']) => set(text, gateway),
    unset: ([text = '']) => {
      const route = find(parse(text));
      if (route === undefined) throw new Refusal(`Cannot unset route ${text}: it is not set`);
      plane.routeRemove(route.address, maskOf(route.length));
      routes = routes.filter(other => other !== route);
    },
    unsetArguments: 'DESTINATION/LENGTH:network',
    unsetHelp: 'takes a static route back | 10.1.0.0/16',
    lines: () =>
      routes.map(
        ({ address, length, gateway }) =>
          `set route ${formatPrefix(address, length)} ${formatAddress(gateway)}`,
      ),
  };
}
