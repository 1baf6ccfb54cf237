// ipchains and ipfwadm: what is always there of them, the commands with their help and the section of the configuration that keeps
// their lines. What they do are the overlays `rules/ipchains` and `rules/ipfwadm`; the rules lie in the plane's memory.

import { RULE_HOOKS_AT } from '../../../base/cells.ts';
import { i32at } from '../../../base/memory.ts';
import { type Command, Refusal } from '../../core/console/command.ts';
import type { Context } from '../../core/context.ts';
import type { Section } from '../../core/section.ts';
import type { Aliases } from '../links.ts';
import type { Masquerade, OldRules } from './rules.ts';

/** The section of both dialects' lines: they are all of one. A start, an import and a way back are all of them or none. */
function oldSection({ machine }: Context, rules: () => OldRules): Section {
  /** The dialect of the lines that are gathered, '' before the first; and how many they are. */
  let word = '';
  let lines = 0;
  const clear = (): void => {
    if (i32at(RULE_HOOKS_AT) !== 0) machine.overlay('rules/ipchains').clearLines(rules());
  };
  return {
    words: ['ipchains', 'ipfwadm'],
    inPlane: true,
    isConfirmed: true,
    clear,
    begin: () => {
      word = '';
      lines = 0;
    },
    take: line => {
      const own = line.startsWith('ipfwadm') ? 'rules/ipfwadm' : 'rules/ipchains';
      const overlay = machine.overlay(own);
      if (word !== '' && word !== own) throw new Refusal('Cannot mix lines of ipchains and ipfwadm');
      if (word === '') overlay.beginLines(rules());
      word = own;
      overlay.takeLine(rules(), line, ++lines);
    },
    end: isTaken => {
      if (word !== '') machine.overlay(word as 'rules/ipchains').endTaken(rules(), isTaken);
      else if (isTaken) clear();
    },
  };
}

export interface OldDialects {
  commands: Command[];
  /** Takes their rules away, with their lines. */
  clearAll(): void;
}

export function createOldDialects(context: Context, aliases: Aliases, masquerade: Masquerade): OldDialects {
  const { machine, registry } = context;
  const rules: OldRules = { context, aliases, masquerade, section: oldSection(context, () => rules) };
  registry.sections.add(rules.section);
  const commands: Command[] = [
    {
      words: 'ipchains',
      isWhole: true,
      arguments: '[WORD:text...]',
      help: 'changes and lists rules, and lists what is masqueraded, as ipchains 1.3.9 does | -L -n -v',
      run: (words, _, beside) => machine.overlay('rules/ipchains').runIpchains(rules, words, beside),
    },
    {
      words: 'ipfwadm',
      isWhole: true,
      arguments: '[WORD:text...]',
      help: 'changes and lists rules, and lists what is masqueraded, as ipfwadm 2.3.0 does | -F -l -n',
      run: (words, _, beside) => machine.overlay('rules/ipfwadm').runIpfwadm(rules, words, beside),
    },
    {
      words: 'ipchains-save',
      isWhole: true,
      arguments: '[WORD:text...2]',
      help: 'prints the rules of ipchains for ipchains-restore, or those of a chain | input',
      run: (words, _, beside) => machine.overlay('rules/files').saveChains(rules, words, beside),
    },
    {
      words: 'ipchains-restore',
      isWhole: true,
      arguments: '[WORD:text...3]',
      help: 'takes what ipchains-save prints, up to a line that says end; all of it in one step | -f',
      run: (words, input, beside) =>
        machine.overlay('rules/files').restoreChains(rules, words, input, beside),
    },
  ];
  return {
    commands,
    clearAll: () => {
      if (i32at(RULE_HOOKS_AT) !== 0) machine.overlay('rules/ipchains').clearAll(rules);
    },
  };
}
