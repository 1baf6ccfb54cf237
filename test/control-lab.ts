// Control's parts over the JavaScript plane with two ring cards and hosts that are known (plane-router.ts), in
// virtual time: what a test puts in and gets out are datagrams.
// Not here: DHCP's laboratories (wan-lab.ts, src/control/dhcp/server-lab.ts).

import { type Clock, createClock } from '../src/control/core/clock.ts';
import type { Command } from '../src/control/core/console/command.ts';
import { Refusal } from '../src/control/core/console/command.ts';
import type { Context } from '../src/control/core/context.ts';
import { createLog } from '../src/control/core/log.ts';
import type { Machine } from '../src/control/core/machine.ts';
import { TcpSockets } from '../src/control/core/net/tcp.ts';
import { UdpSockets } from '../src/control/core/net/udp.ts';
import { createRegistry } from '../src/control/core/registry.ts';
import { createSockets } from '../src/control/core/sockets.ts';
import { createWallClock } from '../src/control/core/wall-clock.ts';
import * as show from '../src/control/show/overlay.ts';
import * as connections from '../src/control/tcp/overlay.ts';
import { puntWaiting } from '../src/plane/local/punt.ts';
import { javascriptBuild } from '../tools/builds.ts';
import { type Router, startRouter } from './plane-router.ts';

/** Punted packets that are handled before time goes on. */
const STEPS = 100;

export interface Lab {
  router: Router;
  context: Context;
  clock: Clock;
  memory: Uint8Array;
  commands: Command[];
  /** Lines that the log showed, and lines of commands' output. */
  shown: string[];
  output: string[];
  /** Lets control take what was punted. */
  settle(): void;
  /** So many ticks pass; timers run. */
  ticks(count: number): void;
  /** The text of the refusal that a function ends with, or ''. */
  refusal(run: () => void): string;
}

function overlayNamed(name: string): unknown {
  if (name === 'show') return show;
  if (name === 'tcp') return connections;
  throw new Error(`There is no overlay ${name} here`);
}

export function controlLab(): Lab {
  const build = javascriptBuild();
  const router = startRouter(build);
  const { memory, plane } = build;
  const clock = createClock();
  const sockets = createSockets(plane);
  const shown: string[] = [];
  const output: string[] = [];
  const commands: Command[] = [];
  // Of the machine, these parts use the plane and its memory.
  const lent = { lend: () => true, heapFree: () => 1 << 20 };
  const machine = { plane, memory, overlay: overlayNamed, built: 0, ...lent } as unknown as Machine;
  const log = createLog(clock, text => shown.push(text));
  const context: Context = {
    ...{ machine, clock, sockets, log },
    wallClock: createWallClock(clock, 0),
    output: {
      write: text => output.push(text),
      line: text => output.push(text),
      divert: () => undefined,
      flush() {},
      discard() {},
      busy: false,
      rows: 0,
    },
    udp: new UdpSockets(machine, sockets),
    tcp: new TcpSockets(machine, clock, sockets),
    registry: createRegistry(machine, log, commands),
    random: () => plane.random32(),
  };
  const settle = (): void => {
    for (let i = 0; i < STEPS && puntWaiting() > 0; i++) sockets.receive();
  };
  return {
    ...{ router, context, clock, memory, commands, shown, output, settle },
    ticks: count => {
      for (let i = 0; i < count; i++) {
        router.ticks(1);
        settle();
        clock.run();
      }
    },
    refusal: run => {
      try {
        run();
      } catch (error) {
        if (error instanceof Refusal) return error.message;
        throw error;
      }
      return '';
    },
  };
}
