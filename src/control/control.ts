// Control: what runs outside of the packet path. step() is called from the idle loop whenever the plane
// wants it; each call is short, and says by WAKE_AT when it wants to be called without a reason.
//
//   first step: cold boot    reset the plane, find the cards, read the disk, give the cards their roles (cards/cards.ts) and
//                            start them, settings, banner
//               warm start   control had died: the plane's tables are as they were, only what control
//                            held itself is given back
//
// Not here: the parts, each in its folder, what they share (core/), what a board is made of (board/).

import { NIC_RING } from '../../hal/nic/card.ts';
import { FACT_COUNT, FACT_RESTARTS } from '../base/abi.ts';
import {
  BOARD_AT,
  BOARD_SIM,
  CONTROL_READY_AT,
  ENGINE_AT,
  ENGINE_INTERPRETED,
  ENGINE_NATIVE,
  HELD_AT,
  IDLE_COUNTS_AT,
  INTERRUPT_COUNTS_AT,
  NOW_AT,
  PENDING_AT,
  READY_AT,
  RULE_HOOKS_AT,
  STARTING_AT,
  TICKED_AT,
  WAKE_AT,
} from '../base/cells.ts';
import { cardOf, IF_MAC, IF_STATE, INTERFACE_ABSENT, interfaceAt } from '../base/interface.ts';
import { INTERFACE_COUNT, INTERFACE_LAN, INTERFACE_WAN } from '../base/limits.ts';
import { get16, get32, i32at, puti32 } from '../base/memory.ts';
import { Access } from './access/access.ts';
import { type Cards, createCards } from './cards/cards.ts';
import { configCommands } from './config/commands.ts';
import { absentText, isMissed } from './core/absent.ts';
import { formatPrefix } from './core/address.ts';
import { LAN_DEFAULT, prefixOf, setEngine, setLan } from './core/addresses.ts';
import { createClock } from './core/clock.ts';
import type { Command, Job } from './core/console/command.ts';
import { Console } from './core/console/console.ts';
import type { LineHelp } from './core/console/line-help.ts';
import { Pasted } from './core/console/pasted.ts';
import type { Context } from './core/context.ts';
import { openDisk, whyUnsaved } from './core/disk.ts';
import { fact, interfaceName, isSafeMode, restartReason } from './core/facts.ts';
import { OVERLAY_IDLE_TICKS } from './core/limits.ts';
import { furtherLinks } from './core/link-settings.ts';
import { createLog, NOTICE, WARNING } from './core/log.ts';
import type { Machine, Plane } from './core/machine.ts';
import { TcpSockets } from './core/net/tcp.ts';
import { UdpSockets } from './core/net/udp.ts';
import { createRegistry } from './core/registry.ts';
import { readRtc } from './core/rtc.ts';
import { createSerialLine } from './core/serial-line.ts';
import type { Service } from './core/service.ts';
import { createSockets } from './core/sockets.ts';
import { createRollback } from './core/store/rollback.ts';
import { DiskStore } from './core/store/store.ts';
import type { Store } from './core/store/store-types.ts';
import { createWallClock } from './core/wall-clock.ts';
import { createCrash } from './crash/crash.ts';
import { debugCommands } from './debug/commands.ts';
import { DhcpClient } from './dhcp/client.ts';
import { leaseCommands } from './dhcp/commands.ts';
import { DhcpServer } from './dhcp/server.ts';
import { dhcpSettings } from './dhcp/settings.ts';
import { dnsCommands } from './dns/commands.ts';
import { createDns, type Dns } from './dns/dns.ts';
import { nameBytes } from './dns/message.ts';
import { dnsSettings } from './dns/settings.ts';
import { aliasSettings } from './forward/aliases.ts';
import { forwardSetting } from './forward/settings.ts';
import { triggerSetting } from './forward/triggers.ts';
import { ForwardWatch } from './forward/watch.ts';
import { createLan } from './lan/lan.ts';
import { lanSettings } from './lan/settings.ts';
import { antiSpoofing } from './masquerade/anti-spoofing.ts';
import { masqueradeCommands } from './masquerade/commands.ts';
import { setPeriodTimeouts, settings } from './masquerade/settings.ts';
import { noteCommands } from './note/note.ts';
import { PppPart } from './ppp/ppp.ts';
import { queueCommands, queueSettings } from './queue/settings.ts';
import { createRoutes } from './routes/routes.ts';
import type { Masquerade } from './rules/old/rules.ts';
import { createRules, serveRules } from './rules/rules.ts';
import { ShellPart } from './shell/shell.ts';
import { showCommands } from './show/commands.ts';
import { logCommands } from './syslog/commands.ts';
import { logSetting, syslogSetting } from './syslog/settings.ts';
import { SyslogSender } from './syslog/syslog.ts';
import { systemCommands } from './system/commands.ts';
import { createTime } from './time/time.ts';
import { toolCommands } from './tools/commands.ts';
import type { Names } from './tools/target.ts';
import { updateCommands } from './update/commands.ts';
import { createKeeper } from './update/keeper.ts';
import { wanCommands, wanSettings } from './wan/settings.ts';
import { Wan } from './wan/wan.ts';
import { createWatchdog } from './watchdog/watchdog.ts';

