// DNS through the router with real programs: unbound and dnsmasq as servers on the WAN, dig, kdig and dnsperf as
// clients on the LAN; on the booted board, on one whose wires are faulty, and on the sim board.
// Not here: each rule by itself (src/control/dns/*.test.ts).

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import test from 'ava';
import { eventually } from '../tools/harness/processes.ts';
import { runSeed } from '../tools/harness/random.ts';
import { boardRouter } from './harness/board-router.ts';
import { simRouter } from './harness/sim-router.ts';
import {
  buildTown,
  GATEWAY,
  LAN_ADDRESS,
  listening,
  pause,
  type Router,
  SERVER,
  STRANGER,
  type Town,
} from './harness/town.ts';
import { isRoot, TEST_MILLISECONDS } from './harness/whole.ts';

/** Where nobody answers; the gateway's host does not own it. */
const SILENT = '203.0.113.99';
/** How often the load's queries are asked; each that is lost takes one of eight places for 20 s. */
const LOAD_ROUNDS = 20;
const LOAD_SECONDS = 300;
const LONG = Array.from({ length: 12 }, (_, i) => `"${String.fromCharCode(97 + i).repeat(130)}"`).join(' ');
/** More than the router sends by UDP: 5,200 bytes. */
const LONGER = Array.from({ length: 40 }, (_, i) => `"${String(i).repeat(130).slice(0, 130)}"`).join(' ');
const ZONE = `
server:
  interface: ${SERVER}
  port: 53
  access-control: 0.0.0.0/0 allow
  do-daemonize: no
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  module-config: "iterator"
  do-not-query-localhost: no
  local-zone: "example.com." static
  local-data: "example.com. 300 SOA ns.example.com. root.example.com. 1 2 3 4 60"
  local-data: "www.example.com. 300 A 192.0.2.80"
  local-data: "www.example.com. 300 AAAA 2001:db8::80"
  local-data: "long-lived.example.com. 86400 A 192.0.2.82"
  local-data: "short.example.com. 2 A 192.0.2.81"
  local-data: "mail.example.com. 300 MX 10 www.example.com."
  local-data: 'long.example.com. 300 TXT ${LONG}'
  local-data: 'longer.example.com. 300 TXT ${LONGER}'
  local-data: "evil.example.com. 300 A 192.168.0.2"
  local-data: "wanted.example.com. 300 A 10.9.8.7"
`;

/** A server that speaks only UDP: at its address nobody listens for connections. */
const UDP_ONLY = `
server:
  interface: ${GATEWAY}
  port: 53
  do-tcp: no
  access-control: 0.0.0.0/0 allow
  do-daemonize: no
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  module-config: "iterator"
  local-zone: "udp.example." redirect
  local-data: "udp.example. 300 A 192.0.2.54"
`;

interface Lab {
  town: Town;
  router: Router;
  dig(...words: string[]): Promise<string>;
  console(line: string): Promise<string>;
}

async function servers(town: Town, directory: string): Promise<void> {
  const configuration = join(directory, 'unbound.conf');
  await writeFile(configuration, ZONE);
  const unbound = town.inet.start(['unbound', '-d', '-c', configuration]);
  await unbound.until(/start of service/);
  const udpOnly = join(directory, 'udp-only.conf');
  await writeFile(udpOnly, UDP_ONLY);
  await town.inet.start(['unbound', '-d', '-c', udpOnly]).until(/start of service/);
  const names = [
    '--address=/second.example/192.0.2.53',
    '--txt-record=who.example,dnsmasq',
    '--address=/www.example.com/192.0.2.80',
  ];
  const listen = [
    `--listen-address=${STRANGER}`,
    '--bind-interfaces',
    '--no-resolv',
    '--no-hosts',
    '--local-ttl=100',
  ];
  town.inet.start([
    'dnsmasq',
    '-C',
    '/dev/null',
    '-k',
    '-u',
    'root',
    '-g',
    'root',
    '--pid-file=',
    ...listen,
    ...names,
  ]);
  await listening(town.inet, `${STRANGER}:53`);
}

type Check = (t: ExecutionContext, lab: Lab) => Promise<void>;

