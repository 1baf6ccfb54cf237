import test from 'ava';
import { rulesLab } from './rules-lab.ts';
import { casesOf, fetchSource } from './source-lab.ts';

/** The files of what there is here. */
const FILES = [
  ...[
    'iptables',
    'libxt_standard',
    'libxt_tcp',
    'libxt_udp',
    'libipt_icmp',
    'libxt_multiport',
    'libxt_state',
  ],
  ...[
    'libxt_conntrack',
    'libxt_limit',
    'libxt_mark',
    'libxt_connmark',
    'libxt_length',
    'libxt_tos',
    'libipt_ttl',
  ],
  ...['libxt_mac', 'libxt_iprange', 'libxt_addrtype', 'libxt_pkttype', 'libxt_statistic', 'libxt_time'],
  ...['libxt_recent', 'libxt_connlimit', 'libxt_comment', 'libxt_tcpmss', 'libipt_REJECT', 'libipt_LOG'],
  ...['libipt_MASQUERADE', 'libipt_SNAT', 'libipt_DNAT', 'libxt_REDIRECT', 'libipt_NETMAP', 'libxt_TOS'],
  ...['libxt_MARK', 'libxt_CONNMARK', 'libxt_TCPMSS'],
];
/** Lines that are left out, by what is in them, and why. */
const LEFT_OUT: readonly [RegExp, string][] = [
  [/--ct(?!state)/, 'of conntrack there is --ctstate alone'],
  [/--hitcount 999/, 'the kernel of the day takes it, and so do we'],
];
const MILLISECONDS = 300_000;

const why = fetchSource();

(why === undefined ? test : test.skip)('every line of the .t files gives what they say', t => {
  t.timeout(MILLISECONDS);
  const left = new Map<string, number>();
  const failed: string[] = [];
  let passed = 0;
  for (const file of FILES) {
    for (const { table, chain, rule, expected, isRefused } of casesOf(file)) {
      const reason = LEFT_OUT.find(([pattern]) => pattern.test(rule))?.[1];
      if (reason !== undefined) {
        left.set(reason, (left.get(reason) ?? 0) + 1);
        continue;
      }
      const lab = rulesLab();
      const said = lab.type(`iptables -t ${table} -A ${chain} ${rule}`);
      const saved = lab.type(`iptables -t ${table} -S ${chain}`).join('\n');
      // Warnings are said beside.
      const isTaken = !said.some(text => text.startsWith('iptables') || text.startsWith('Bad argument'));
      const isRight = isRefused ? !isTaken : isTaken && saved.includes(`-A ${chain} ${expected}`);
      if (isRight) passed++;
      else failed.push(`${file} ${chain}: ${rule} => ${said.join(' / ')} | ${saved}`);
    }
  }
  t.log(`${passed} passed`);
  for (const [reason, count] of left) t.log(`${count} left out: ${reason}`);
  t.deepEqual(failed, []);
});

if (why !== undefined) console.log(`${why}: the .t files are left out`);