/** In CONTROL_READY_AT once the plane has been set up: any number that memory does not hold by chance. */
const READY = 0x4d734278;
/** The same where what is saved has not been read: the console is locked, also for a control that starts anew. */
const READY_LOCKED = 0x4d734261;
/** The same while the disk is read at a cold boot: who dies of what is there finds it, and reads the settings alone. */
const READING = 0x4d73425f;
/** The same while these are read: then it starts without. */
const READING_LESS = 0x4d734260;
/** Interrupt lines of the sim's two ring cards: those of QEMU's ISA cards. */
const SIM_LINES = [9, 10];
/** What ends the station addresses of the sim's cards. */
const SIM_NUMBERS = [1, 2];
/** Interrupt lines of COM1 to COM4. */
const SERIAL_LINES = [4, 3, 4, 3];

export interface Control {
  /** All commands of the console. */
  commands: readonly Command[];
  step(): void;
}

export function createControl(machine: Machine): Control {
  const { plane } = machine;
  const clock = createClock();
  const sockets = createSockets(plane);
  const table: Command[] = [];
  const tools = (): LineHelp => {
    const schema = machine.overlay('schema');
    return schema.createLineHelp(table, schema.known(context, dhcp, wan));
  };
  const serial = createSerialLine(machine, 0);
  const console = new Console(serial, table, tools);
  const log = createLog(clock, text => console.notice(text));
  const registry = createRegistry(machine, log, table);
  registry.isBusy = () => console.hasMore;
  const udp = new UdpSockets(machine, sockets);
  const tcp = new TcpSockets(machine, clock, sockets);
  const random = () => plane.random32();
  const context: Context = {
    machine,
    clock,
    wallClock: createWallClock(clock, machine.built),
    output: console.output,
    rawLine: console,
    sockets,
    ...{ udp, tcp, pasted: new Pasted(console), typed: () => console.runningText },
    log,
    registry,
    random,
    ask: (prompt, secret) => console.ask(prompt, secret),
  };
  table.push(...systemCommands(context, tools));
  const access = new Access(context, console, table);
  console.guard = access;
  console.keepsRoom = machine.keepsRoom;
  access.unlocked = () => puti32(CONTROL_READY_AT, READY);
  const store = new DiskStore(context);
  context.store = store;
  const rollback = createRollback(context, table);
  console.strip = rollback.strip;
  const { services, dhcp, dns, wan, ppp, aliases } = createServices(context, store, table);
  const shell = new ShellPart(context, console, table, aliases);
  console.shell = shell;
  const cards = createCards(context, store);
  registry.add(...cards.settings(), logSetting(log), ...serial.settings(), ...access.settings());
  table.push(
    ...configCommands(context, store, rollback),
    ...showCommands(context),
    ...logCommands(context),
    ...access.commands(() => dns.upstream.servers),
    ...masqueradeCommands(context, shell.files),
    ...toolCommands(context, namesOf(dns)),
    ...updateCommands(context),
    ...debugCommands(context),
    ...shell.commands(),
  );
  let isStarted = false;
  let starting: Job | undefined;

  function banner(): void {
    const { output } = console;
    output.line(`\r\nMasqbox ${machine.version}`);
    for (let index = 0; index < INTERFACE_COUNT; index++) {
      if (i32at(interfaceAt(index) + IF_STATE) === INTERFACE_ABSENT) continue;
      const prefix = prefixOf(index);
      const address = prefix === undefined ? 'no address yet' : formatPrefix(prefix.address, prefix.length);
      output.line(`${interfaceName(index)}: ${address}`);
    }
    for (let index = 0; index < INTERFACE_COUNT; index++) {
      if (isMissed(index)) output.line(`${interfaceName(index)}: ${absentText(index)}`);
    }
    if (isSafeMode())
      output.line('Started too often in a row: these are the default settings, the saved ones are kept');
    const why = whyUnsaved(context);
    if (why !== undefined) output.line(`nothing can be saved: ${why}`);
    output.line('Type help for the commands, setup for a short dialogue');
  }

  /** The first step: what is there. Answers the work that is left, in slices. */
  function* start(): Job {
    const ready = i32at(CONTROL_READY_AT);
    const restarted = ready === READY || ready === READY_LOCKED;
    puti32(STARTING_AT, 1);
    if (fact(FACT_RESTARTS) > 0)
      console.output.line(
        `\r\nControl was restarted (${restartReason()}, ${fact(FACT_RESTARTS)} since power-on)`,
      );
    if (restarted) {
      // The engine that was interpreting died with control; what it had in hand is lost with it.
      setEngine(plane, ENGINE_NATIVE);
      plane.reclaim();
      plane.resetSockets();
      plane.resetTcp();
      plane.captureStop();
      // Settings were being replaced.
      puti32(HELD_AT, 0);
      serial.release();
      yield* openDisk(context, false);
      yield* store.open(context.disk, 'nothing');
      const isTriedAgain = !(yield* registry.restore());
      if (isTriedAgain || ready === READY_LOCKED)
        context.unread = { why: 'the saved settings were not read', isTriedAgain };
      puti32(CONTROL_READY_AT, context.unread === undefined ? READY : READY_LOCKED);
    } else yield* coldStart(cards);
    rollback.start(restarted);
    // One takes up 256 leases.
    for (const service of services) {
      service.start(restarted);
      yield 0;
    }
    puti32(STARTING_AT, 0);
    shell.start(restarted);
  }

  /**
   * Brings up plane, disk and cards, in this order: which card is the LAN, the disk knows. Packets go, and services are
   * served, when the settings are in force, and not before.
   */
  function* coldStart(cards: Cards): Job {
    const died = i32at(CONTROL_READY_AT);
    const reads = died === READING ? 'settings' : died === READING_LESS ? 'nothing' : 'all';
    coldBoot(context);
    puti32(CONTROL_READY_AT, reads === 'all' ? READING : READING_LESS);
    serial.release();
    yield* openDisk(context, true);
    const unread = yield* store.open(context.disk, reads);
    if (unread !== undefined) context.unread = unread;
    const news = cards.assign();
    puti32(CONTROL_READY_AT, 0);
    holdCards(machine);
    const problems = yield* store.apply(isSafeMode());
    openCards(plane);
    puti32(CONTROL_READY_AT, context.unread === undefined ? READY : READY_LOCKED);
    banner();
    for (const problem of problems) log(WARNING, 'config', problem);
    for (const text of news) log(NOTICE, 'card', text);
  }

  function tidy(): void {
    machine.tidy();
    clock.after(OVERLAY_IDLE_TICKS, tidy);
  }

  /** A slice of the start; answers the ticks until the next, undefined if it is over. */
  function starts(): number | undefined {
    starting ??= start();
    const result = starting.next();
    if (result.done !== true) return result.value;
    isStarted = true;
    starting = undefined;
    console.open();
    tidy();
    return undefined;
  }

  return {
    commands: table,
    step: () => {
      const wait = isStarted ? undefined : starts();
      if (wait !== undefined) {
        // What has a timer of its own is kept alive, a hardware watchdog above all.
        clock.run();
        puti32(WAKE_AT, (clock.now() + wait) | 0);
        return;
      }
      if (i32at(ENGINE_AT) === ENGINE_INTERPRETED) {
        if (i32at(PENDING_AT) !== 0) machine.overlay('interpreted').servicePending();
        while (i32at(TICKED_AT) !== i32at(NOW_AT)) plane.catchUp();
        // Most often only frames waited, and the rest of a step costs more than one of them.
        if (plane.wanted() === 0) return;
      }
      console.receive();
      sockets.receive();
      ppp.work();
      if (i32at(RULE_HOOKS_AT) !== 0) serveRules(context, aliases);
      clock.run();
      const now = clock.now();
      const rest = console.work(now);
      if (!console.hasMore) registry.write();
      const timer = clock.next();
      const consoleWake = (now + rest) | 0;
      puti32(WAKE_AT, rest >= 0 && ((consoleWake - timer) | 0) < 0 ? consoleWake : timer);
    },
  };
}

