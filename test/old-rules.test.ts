// Rules of the articles and of whole scripts of the time, pasted into the booted board: what the text says then happens to real hosts.
// Addresses that a page has lost are put back (src/control/shell/scripts/). Not here: iptables' first script (rules.test.ts), each word of a
// dialect (src/control/rules/), the shell (src/control/shell/).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { Host } from '../tools/harness/namespace.ts';
import { eventually } from '../tools/harness/processes.ts';
import { type BoardRouter, boardRouter } from './harness/board-router.ts';
import { pings, type Router, SERVER, STRANGER, type Town, WAN_ADDRESS } from './harness/town.ts';
import { wholeTests } from './harness/whole.ts';

const SECONDS = 120;
const DESK = '192.168.0.3';
const SHELF = '192.168.0.4';
const OPEN = '200';
const CLOSED = '000';
const FILE_BYTES = 100_000;

const whole = wholeTests(test, () => boardRouter());

const linesOf = (name: string): string[] =>
  readFileSync(join(import.meta.dirname, `../src/control/shell/scripts/${name}.txt`), 'latin1')
    .trimEnd()
    .split('\n');

/** The board's console and the town's hosts, as these tests use them. */
class Place {
  constructor(
    private readonly t: ExecutionContext,
    readonly town: Town,
    private readonly router: Router,
  ) {}

  async type(line: string): Promise<string> {
    return (await this.router.console?.(line, SECONDS)) ?? '';
  }

  /** Types lines; answers what was said that is no note on what is always so here. */
  async paste(lines: readonly string[]): Promise<string[]> {
    const said: string[] = [];
    for (const line of lines) said.push(...(await this.type(line)).split('\n'));
    return said.filter(text => text !== '' && !/it is always|the RFCs ask for it/.test(text));
  }

  /** Keeps a script under the name `fw` and runs it; answers what it said. */
  async run(lines: readonly string[], argument: string): Promise<string> {
    const { console } = (this.router as BoardRouter).machine();
    console.write(`save script fw\r${lines.join('\r')}\rend\r`);
    await console.expect(/\d+ lines are kept[^\r]*\r\n[\s\S]*masqbox> $/, SECONDS);
    return await this.type(`run fw ${argument}`);
  }

  /** HTTP's status, or 000 where nothing answers; `words` are curl's. */
  async status(host: Host, url: string, ...words: string[]): Promise<string> {
    const command = ['curl', '-s', '-m', '4', '-o', '/dev/null', '-w', '%{http_code}', ...words, url];
    return (await host.run(command, { seconds: SECONDS })).stdout;
  }

  async reaches(host: Host, url: string, expected: string, why: string): Promise<void> {
    this.t.is(await this.status(host, url), expected, why);
  }

  /** Open ports that a scan from outside finds. */
  async scan(ports: string, ...words: string[]): Promise<string[]> {
    const command = ['nmap', '-n', '-Pn', '--max-retries', '1', '-T5', ...words, '-p', ports, WAN_ADDRESS];
    const { stdout } = await this.town.inet.run(command, { seconds: SECONDS });
    this.t.regex(stdout, /1 IP address \(1 host up\)/);
    return [...stdout.matchAll(/^(\d+\/tcp) +open /gm)].map(([, port]) => port as string);
  }

  /** Sends three segments from outside that no scanner sends. */
  async hping(...words: string[]): Promise<void> {
    const command = ['hping3', '-n', '-q', '-c', '3', '-i', 'u20000', ...words, WAN_ADDRESS];
    await this.town.inet.run(command, { seconds: SECONDS });
  }

  /** Packets of the rules of a chain of ipchains, in their order; each row is a target and its packets. */
  async counts(chain: string): Promise<number[]> {
    const rows = (await this.type(`ipchains -L ${chain} -n -v -x`)).split('\n').slice(2);
    return rows.map(row => Number(row.trim().split(/ +/)[0]));
  }