const checks: Record<string, Check> = {
  'names, types and errors come through, and come from the cache': async (t, { dig, console }) => {
    t.is(await dig('+short', 'www.example.com'), '192.0.2.80\n');
    t.is(await dig('+short', 'www.example.com', 'AAAA'), '2001:db8::80\n');
    t.is(await dig('+short', 'mail.example.com', 'MX'), '10 www.example.com.\n');
    t.regex(await dig('www.example.com', 'TYPE65280'), /status: NOERROR/);
    for (let i = 0; i < 2; i++) {
      const missing = await dig('missing.example.com');
      t.regex(missing, /status: NXDOMAIN/);
      t.regex(missing, /example\.com\.\s+\d+\s+IN\s+SOA/);
    }
    t.regex(await dig('WwW.eXaMpLe.CoM'), /^WwW\.eXaMpLe\.CoM\.\s+\d+\s+IN\s+A\s+192\.0\.2\.80$/m);
    t.regex(await console('show dns'), /^cached +[1-9]/m);
  },
  'TTLs go down, and answers end': async (t, { dig }) => {
    const ttl = async (name: string): Promise<number> =>
      Number((await dig('+noall', '+answer', name)).split(/\s+/)[1]);
    const long = 'long-lived.example.com';
    const started = performance.now();
    const passed = (): number => (performance.now() - started) / 1000;
    // An answer for which dig had to ask twice is from the cache.
    const first = await ttl(long);
    t.true(first <= 86_400 && 86_400 - first <= passed() + 1, String(first));
    const left = await eventually(
      () => ttl(long),
      seconds => seconds < first,
    );
    t.true(86_400 - left <= passed() + 2, String(left));
    // When it has ended the server is asked again, who says 2.
    t.true((await ttl('short.example.com')) <= 2);
    await pause(2100);
    await eventually(
      () => ttl('short.example.com'),
      seconds => seconds === 2,
    );
  },
  'flags and EDNS come through': async (t, { dig }) => {
    t.regex(await dig('+dnssec', 'www.example.com'), /EDNS: version: 0, flags: do; udp: \d+/);
    t.regex(await dig('+cdflag', '+adflag', 'www.example.com'), /flags: qr aa? ?rd ra|flags: qr rd ra.* cd/);
    t.notRegex(await dig('+noedns', 'www.example.com'), /EDNS/);
    t.regex(await dig('+edns=1', '+noednsneg', 'www.example.com'), /BADVERS/);
    t.regex(await dig('+norecurse', 'www.example.com'), /flags: qr( aa)?( ad)? ra;/);
    t.regex(await dig('+tcp', 'example.com', 'AXFR'), /Transfer failed/);
    t.regex(await dig('+ednsopt=65001:61', 'www.example.com'), /status: NOERROR/);
    t.regex(await dig('+opcode=status', 'www.example.com'), /status: NOTIMP/);
  },
  'long answers: TC by UDP, whole by TCP, whole by UDP for who takes it': async (t, { dig, town }) => {
    const cut = await dig('+ignore', '+bufsize=512', 'long.example.com', 'TXT');
    t.regex(cut, /flags: qr.* tc/);
    t.regex(cut, /ANSWER: 0/);
    t.is((await dig('+short', 'long.example.com', 'TXT')).trim(), LONG);
    t.is((await dig('+short', '+tcp', 'long.example.com', 'TXT')).trim(), LONG);
    t.is((await dig('+short', '+tcp', 'www.example.com')).trim(), '192.0.2.80');
    // From TCP it is in the cache; 1,700 bytes are two fragments.
    const whole = await dig('+notcp', '+ignore', '+bufsize=4096', 'long.example.com', 'TXT');
    t.notRegex(whole, /flags: qr.* tc/);
    t.regex(whole, /ANSWER: 1/);
    const kdig = [
      'kdig',
      '+tcp',
      '+keepopen',
      '+time=60',
      '+short',
      `@${LAN_ADDRESS}`,
      'www.example.com',
      'mail.example.com',
      'MX',
    ];
    t.regex(await town.laptop.output(kdig), /192\.0\.2\.80/);
  },
  'more than UDP takes from us: TC by UDP, whole by TCP, each time anew': async (t, { dig }) => {
    for (let i = 0; i < 2; i++)
      t.is((await dig('+short', '+tcp', 'longer.example.com', 'TXT')).trim(), LONGER);
    t.regex(await dig('+notcp', '+ignore', 'longer.example.com', 'TXT'), /flags: qr.* tc/);
  },
  'private addresses are refused, unless allowed': async (t, { dig, console }) => {
    t.regex(await dig('evil.example.com'), /status: NXDOMAIN/);
    t.regex(await dig('+tcp', 'evil.example.com'), /status: NXDOMAIN/);
    t.is(await console('set dns allow wanted.example.com'), '');
    t.is(await dig('+short', 'wanted.example.com'), '10.9.8.7\n');
    t.regex(await console('show log'), /evil\.example\.com has a private address/);
  },
  'names of the LAN': async (t, { dig, console }) => {
    t.is(await console('set dns host printer 192.168.0.9'), '');
    t.is(await dig('+short', 'printer.home.arpa'), '192.168.0.9\n');
    t.is(await dig('+short', '-x', '192.168.0.9'), 'printer.home.arpa.\n');
    t.is(await dig('+short', 'masqbox'), `${LAN_ADDRESS}\n`);
    t.regex(await dig('-x', '10.1.1.1'), /status: NXDOMAIN/);
    t.regex(await dig('nobody.home.arpa'), /status: NXDOMAIN/);
    t.regex(await dig('+tcp', '+dnssec', 'printer'), /192\.168\.0\.9/);
  },
  'names that nobody has outside, domains with servers of their own, and resolve': async (
    t,
    { dig, console },
  ) => {
    t.is(await dig('+short', 'localhost'), '127.0.0.1\n');
    for (const name of ['printer.local', 'a.test', 'lb._dns-sd._udp.0.0.168.192.in-addr.arpa', 'word'])
      t.regex(await dig(name, 'PTR'), /status: NXDOMAIN/, name);
    t.is(await console(`set dns forward second.example ${STRANGER}`), '');
    for (const way of ['+notcp', '+tcp'])
      t.is(await dig('+short', way, `${way.slice(1)}.second.example`), '192.0.2.53\n');
    t.regex(
      await console('resolve new.second.example'),
      new RegExp(`192\\.0\\.2\\.53 .*from ${STRANGER} in`, 's'),
    );
    t.regex(await console('resolve new.second.example'), /1 record, from the cache/);
    t.regex(await console('resolve longer.example.com txt'), new RegExp(`1 record, from ${SERVER} in`));
    t.is(await console('unset dns forward second.example'), '');
  },
  'a client that comes by TCP is answered by a server that speaks only UDP, whether it refuses TCP or drops it':
    async (t, { town, dig, console }) => {
      const direct = await town.inet.run([
        'dig',
        '+tcp',
        '+time=2',
        '+tries=1',
        `@${GATEWAY}`,
        'a.udp.example',
      ]);
      t.regex(direct.stdout, /connection refused/);
      t.is(await console(`set dns server ${GATEWAY}`), '');
      t.is(await dig('+short', '+tcp', 'refused.udp.example'), '192.0.2.54\n');
      t.is(await dig('+short', '+tcp', 'again.udp.example'), '192.0.2.54\n');
      t.notRegex(await console('show dns'), /203\.0\.113\.1 +(down|doubted)/);
      // Another list of servers knows nothing of the refusal.
      t.is(await console(`set dns server ${SERVER}`), '');
      const rules = 'add table ip t; add chain ip t c { type filter hook input priority 0; }';
      await town.inet.output(['nft', `${rules}; add rule ip t c ip daddr ${GATEWAY} tcp dport 53 drop`]);
      t.is(await console(`set dns server ${GATEWAY}`), '');
      t.is(await dig('+short', '+tcp', '+time=10', '+tries=1', 'dropped.udp.example'), '192.0.2.54\n');
      t.is(await dig('+short', '+tcp', 'later.udp.example'), '192.0.2.54\n');
      t.notRegex(await console('show dns'), /203\.0\.113\.1 +(down|doubted)/);
      await town.inet.output(['nft', 'delete table ip t']);
      t.is(await console(`set dns server ${SERVER}`), '');
    },
  'nothing answers on the WAN': async (t, { town }) => {
    for (const way of ['+notcp', '+tcp']) {
      const words = ['dig', way, '+time=1', '+tries=1', '@203.0.113.10', 'www.example.com'];
      const { stdout, status } = await town.inet.run(words);
      t.is(status, 9, stdout);
    }
  },
  'a silent server is passed over; without any, SERVFAIL': async (t, { dig, console }) => {
    t.is(await console(`set dns server ${SILENT} ${STRANGER}`), '');
    t.is(await dig('+short', 'second.example'), '192.0.2.53\n');
    t.is(await dig('+short', 'who.example', 'TXT'), '"dnsmasq"\n');
    // Doubted at first, until it has not answered a question of ours either.
    const isDown = /203\.0\.113\.99 +down/;
    t.regex(
      await eventually(
        () => console('show dns'),
        text => isDown.test(text),
      ),
      isDown,
    );
    // It is tried again now and then; other queries do not wait for it.
    const sent = async (): Promise<number> =>
      Number((await console('show dns')).match(/203\.0\.113\.99 +\w+ +(\d+) sent/)?.[1]);
    const asked = async (): Promise<number> => {
      const from = await sent();
      t.is(await dig('+short', `${from}-${performance.now()}.second.example`), '192.0.2.53\n');
      return (await sent()) - from;
    };
    t.is(await eventually(asked, times => times === 0), 0);
    t.is(await console(`set dns server ${SILENT}`), '');
    t.regex(await dig('+tries=1', '+time=60', 'b.second.example'), /status: SERVFAIL/);
    t.is(await console(`set dns server ${SERVER}`), '');
  },
};

