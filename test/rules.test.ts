// Rules on the booted board: what is typed is in force for real hosts, is listed with exact counts.
// Not here: each match and target (src/control/rules/), verdicts beside the kernel's.

import test from 'ava';
import { boardRouter } from './harness/board-router.ts';
import { SERVER } from './harness/town.ts';
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
