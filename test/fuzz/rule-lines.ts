// Lines of the three dialects of rules, true ones and what chance makes of them: each is taken or refused in words, and whatever was
// taken, all cells are free again when the rules are cleared.
// Not here: the shell's own words (src/control/shell/fuzz.test.ts), bytes at the console (console.ts).

import { PLANE_FIRST } from '../../src/base/limits.ts';
import { i32at, u16at } from '../../src/base/memory.ts';
import { CELLS_FREE_AT } from '../../src/base/rule-state.ts';
import { rulesLab } from '../../src/control/rules/rules-lab.ts';
import { type Random, seeded } from '../../tools/harness/random.ts';

/** Lines between two times that all rules are cleared. */
const LINES = 100;
/** Ticks in which flows and paths forget rules that are gone. */
const TICKS = 40;
const WORD_MOST = 300;
/** What a line may print, in characters. */
const OUTPUT_MOST = 400_000;

const TRUE = {
  iptables: [
    '-A FORWARD -s 10.0.0.0/8 ! -d 192.168.1.0/24 -p tcp --sport 1024:65535 --dport 80 --syn -j ACCEPT',
    '-t nat -A PREROUTING -i wan -p tcp -m multiport --dports 80,443,8000:8080 -j DNAT --to-destination 192.168.0.2-192.168.0.9:80',
    '-t nat -A POSTROUTING -o wan -j MASQUERADE --to-ports 1024-31000',
    '-t mangle -A POSTROUTING -p tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu',
    '-A INPUT -m state --state NEW,ESTABLISHED -m limit --limit 3/min --limit-burst 7 -j LOG --log-prefix "in: " --log-level info',
    '-A INPUT -m recent --name web --update --seconds 60 --hitcount 4 --rttl -j REJECT --reject-with icmp-host-prohibited',
    '-A FORWARD -m iprange --src-range 10.0.0.1-10.0.0.9 -m connlimit --connlimit-above 3 --connlimit-mask 24 -g mine',
    '-A OUTPUT -m time --timestart 08:00 --timestop 18:00 --weekdays Mon,Tue -m length --length 20:100 -m ttl --ttl-lt 3',
    '-A FORWARD -m conntrack ! --ctstate RELATED,DNAT -m limit --limit 5/hour -m statistic --mode nth --every 3 --packet 0 -j ACCEPT',
    '-A INPUT -m state --state INVALID,UNTRACKED -m mark ! --mark 0x5/0xff -m tos --tos 8 -j RETURN',
    '-N mine',
    '-E mine other',
    '-I FORWARD 2 -p icmp --icmp-type echo-request -m comment --comment "a b" -j mine',
    '-R FORWARD 1 -m mac --mac-source 02:00:00:00:00:01 -j DROP',
    '-D FORWARD 1',
    '-P FORWARD DROP',
    '-L FORWARD -n -v -x --line-numbers',
    '-S',
    '-Z FORWARD',
    '-F mine',
    '-X mine',
    '-C FORWARD -j DROP',
  ],
  ipchains: [
    '-A input -p tcp -s 0/0 1024:65535 -d 192.168.0.1 80 -y -l -j REDIRECT 3128',
    '-A forward -i ppp0 -s 192.168.0.0/24 -j MASQ',
    '-A output -p tcp -d 0/0 22 -t 0x01 0x10 -m -3',
    '-I input 1 -b -p icmp -s ! 10.0.0.0/8 8 -i ! eth+ -j user1',
    '-N user1',
    '-P input DENY',
    '-D input 1',
    '-R input 1 -j REJECT',
    '-C input -p tcp -s 10.0.0.1 1024 -d 10.0.0.2 80 -i eth0',
    '-L -n -v',
    '-M -S 7200 10 160',
    '-Z',
    '-F',
    '-X',
  ],
  ipfwadm: [
    '-F -a m -P tcp -S 192.168.0.0/24 -D 0.0.0.0/0 80 443 8000:8080 -W eth1 -o',
    '-I -i deny -P udp -S 0/0 53 -D 10.0.0.0/8 1024:65535 -V 192.168.0.1',
    '-O -a rej -k -y -P tcp -b',
    '-A both -a -P all -S 10.0.0.1',
    '-F -p deny',
    '-F -d accept -P tcp',
    '-I -c -P tcp -S 10.0.0.1 1024 -D 10.0.0.2 80 -V 192.168.0.1',
    '-F -l -n -e -x',
    '-M -s 7200 10 160',
    '-F -z',
    '-F -f',
  ],
};
const DIALECTS = Object.keys(TRUE) as (keyof typeof TRUE)[];
const ODD = [
  '!',
  '',
  '-',
  '--',
  '0',
  '-1',
  '65536',
  '4294967296',
  '1e9',
  '0x',
  '/',
  ':',
  ',',
  '"',
  "'",
  '\\',
  '+',
  '255.255.255.256',
  '__proto__',
  'constructor',
];

