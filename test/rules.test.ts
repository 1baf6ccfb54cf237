// Rules on the booted board: what is typed is in force for real hosts, is listed with exact counts.
// Not here: each match and target (src/control/rules/), verdicts beside the kernel's.

import test from 'ava';
import { boardRouter } from './harness/board-router.ts';
import { SERVER, WAN_ADDRESS } from './harness/town.ts';
import { wholeTests } from './harness/whole.ts';

const SECONDS = 60;
const PINGS = 3;
const PING_BYTES = 84;

const whole = wholeTests(test, boardRouter);

whole(
  'what is typed is in force, is counted, and is a line of the configuration',
  async (t, town, router) => {
    const { console: type } = router as Required<Pick<typeof router, 'console'>>;
    const pings = async (): Promise<number> => {
      const command = ['ping', '-n', '-c', `${PINGS}`, '-i', '0.2', '-W', '2', SERVER];
      const { stdout } = await town.laptop.run(command, { seconds: SECONDS });
      return Number(/(\d+) received/.exec(stdout)?.[1]);
    };
    t.is(await pings(), PINGS);
    t.is(await type('iptables -A FORWARD -i eth0 -p icmp -j DROP'), '');
    t.is(await pings(), 0);
    const listing = async (): Promise<string[]> => (await type('iptables -L FORWARD -n -v -x')).split('\n');
    t.regex((await listing())[2] ?? '', new RegExp(`^ +${PINGS} +${PINGS * PING_BYTES} DROP +icmp -- +eth0`));
    t.is(await type('iptables -D FORWARD -i eth0 -p icmp -j DROP'), '');
    t.is(await type('iptables -A FORWARD -p icmp --icmp-type echo-request -m comment --comment "a b"'), '');
    t.is(await pings(), PINGS);
    t.regex(
      (await listing())[2] ?? '',
      new RegExp(`^ +${PINGS} +${PINGS * PING_BYTES} .* icmptype 8 /\\* a b \\*/$`),
    );
    t.regex(
      await type('show config'),
      /^\+ iptables -A FORWARD -p icmp -m icmp --icmp-type 8 -m comment --comment "a b"$/m,
    );
    t.is(await type('clear rules'), '');
    t.notRegex(await type('show config'), /iptables/);
  },
);

/** What a script of 2002 says for two cards: the LAN is eth0. A web server is on a host inside. */
const SCRIPT = `IPT=/sbin/iptables
LAN="192.168.0.0/24"
echo 1 > /proc/sys/net/ipv4/ip_forward
for chain in INPUT FORWARD; do $IPT -F $chain; $IPT -P $chain DROP; done
$IPT -N refuse
$IPT -A refuse -m limit --limit 5/sec --limit-burst 3 -j LOG --log-prefix "refused: "
$IPT -A refuse -j DROP
$IPT -A INPUT -i lo -j ACCEPT
$IPT -A INPUT -i eth0 -s $LAN -j ACCEPT
$IPT -A INPUT -m state --state ESTABLISHED,RELATED -j ACCEPT
$IPT -A INPUT -j refuse
$IPT -A FORWARD -m state --state ESTABLISHED,RELATED -j ACCEPT
$IPT -A FORWARD -i eth0 -o eth1 -s $LAN -j ACCEPT
$IPT -A FORWARD -i eth1 -p tcp --syn -d 192.168.0.3 --dport 80 -j ACCEPT
$IPT -A FORWARD -j refuse
$IPT -t nat -A PREROUTING -i eth1 -p tcp --dport 8080 -j DNAT --to-destination 192.168.0.3:80
$IPT -t nat -A POSTROUTING -o eth1 -j MASQUERADE`.split('\n');

whole('a script of 2002 is pasted, and it does what it says', async (t, town, router) => {
  const { console: type } = router as Required<Pick<typeof router, 'console'>>;
  for (const line of SCRIPT) await type(line, SECONDS);
  const status = async (host: typeof town.laptop, url: string): Promise<string> => {
    const command = ['curl', '-s', '-m', '10', '-o', '/dev/null', '-w', '%{http_code}', url];
    return (await host.run(command, { seconds: SECONDS })).stdout;
  };
  const desk = await town.peer(town.desk);
  await desk.http(80, town.desk.address);
  t.is(await status(town.laptop, `http://${SERVER}/`), '200', 'from inside to outside');
  t.is(await status(town.inet, `http://${WAN_ADDRESS}:8080/`), '200', 'from outside to the server inside');
  const scan = ['nmap', '-n', '-Pn', '--max-retries', '1', '-p', '20-90,8080', WAN_ADDRESS];
  const { stdout } = await town.inet.run(scan, { seconds: SECONDS });
  t.deepEqual(stdout.match(/^\d+\/tcp .*$/gm), ['8080/tcp open  http-proxy']);
  t.regex(await type(`ping ${SERVER} count 2`, SECONDS), /2 sent, 2 received/);
  const rows = (await type('iptables -L refuse -n -v -x')).split('\n').slice(2);
  const [logged, dropped] = rows.map(row => Number(row.trim().split(' ')[0])) as [number, number];
  t.true(logged >= 3 && dropped >= 71, rows.join(' '));
  t.regex(
    await type('show log'),
    /firewall: refused: IN=wan OUT= MAC=\S+ SRC=\S+ DST=203\.0\.113\.10 .*PROTO=TCP/,
  );
  t.is((await type('iptables-save')).match(/^-A /gm)?.length, 12);
  await type('clear rules');
});
