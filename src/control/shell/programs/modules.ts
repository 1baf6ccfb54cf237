// modprobe, insmod, rmmod, depmod and lsmod: what was a module is always there, and who loads it is told nothing, as then. The names
// are remembered, with their parameters, for lsmod and for who acts by them.

import { Fault } from '../streams.ts';
import type { Program } from './desk.ts';

const MODULES_MOST = 64;
const PARAMETERS_MOST = 200;

/** Names without what they begin with: those of ip_masq_, ip_conntrack_ and ip_nat_, ipt_ and iptable_, and others. */
const MASQ = 'ftp irc raudio quake cuseeme vdolive user autofw portfw mfw icq h323 pptp ipsec napster'.split(
  ' ',
);
const HELPERS =
  'ftp irc tftp h323 pptp amanda proto_gre talk rtsp sip mms quake3 netbios_ns snmp_basic egg cuseeme'.split(
    ' ',
  );
const MATCHES =
  'LOG REJECT MASQUERADE REDIRECT MIRROR TOS MARK TCPMSS ULOG NETMAP SAME TTL DSCP ECN CONNMARK state limit multiport mac mark tos ttl length pkttype iprange recent connlimit time owner unclean helper tcpmss conntrack esp ah dscp addrtype connmark comment statistic string psd random nth quota'.split(
    ' ',
  );
const TABLES = 'filter nat mangle raw'.split(' ');
const OTHERS =
  'ip_tables ip_conntrack ip_nat ipchains ipfwadm ip_gre ipip slip slhc ppp ppp_generic ppp_async ppp_deflate bsd_comp pppoe ne ne2k-pci 8390 3c509 3c59x tulip eepro100 rtl8139 8139too via-rhine dummy tun bridge x_tables nf_conntrack nf_nat nf_conntrack_ftp nf_nat_ftp nf_conntrack_irc nf_nat_irc'.split(
    ' ',
  );

function isKnown(name: string): boolean {
  const [, start = '', rest = ''] = /^(ip_masq_|ip_conntrack_|ip_nat_|iptable_|ipt_)(.+)$/.exec(name) ?? [];
  if (start === 'ip_masq_') return MASQ.includes(rest);
  if (start === 'iptable_') return TABLES.includes(rest);
  if (start === 'ipt_') return MATCHES.includes(rest);
  if (start !== '' && HELPERS.includes(rest)) return true;
  return OTHERS.includes(name);
}

/** A module's name without folder and end. */
const nameOf = (word: string): string => word.slice(word.lastIndexOf('/') + 1).replace(/\.k?o(\.gz)?$/, '');

const modprobe: Program = (args, _, { kept }) => {
  const tool = args[0] as string;
  const words = args.slice(1).filter(word => !/^-[aqvskfn]+$/.test(word));
  if (words[0] === '-r' || args.includes('-r'))
    return remove(
      words.filter(word => word !== '-r'),
      tool,
      kept.modules,
    );
  const options = words.filter(word => word.startsWith('-'));
  if (options.length > 0) throw new Fault(`${tool}: ${options[0]}: it is not known here`, 1);
  if (words.length === 0) throw new Fault(`${tool}: a module is missing`, 1);
  const name = nameOf(words[0] as string);
  const parameters = words.slice(1).join(' ');
  if (!isKnown(name)) {
    const why =
      tool === 'insmod' ? `${words[0]}: no module by that name found` : `Can't locate module ${name}`;
    throw new Fault(`${tool}: ${why}`, tool === 'insmod' ? 1 : 255);
  }
  if (parameters.length > PARAMETERS_MOST)
    throw new Fault(`${tool}: ${name}: its parameters are too long`, 1);
  if (!kept.modules.has(name) && kept.modules.size >= MODULES_MOST)
    throw new Fault(`${tool}: ${MODULES_MOST} modules are loaded, and no more are remembered`, 1);
  if (!kept.modules.has(name) || parameters !== '') kept.modules.set(name, parameters);
  return 0;
};

function remove(names: readonly string[], tool: string, modules: Map<string, string>): number {
  for (const word of names) {
    const name = nameOf(word);
    if (!modules.delete(name)) throw new Fault(`${tool}: module ${name} is not loaded`, 1);
  }
  return 0;
}

/** `lsmod` and /proc/modules; sizes are nobody's. */
export function moduleRows(modules: ReadonlyMap<string, string>): string[] {
  return [...modules.keys()].reverse().map(name => `${name.padEnd(19)} ${'0'.padStart(8)}   0 (unused)`);
}

export const modules: Record<string, Program> = {
  modprobe,
  insmod: modprobe,
  rmmod: (args, _, { kept }) =>
    remove(
      args.slice(1).filter(word => !word.startsWith('-')),
      'rmmod',
      kept.modules,
    ),
  depmod: () => 0,
  lsmod: (_, io, { kept }) => {
    io.write('Module                  Size  Used by\n');
    for (const row of moduleRows(kept.modules)) io.write(`${row}\n`);
    return 0;
  },
};