class Mutator {
  private readonly all: Record<string, string[]> = {};

  constructor(private readonly random: Random) {
    for (const dialect of DIALECTS) this.all[dialect] = TRUE[dialect].flatMap(line => line.split(' '));
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.random.below(from.length)] as T;
  }

  private word(dialect: string): string {
    const kind = this.random.below(12);
    if (kind === 0) return this.pick(ODD);
    if (kind === 1) return this.pick(this.all[this.pick(DIALECTS)] as string[]);
    if (kind > 2) return this.pick(this.all[dialect] as string[]);
    const length = this.random.chance(0.05) ? WORD_MOST : this.random.below(9);
    return Array.from({ length }, () => String.fromCharCode(33 + this.random.below(94))).join('');
  }

  private bent(text: string): string {
    const at = this.random.below(text.length + 1);
    if (this.random.chance(0.5)) return text.slice(0, at) + this.pick(ODD) + text.slice(at);
    return text.slice(0, at) + text.slice(at + 1 + this.random.below(3));
  }

  line(dialect: keyof typeof TRUE): string {
    const { random } = this;
    const words = this.pick(TRUE[dialect]).split(' ');
    for (let changes = random.below(4); changes > 0; changes--) {
      const at = random.below(words.length + 1);
      const kind = random.below(5);
      if (kind === 0) words.splice(at, 1);
      else if (kind === 1) words.splice(at, 0, this.word(dialect));
      else if (kind === 2) words.splice(at, 1, this.word(dialect));
      else if (kind === 3) words.splice(at, 0, ...words.slice(random.below(words.length + 1), at + 3));
      else if (at < words.length) words[at] = this.bent(words[at] as string);
    }
    return `${dialect} ${words.join(' ')}`;
  }
}

export interface Tried {
  /** Lines that said nothing, and so were taken. */
  taken: number;
  /** What went wrong, with its line; or ''. */
  fault: string;
}

/** Types so many lines of a seed, all dialects in turn. */
export function tryRuleLines(seed: number, count: number): Tried {
  const lab = rulesLab();
  const mutator = new Mutator(seeded(seed));
  let taken = 0;
  // The memory of rules is there from the first one on.
  lab.quiet('iptables -A FORWARD -j ACCEPT', 'clear rules');
  lab.quiet('iptables -A FORWARD -j ACCEPT');
  const used = u16at(CELLS_FREE_AT) + 1;
  for (let done = 0; done < count; done++) {
    const dialect = DIALECTS[Math.floor(done / LINES) % DIALECTS.length] as keyof typeof TRUE;
    const line = mutator.line(dialect);
    try {
      const said = lab.type(line);
      if (said.length === 0) taken++;
      if (said.reduce((all, row) => all + row.length, 0) > OUTPUT_MOST)
        return { taken, fault: `${line}: it says too much` };
      // Nobody's: what lies there, a write through 0 has left.
      for (let at = 0; at < PLANE_FIRST; at += 4)
        if (i32at(at) !== 0) return { taken, fault: `${line}: it writes to ${at}` };
    } catch (error) {
      return { taken, fault: `seed ${seed}, line ${done}: ${line}: ${(error as Error).stack}` };
    }
    if (done % LINES === LINES - 1) {
      lab.type('clear rules');
      lab.ticks(TICKS);
      lab.quiet('iptables -A FORWARD -j ACCEPT');
      const free = u16at(CELLS_FREE_AT) + 1;
      if (free !== used)
        return { taken, fault: `seed ${seed}, line ${done}: ${free} cells are free of ${used}` };
      lab.type('clear rules');
      lab.ticks(TICKS);
    }
  }
  return { taken, fault: '' };
}
