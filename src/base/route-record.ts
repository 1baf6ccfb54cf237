// Records of the route table, and of the cache in front of it. Read by control too.
// Not here: how a route is found (src/plane/ip/route.ts).
//
// A cache entry (one place an address):      A route:
//    0         4                       8          12       0             4      8         12          16
//    | address | type << 8 | interface | next hop |        | destination | mask | gateway | interface | origin |

/** Nobody knows a route. */
export const ROUTE_NONE: i32 = 0;
/** To a host: by the interface, to the next hop. */
export const ROUTE_UNICAST: i32 = 1;
/** Our own address on the interface. */
export const ROUTE_LOCAL: i32 = 2;
/** The broadcast address or the number of the interface's network, or 255.255.255.255. */
export const ROUTE_BROADCAST: i32 = 3;
/** 224/4. */
export const ROUTE_MULTICAST: i32 = 4;
/** 0/8, 127/8, 240/4: must not be on a wire. */
export const ROUTE_MARTIAN: i32 = 5;

/** Fields of the entry that routeTo() answers: type and interface, and the next hop of a unicast one. */
export const TO_ROUTE: i32 = 4;
export const TO_NEXT_HOP: i32 = 8;
/** The type, shifted, and the interface below. */
export const ROUTE_TYPE_SHIFT: i32 = 8;
export const ROUTE_LINK: i32 = 0xff;

export const ROUTE_DESTINATION: i32 = 0;
export const ROUTE_MASK: i32 = 4;
export const ROUTE_GATEWAY: i32 = 8;
export const ROUTE_INTERFACE: i32 = 12;
/** 0 for a free place, ROUTE_SET or ROUTE_LEARNED. */
export const ROUTE_USED: i32 = 16;

/** By hand; the default route of a lease too, as there is no other. */
export const ROUTE_SET: i32 = 1;
/** By a lease. */
export const ROUTE_LEARNED: i32 = 2;
/** In place of the interface of a set route that leads nowhere yet. */
export const ROUTE_NOWHERE: i32 = -1;
