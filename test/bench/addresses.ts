// Who is where in the benchmarks. Not here: the board between them (lab.ts).

import type * as packets from '../packets.ts';

export const HOST = '192.168.0.2';
export const ROUTER = '192.168.0.1';
export const OUTSIDE = '203.0.113.10';
export const GATEWAY = '203.0.113.1';
export const SERVER = '203.0.113.2';

export const ip = (source: string, destination: string): packets.Ip => ({ source, destination, ttl: 64 });