/** The services, in the order in which they are started, with their settings and commands. */
function createServices(context: Context, store: Store, table: Command[]) {
  const { registry } = context;
  /** What scripts call links. */
  const aliases = new Map<string, number>();
  // Settings are listed, and after a restart applied, in the order in which they are added.
  const lan = createLan(context);
  const wan = new Wan(context, lan, INTERFACE_WAN, (user, link) => new DhcpClient(context, user, link));
  const forwardWatch = new ForwardWatch(context);
  registry.add(
    ...lanSettings(context, lan),
    ...wanSettings(context, wan),
    ...queueSettings(context),
    furtherLinks(context),
    ...settings(context),
    antiSpoofing(context),
    forwardSetting(context, forwardWatch),
    triggerSetting(context),
    ...aliasSettings(context),
  );
  table.push(...wanCommands(context, wan), ...queueCommands(context));
  const services: Service[] = [wan, forwardWatch];
  const dhcp = new DhcpServer(context, store.leases, () => wan.ntpServers());
  lan.dhcp = dhcp.config;
  services.push(dhcp);
  registry.add(...dhcpSettings(context, dhcp));
  table.push(...leaseCommands(context, dhcp));
  const ppp = new PppPart(context);
  services.push(ppp);
  registry.add(...ppp.settings());
  table.push(...ppp.commands());
  const uplinks: Uplinks = {
    onChange: listener => {
      wan.onChange(listener);
      ppp.onChange(listener);
    },
    dnsServers: () => [...ppp.dnsServers(), ...wan.dnsServers()],
    dials: (host, name) => ppp.dials(host, name),
  };
  const dns = createDns(context, dhcp, uplinks);
  services.push(dns);
  registry.add(...dnsSettings(dns));
  table.push(...dnsCommands(context, dns));
  const time = createTime(context, { wan, resolve: dns.resolve });
  services.push(time, createCrash(context), createWatchdog(context), createKeeper(context, wan));
  registry.add(
    createRoutes(context, wan),
    ...time.settings,
    syslogSetting(new SyslogSender(context, context.wallClock, { wan, resolve: dns.resolve })),
  );
  table.push(
    ...time.commands,
    ...noteCommands(context),
    ...createRules(context, aliases, periodMasquerade(context)),
  );
  return { services, dhcp, dns, wan, ppp, aliases };
}