function suite(
  name: string,
  make: () => Router & Pick<Lab, 'console'>,
  titles: (title: string) => boolean,
): void {
  const register = isRoot ? test.serial : test.serial.skip;
  register(`${name}: DNS with real servers and clients`, async t => {
    t.timeout(TEST_MILLISECONDS);
    const directory = await mkdtemp(join(tmpdir(), 'masqbox-dns-'));
    const town = await buildTown();
    const router = make();
    let doing = 'start';
    try {
      await servers(town, directory);
      await router.start(town);
      const lab: Lab = {
        ...{ town, router },
        console: async line => await router.console(line),
        dig: async (...words) => {
          // Tries enough for faulty wires: each loses a query or its answer one time in ten.
          const command = ['dig', '+time=3', '+tries=8', `@${LAN_ADDRESS}`, ...words];
          const { stdout } = await town.laptop.run(command);
          return stdout.replace(/^;; communications error.*\n/gm, ''); // it lost a datagram, and asked again
        },
      };
      t.is(await lab.console(`set dns server ${SERVER}`), '');
      for (const [title, check] of Object.entries(checks)) {
        if (!titles(title)) continue;
        doing = title;
        await check(t, lab);
      }
      await load(t, lab, directory);
    } catch (error) {
      t.log(`${doing}\n${router.report()}`);
      throw error;
    } finally {
      await router.stop();
      await town.remove();
      await rm(directory, { recursive: true, force: true });
    }
  });

  async function load(t: ExecutionContext, { town, console }: Lab, directory: string): Promise<void> {
    const file = join(directory, 'queries');
    const queries = [
      'www.example.com A',
      'www.example.com AAAA',
      'mail.example.com MX',
      'missing.example.com A',
    ];
    await writeFile(file, `${queries.join('\n')}\n`);
    // Few at once, so that after a pause of this machine no crowd of them meets a queue of 32. By TCP faulty wires are slow.
    const isFaulty = name.includes('faulty');
    for (const way of isFaulty ? ['-c 4 -q 8'] : ['-c 4 -q 8', '-m tcp -c 2 -q 24']) {
      const words = `dnsperf -s ${LAN_ADDRESS} -d ${file} -n ${LOAD_ROUNDS} ${way} -Q 30 -t 20`.split(' ');
      const report = await town.laptop.output(words, { seconds: LOAD_SECONDS });
      const lost = Number(report.match(/Queries lost:\s+(\d+)/)?.[1]);
      const sent = Number(report.match(/Queries sent:\s+(\d+)/)?.[1]);
      t.log(`${name}: ${sent} queries, ${lost} lost`);
      // It counts a SERVFAIL as completed: a few may be a busy machine's, not a router's that refuses what it has no room for.
      const failed = Number(report.match(/SERVFAIL (\d+)/)?.[1] ?? 0);
      t.true(isFaulty || failed <= sent / 20, report);
      // dnsperf does not ask twice: what a faulty wire loses is lost.
      t.true(sent === LOAD_ROUNDS * queries.length && lost <= (isFaulty ? sent / 3 : 1), report);
    }
    t.notRegex(await console('show version'), /restarted [1-9]/);
    await eventually(
      () => console('show dns'),
      text => text.includes(' 0 queries under way'),
    );
  }
}

const seed = runSeed();
const faults = { loss: 0.05, duplicate: 0.03, reorder: 0.03 };
suite('sim', simRouter, () => true);
suite(
  'board',
  () => boardRouter(),
  () => true,
);
suite(
  'board, faulty wires',
  () => boardRouter({ name: 'faulty', faults: { seed, lan: faults, wan: faults } }),
  title => /names, types|long answers|names of the LAN/.test(title),
);