  /** What came before may have used up what a facility may log for now (LOG_BURST), so it is tried `again` until there is a line. */
  async log(pattern: RegExp, again: () => Promise<void>): Promise<void> {
    const look = async (): Promise<string> => await this.type('show log');
    if (pattern.test(await look())) return;
    await eventually(
      async () => {
        await again();
        return await look();
      },
      text => pattern.test(text),
      SECONDS,
    );
  }

  /** What every one of these rule sets is for: hosts inside reach outside, strangers reach none inside by its own address. */
  async masquerades(): Promise<void> {
    const { laptop, inet } = this.town;
    await this.reaches(laptop, `http://${SERVER}/`, OPEN, 'from inside to outside');
    await pings(this.t, laptop, SERVER);
    await this.reaches(inet, `http://${SHELF}/`, CLOSED, 'from outside to an address inside');
  }
}

async function at(t: ExecutionContext, town: Town, router: Router): Promise<Place> {
  // They stay from test to test.
  await (await town.peer(town.desk)).http(80, DESK).catch(() => undefined);
  await (await town.peer(town.shelf)).http(80, SHELF).catch(() => undefined);
  const place = new Place(t, town, router);
  await place.type('clear rules');
  return place;
}

whole(
  'Listing One of 1999, as its page has it, masquerades the network and nothing else',
  async (t, town, router) => {
    const place = await at(t, town, router);
    // Its quotes are no quotes, so that a shell prints them.
    t.is((await place.paste(linesOf('listing-one'))).length, 1);
    await place.masquerades();
    const listed = await place.type('ipchains -M -L -n');
    t.regex(listed, /^IP masquerading entries\nprot expire {3}source/);
    t.regex(listed, /^TCP +\d+:\d\d\.\d\d 192\.168\.0\.2 +203\.0\.113\.2 +\d+ \(\d+\) -> 80$/m);
    t.deepEqual(await place.scan('1-150'), []);
    const [masqueraded = 0] = await place.counts('forward');
    t.true(masqueraded >= 2);
    // What came unasked has crossed forward, whose policy has it.
    t.regex(await place.type('ipchains -L forward -n -v'), /^Chain forward \(policy DENY: [1-9]\d* packets/);
  },
);

whole(
  'the follow-up of 1997: who is masqueraded, by which link, and what its policies do',
  async (t, town, router) => {
    const place = await at(t, town, router);
    // A network of four addresses, so that one host is not of it.
    const lines = linesOf('followup-1997').map(line => line.replace('192.168.1.0/24', '192.168.0.0/30'));
    t.deepEqual(await place.paste([`${lines[0]?.slice(0, -1)} ${lines[1]?.trim()}`, ...lines.slice(2)]), []);
    await place.masquerades();
    await place.reaches(town.shelf, `http://${SERVER}/`, CLOSED, 'of no network that is masqueraded');
    t.regex(
      await place.type('ipfwadm -M -l -n'),
      /^IP masquerading entries\nprot expire .*\n(?:.*\n)*tcp +\d+:\d\d\.\d\d 192\.168\.0\.2 .* -> 80$/m,
    );
    t.deepEqual(await place.paste(['ipfwadm -F -p masquerade']), []);
    await place.reaches(town.shelf, `http://${SERVER}/`, OPEN, 'by the policy');
    // The danger that the article warns of is none here: what is masqueraded is what leaves.
    await place.reaches(town.inet, `http://${SHELF}/`, CLOSED, 'from outside, by the same policy');
    // A rule that logs, as the article likes it; the stranger's answers come in no more.
    t.deepEqual(await place.paste([`ipfwadm -I -a deny -P tcp -S ${STRANGER} 80 -W ppp0 -o`]), []);
    await place.reaches(town.laptop, `http://${STRANGER}/`, CLOSED, 'what input denies');
    await place.reaches(town.laptop, `http://${SERVER}/`, OPEN, 'what it does not');
    await place.log(/IP fw-in deny \S+ TCP 203\.0\.113\.3:80 203\.0\.113\.10:\d+ L=\d+ S=0x/, () =>
      place.reaches(town.laptop, `http://${STRANGER}/`, CLOSED, 'still'),
    );
  },
);

whole(
  'the notes of 2002, sections 4.3 to 5.4: stateful rules, and a web server behind them',
  async (t, town, router) => {
    const place = await at(t, town, router);
    const lines = linesOf('notes-2002')
      .filter(line => !line.includes('ipchains'))
      .map(line => line.replace('192.168.1.0', '192.168.0.0').replace('192.168.1.2', DESK));
    t.deepEqual(await place.paste(lines), []);
    await place.masquerades();
    // The server's rule of the text belongs before the final DROP, and does nothing behind it.
    const rule = 'FORWARD -i ppp0 -o eth0 -p tcp --dport 80 -j ACCEPT';
    t.deepEqual(await place.paste([`iptables -A ${rule}`]), []);
    await place.reaches(town.inet, `http://${WAN_ADDRESS}/`, CLOSED, 'behind the final DROP');
    t.deepEqual(
      await place.paste([`iptables -D ${rule}`, `iptables -I ${rule.replace('FORWARD', 'FORWARD 5')}`]),
      [],
    );
    await place.reaches(town.inet, `http://${WAN_ADDRESS}/`, OPEN, 'before it');
    t.deepEqual(await place.scan('20-100'), ['80/tcp']);
  },
);

whole(
  'the notes, sections 5.5 and 5.7: the same by ipchains, which knows no state but SYN',
  async (t, town, router) => {
    const place = await at(t, town, router);
    const lines = [
      'ipchains -A input -i ppp0 -s 192.168.0.0/24 -j DENY',
      'ipchains -A input -i ppp0 -p tcp --syn -j DENY',
      'ipchains -A input -j ACCEPT',
      'ipchains -A output -j ACCEPT',
      'ipchains -A forward -i ppp0 -s 192.168.0.0/24 -j MASQ',
      'ipchains -A forward -j DENY',
      'ipchains -M -S 7200 10 60',
    ];
    t.deepEqual(await place.paste(lines), []);
    await place.masquerades();
    t.deepEqual(await place.scan('1-100', '-sS'), []);
    const before = await place.counts('input');
    t.true((before[1] ?? 0) >= 100, 'each SYN of the scan');
    await place.hping('-S', '-F', '-p', '80');
    const opened = await place.counts('input');
    t.is((opened[1] ?? 0) - (before[1] ?? 0), 3, 'SYN with FIN opens, as SYN does');
    await place.hping('-S', '-A', '-p', '80');
    const answered = await place.counts('input');
    t.is(answered[1], opened[1], 'SYN with ACK does not');
    t.true((answered[2] ?? 0) >= (opened[2] ?? 0) + 3);
    // What says that it is of the LAN is dropped before all rules.
    await place.hping('-a', '192.168.0.9', '-S', '-p', '80');
    t.is((await place.counts('input'))[0], 0);
  },
);

whole(
  'a script of 1998 for ipfwadm: services, answers, logs and counts of each host',
  async (t, town, router) => {
    const place = await at(t, town, router);
    t.regex(await place.run(linesOf('masq-2.0'), 'start'), /Firewall is up; rules are in place\./);
    await place.masquerades();
    const { shelf, laptop } = town;
    await laptop.output(
      ['curl', '-sS', '-m', '60', '-o', '/dev/null', `http://${SERVER}/bytes/${FILE_BYTES}`],
      {
        seconds: SECONDS,
      },
    );
    const [mine = [], other = []] = (await place.type('ipfwadm -A -l -n -x'))
      .split('\n')
      .slice(2)
      .map(row => row.trim().split(/ +/).map(Number));
    t.true(
      (mine[1] ?? 0) > 1000 && (mine[1] ?? 0) < FILE_BYTES / 2,
      'what the host has sent, by its address',
    );
    t.is(other[0], 0);
    // A host without an address gets one beside the rules, as it did when dhcpd was a program of its own.
    const words = ['-i', 'eth0', '-n', '-q', '-f', '-t', '10', '-s', '/bin/true'];
    t.regex(
      (await shelf.run(['udhcpc', ...words], { seconds: SECONDS })).stderr,
      /lease of 192\.168\.0\.\d+ obtained/,
    );
    t.deepEqual(await place.scan('20-30,79-81,113,6000', '-sS'), []);
    await place.log(/IP fw-in deny \S+ TCP 203\.0\.113\.\d:\d+ 203\.0\.113\.10:\d+ L=\d+/, () =>
      place.hping('-S', '-p', '29'),
    );
    t.is((await place.type('cat /proc/net/ip_input')).split('\n')[0], 'IP firewall input rules, default 0');
  },
);

whole(
  'an init script of 1999 for ipchains: forwarded ports want a rule, and rules go to a file and back',
  async (t, town, router) => {
    const place = await at(t, town, router);
    t.regex(await place.run(linesOf('ipchains-init'), 'start'), /^done$/m);
    await place.masquerades();
    await place.type(`ipmasqadm portfw -d -P tcp -L ${WAN_ADDRESS} 8080`);
    t.deepEqual(await place.paste([`ipmasqadm portfw -a -P tcp -L ${WAN_ADDRESS} 8080 -R ${DESK} 80`]), []);
    await place.reaches(town.inet, `http://${WAN_ADDRESS}:8080/`, CLOSED, 'input has no rule for it');
    await place.log(
      /Packet log: input DENY \S+ PROTO=6 203\.0\.113\.\d:\d+ 203\.0\.113\.10:8080 L=\d+ .* SYN \(#15\)/,
      () => place.hping('-S', '-p', '8080'),
    );
    t.deepEqual(await place.paste(['ipchains -I input -i eth1 -p tcp -d 0/0 8080 -j ACCEPT']), []);
    await place.reaches(town.inet, `http://${WAN_ADDRESS}:8080/`, OPEN, 'with a rule');
    t.deepEqual(await place.scan('20-30,79-81,8079-8081', '-sS'), ['8080/tcp']);
    const config = async () =>
      (await place.type('show config')).split('\n').filter(line => line.includes('ipchains -'));
    const lines = await config();
    await place.type('ipchains-save > /tmp/fw');
    await place.type('ipchains -F; ipchains -X');
    await place.reaches(town.laptop, `http://${SERVER}/`, CLOSED, 'policies deny');
    await place.type('ipchains-restore -f < /tmp/fw');
    t.deepEqual(await config(), lines);
    await place.masquerades();
  },
);

whole(
  'a stronger script of 2001 for iptables: what is forwarded, and what nobody sends',
  async (t, town, router) => {
    const place = await at(t, town, router);
    t.regex(
      await place.run(linesOf('iptables-strong'), 'start'),
      /rc\.firewall done: 2 services, 2 forwards\./,
    );
    await place.masquerades();
    await place.reaches(town.inet, `http://${WAN_ADDRESS}/`, OPEN, 'the server on the desk');
    t.deepEqual(await place.scan('20-30,79-81,113'), ['80/tcp']);
    const bad = async (): Promise<number[]> =>
      (await place.type('iptables -L bad-packets -n -v -x'))
        .split('\n')
        .slice(2)
        .map(row => Number(row.trim().split(/ +/)[0]));
    const before = await bad();
    await place.hping('-p', '22');
    await place.hping('-S', '-F', '-p', '22');
    await place.hping('-S', '-R', '-p', '22');
    const after = await bad();
    t.deepEqual(
      [0, 2, 3].map(rule => (after[rule] ?? 0) - (before[rule] ?? 0)),
      [3, 3, 3],
    );
    await place.log(/firewall: FW drop: IN=wan OUT=/, () => place.hping('-p', '22'));
    await place.type('clear script fw');
  },
);