/** Where name servers are told: the WAN and links by modem, the last one first. */
interface Uplinks {
  onChange(listener: () => void): void;
  dnsServers(): readonly number[];
  /** Whether a link is dialled for a host that wants a name. */
  dials(host: number, name: string): boolean;
}

/** What ipchains and ipfwadm set of the masquerade. */
const periodMasquerade = (context: Context): Masquerade => ({
  setTimeouts: (...seconds) => setPeriodTimeouts(context, seconds),
});

/** Names, for the tools. */
function namesOf({ resolve }: Dns): Names {
  return {
    resolve,
    refuse: text => {
      const wire = nameBytes(text);
      return typeof wire === 'string' ? wire : undefined;
    },
  };
}

/** Brings the plane up from nothing, and finds serial ports and cards. */
function coldBoot({ machine, registry }: Context): void {
  const { plane } = machine;
  const board = i32at(BOARD_AT);
  plane.planeReset();
  puti32(BOARD_AT, board);
  registry.sections.reset();
  stirFacts(plane);
  const ports = plane.probeSerialPorts();
  if (board === BOARD_SIM) {
    for (const index of [INTERFACE_LAN, INTERFACE_WAN]) {
      plane.nicProbe(index, NIC_RING, SIM_NUMBERS[index] as number, SIM_LINES[index] as number);
    }
  } else {
    plane.probeCards();
    for (const [port, line] of SERIAL_LINES.entries()) if ((ports & (1 << port)) !== 0) machine.unmask(line);
  }
}

/** Lets the cards' lines through, each for the interface that it has now; the cards themselves stand still. */
function holdCards(machine: Machine): void {
  const { plane } = machine;
  for (let index = 0; index < INTERFACE_COUNT; index++) {
    if (i32at(interfaceAt(index) + IF_STATE) === INTERFACE_ABSENT) continue;
    const line = plane.nicIrq(cardOf(index));
    if (line >= 0) machine.unmask(line);
    stirStation(plane, index);
  }
  puti32(HELD_AT, 1);
  setLan(plane, LAN_DEFAULT);
}

/** Lets the cards send and receive, and the links know of the addresses (RFC 5227). */
function openCards(plane: Plane): void {
  for (let index = 0; index < INTERFACE_COUNT; index++) {
    if (cardOf(index) >= 0) plane.nicStart(cardOf(index));
  }
  puti32(HELD_AT, 0);
  plane.interfacesChanged();
  puti32(READY_AT, (i32at(NOW_AT) + 1) | 0);
}

/** What differs from boot to boot and from board to board goes into the pool before the first secret is drawn. */
function stirFacts(plane: Plane): void {
  for (let i = 0; i < FACT_COUNT; i++) plane.stirEntropy(fact(i));
  plane.stirEntropy(readRtc() ?? 0);
  plane.stirEntropy(i32at(IDLE_COUNTS_AT));
  plane.stirEntropy(i32at(INTERRUPT_COUNTS_AT));
}

function stirStation(plane: Plane, index: number): void {
  const mac = interfaceAt(index) + IF_MAC;
  plane.stirEntropy(get32(mac));
  plane.stirEntropy(get16(mac + 4));
}
