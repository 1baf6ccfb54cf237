// What of a command line is refused whatever rules there are: options that a command has none of, names that no chain can have, options
// that exclude each other. Not here: reading the line (line.ts).

import { puti32 } from '../../base/memory.ts';
import { CHAIN_NAME_MOST } from './chains.ts';
import * as extensions from './options.ts';
import { refuseWhole, usage, VERSION } from './refuse.ts';

/** Commands that have a rule. */
export const WITH_RULE = 'ADICR';
/** Of each command, the options that it has none of, as letters of their short forms (0 is --line-numbers). */
const ILLEGAL: Record<string, string> = {
  A: 'nx0',
  I: 'nx0',
  R: 'nx0',
  D: 'nx0c',
  C: 'nx0c',
  L: 'sdpiocf',
  S: 'nsdpxio0cf',
  P: 'nsdpxio0f',
};
const ILLEGAL_OTHERWISE = 'nsdpxio0cf';
const ILLEGAL_NUMBERED = 'nsdpjxio0cf';
/** Letters in the order in which a forbidden one is told. */
const OPTION_LETTERS = 'nsdpjvxio0cf';
/** Characters of an interface's name. */
export const NAME_MOST = 15;
/** Targets without options, by their TARGET_*. */
export const PLAIN_TARGETS = ['', 'ACCEPT', 'DROP', 'RETURN'];
/** Targets of the original that there are none of here: no chain has such a name either. */
const OTHER_TARGETS =
  'QUEUE AUDIT CHECKSUM CLASSIFY CLUSTERIP CONNSECMARK CT DSCP ECN HMARK IDLETIMER LED NFLOG NFQUEUE NOTRACK RATEEST SECMARK SET ' +
  'SYNPROXY TCPOPTSTRIP TEE TPROXY TRACE TTL ULOG standard';

/** Refuses an option that the command has none of. */
export function checkOptions(commands: string, isNumbered: boolean, options: string): void {
  if (options === '') return;
  const illegal = isNumbered ? ILLEGAL_NUMBERED : (ILLEGAL[commands.charAt(0)] ?? ILLEGAL_OTHERWISE);
  let isLegal = true;
  for (let i = 0; i < options.length; i++) if (illegal.includes(options.charAt(i))) isLegal = false;
  if (isLegal) return;
  for (const letter of OPTION_LETTERS)
    if (options.includes(letter) && illegal.includes(letter))
      usage(`Illegal option \`-${letter}' with this command`);
}

/** Refuses a name of an interface that no packet can have in this chain. */
export function checkInterfaces(chain: string, options: string): void {
  if (options.includes('o') && (chain === 'PREROUTING' || chain === 'INPUT'))
    usage(`Can't use -o with ${chain}\r\n`);
  if (options.includes('i') && (chain === 'POSTROUTING' || chain === 'OUTPUT'))
    usage(`Can't use -i with ${chain}\r\n`);
}

export function put64(at: number, value: number): void {
  puti32(at, (value % 0x100000000) | 0);
  puti32(at + 4, Math.floor(value / 0x100000000));
}

export const isSimple = (extension: number): boolean =>
  (extension >= extensions.MARK_MATCH && extension <= extensions.MAC) ||
  extension === extensions.TCPMSS_MATCH;

/** An option of -m tcp that was there before. */
export function onceOf(option: number): never {
  if (option === 1) usage("Only one `--source-port' allowed");
  if (option === 2) usage("Only one `--destination-port' allowed");
  if (option === 5) usage("Only one `--tcp-option' allowed");
  return usage("Only one of `--syn' or `--tcp-flags'  allowed");
}

export function exclusive(extension: number, seen: number, option: number): never {
  const other = 31 - Math.clz32(seen);
  const first = extensions.optionName(extension, Math.min(other, option));
  const second = extensions.optionName(extension, Math.max(other, option));
  return usage(
    `${extensions.extensionName(extension)}: option "--${first}" cannot be used together with "--${second}".\r\n`,
  );
}

export function validChain(name: string): void {
  if (name.length > CHAIN_NAME_MOST)
    usage(`chain name \`${name}' too long (must be under ${CHAIN_NAME_MOST + 1} chars)`);
  if (name.startsWith('-') || name.startsWith('!'))
    usage(`chain name not allowed to start with \`${name.charAt(0)}'`);
  const isTarget = PLAIN_TARGETS.includes(name) || OTHER_TARGETS.split(' ').includes(name);
  if (isTarget || extensions.targetNamed(name) !== 0) usage('chain name may not clash with target name');
  for (let i = 0; i < name.length; i++)
    if (name.charCodeAt(i) <= 32 || name.charCodeAt(i) > 126) usage(`Invalid chain name \`${name}'`);
}

export function noTable(name: string): never {
  const text = `can't initialize iptables table \`${name}': Table does not exist (do you need to insmod?)`;
  return refuseWhole(`iptables ${VERSION}: ${text}\r\nPerhaps iptables or your kernel needs to be upgraded.`);
}
