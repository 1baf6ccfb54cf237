// A laboratory for rules: the commands and the section over the plane's memory, without a console. What a line says comes back as
// rows, a refusal's among them. Not a part of the firmware.

import { controlLab, type Lab } from '../../../test/control-lab.ts';
import { type Command, findCommand, type Job, Refusal } from '../core/console/command.ts';
import * as explain from './explain/overlay.ts';
import * as files from './files/overlay.ts';
import * as ipchains from './ipchains/overlay.ts';
import * as ipfwadm from './ipfwadm/overlay.ts';
import * as listing from './listing/overlay.ts';
import * as overlay from './overlay.ts';
import { createRules } from './rules.ts';

export interface RulesLab extends Lab {
  /** Types a line; answers the rows that it prints. */
  type(line: string): string[];
  /** Types lines of which none may say anything but what the LAN has lost by it. */
  quiet(...lines: string[]): void;
  /** Types a line, and those that it then asks for. */
  feed(line: string, lines: readonly string[]): string[];
  /** Types iptables-restore, and the lines. */
  restore(words: string, lines: readonly string[]): string[];
  /** What the configuration keeps, of iptables or of the old dialects. */
  saved(isOld?: boolean): string[];
}

export function rulesLab(): RulesLab {
  const lab = controlLab();
  const { context, output } = lab;
  const { machine, registry } = context;
  const overlays: Record<string, unknown> = {
    rules: overlay,
    'rules/explain': explain,
    'rules/listing': listing,
    'rules/ipchains': ipchains,
    'rules/ipfwadm': ipfwadm,
    'rules/files': files,
  };
  const before = machine.overlay as (name: string) => unknown;
  Object.assign(machine, { overlay: (name: string) => overlays[name] ?? before(name) });
  const commands: Command[] = [
    ...createRules(context, new Map(), { setTimeouts: (...seconds) => [`timeouts ${seconds.join(' ')}`] }),
    ...lab.commands,
  ];
  let waiting: string[] = [];
  context.ask = function* () {
    yield 0;
    return waiting.shift() ?? 'end';
  };
  const drain = (job: Job | undefined): void => {
    if (job !== undefined) for (const _ of job);
  };
  const type = (line: string): string[] => {
    output.length = 0;
    try {
      const found = findCommand(commands, line);
      if ('refusal' in found) throw new Refusal(found.refusal);
      drain(found.command.run(found.args));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      output.push(...error.message.split('\r\n'));
    }
    return output.flatMap(text => text.split('\r\n'));
  };
  const feed = (line: string, lines: readonly string[]): string[] => {
    waiting = [...lines, 'end'];
    return type(line);
  };
  return {
    ...lab,
    type,
    quiet: (...lines) => {
      for (const line of lines) {
        const said = type(line).filter(text => !text.startsWith("The LAN's "));
        if (said.length > 0) throw new Error(`${line}: ${said.join(' / ')}`);
      }
    },
    feed,
    restore: (words, lines) => feed(`iptables-restore ${words}`.trim(), lines),
    saved: (isOld = false) => {
      const section = registry.sections.all[isOld ? 1 : 0];
      const reader = registry.sections.reader(registry.sections.now, section);
      const lines: string[] = [];
      for (let line = reader.next(); line !== undefined; line = reader.next()) lines.push(line);
      return lines;
    },
  };
}
