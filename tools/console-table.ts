// The console's real table of commands, without a board: for the manual and for tests of the schema.

import { zoneTable } from '../image/zone-table.ts';
import { resetParameters } from '../src/base/parameters.ts';
import * as access from '../src/control/access/overlay.ts';
import * as cards from '../src/control/cards/overlay.ts';
import { createControl } from '../src/control/control.ts';
import type { Command } from '../src/control/core/console/command.ts';
import type { Machine } from '../src/control/core/machine.ts';
import type { OverlayName } from '../src/control/core/overlays.ts';
import * as crash from '../src/control/crash/overlay.ts';
import * as debug from '../src/control/debug/overlay.ts';
import * as dhcp from '../src/control/dhcp/overlay.ts';
import * as dns from '../src/control/dns/overlay.ts';
import * as floppy from '../src/control/floppy/overlay.ts';
import * as forwardHealth from '../src/control/forward/health/overlay.ts';
import * as forwardOld from '../src/control/forward/old/overlay.ts';
import * as forward from '../src/control/forward/overlay.ts';
import * as lan from '../src/control/lan/overlay.ts';
import * as note from '../src/control/note/overlay.ts';
import * as pppAnswer from '../src/control/ppp/answer/overlay.ts';
import * as pppLink from '../src/control/ppp/link/overlay.ts';
import * as ppp from '../src/control/ppp/overlay.ts';
import * as pppPppoe from '../src/control/ppp/pppoe/overlay.ts';
import * as queue from '../src/control/queue/overlay.ts';
import * as rulesExplain from '../src/control/rules/explain/overlay.ts';
import * as rulesFiles from '../src/control/rules/files/overlay.ts';
import * as rulesIpchains from '../src/control/rules/ipchains/overlay.ts';
import * as rulesIpfwadm from '../src/control/rules/ipfwadm/overlay.ts';
import * as rulesListing from '../src/control/rules/listing/overlay.ts';
import * as rulesLog from '../src/control/rules/log/overlay.ts';
import * as rules from '../src/control/rules/overlay.ts';
import * as schema from '../src/control/schema/overlay.ts';
import * as setup from '../src/control/setup/overlay.ts';
import * as shellFilters from '../src/control/shell/filters/overlay.ts';
import * as shell from '../src/control/shell/overlay.ts';
import * as shellPrograms from '../src/control/shell/programs/overlay.ts';
import * as show from '../src/control/show/overlay.ts';
import * as signature from '../src/control/signature/overlay.ts';
import * as status from '../src/control/status/overlay.ts';
import * as tcp from '../src/control/tcp/overlay.ts';
import * as time from '../src/control/time/overlay.ts';
import * as tools from '../src/control/tools/overlay.ts';
import * as transfer from '../src/control/transfer/overlay.ts';
import * as update from '../src/control/update/overlay.ts';
import * as wan from '../src/control/wan/overlay.ts';
import { javascriptBuild } from './builds.ts';

/** What the build puts in. */
Object.assign(globalThis, { MASQBOX_ZONES: zoneTable() });

export function consoleTable(): readonly Command[] {
  const { memory, plane } = javascriptBuild();
  // The settings are what they are at power-on.
  resetParameters();
  const overlays = {
    access,
    cards,
    crash,
    debug,
    dhcp,
    dns,
    floppy,
    forward,
    'forward/health': forwardHealth,
    'forward/old': forwardOld,
    lan,
    note,
    ppp,
    'ppp/link': pppLink,
    'ppp/pppoe': pppPppoe,
    'ppp/answer': pppAnswer,
    queue,
    rules,
    'rules/listing': rulesListing,
    'rules/explain': rulesExplain,
    'rules/log': rulesLog,
    'rules/ipchains': rulesIpchains,
    'rules/ipfwadm': rulesIpfwadm,
    'rules/files': rulesFiles,
    schema,
    setup,
    shell,
    'shell/filters': shellFilters,
    'shell/programs': shellPrograms,
    show,
    signature,
    status,
    tcp,
    time,
    tools,
    transfer,
    update,
    wan,
    interpreted: plane,
  };
  const overlay = (name: OverlayName) => overlays[name];
  const lent = { lend: () => true, heapFree: () => 1 << 20 };
  const machine = { memory, overlay, plane, version: '0', built: 0, ...lent } as unknown as Machine;
  return createControl(machine).commands;
}
