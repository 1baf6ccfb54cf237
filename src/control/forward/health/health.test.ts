import test from 'ava';
import { controlLab } from '../../../../test/control-lab.ts';
import { ACK, echo, payload, RST, read, SYN, tcp, udp } from '../../../../test/packets.ts';
import { HOST, LAN_ADDRESS, OTHER, SERVER, WAN_ADDRESS } from '../../../../test/plane-router.ts';
import { get8 } from '../../../base/memory.ts';
import { SERVER_DOWN, SERVER_STATE, serverAt } from '../../../base/server-record.ts';
import { setForward, showForwards } from '../overlay.ts';
import { look } from './overlay.ts';

/** What a host makes of a question: an answer, a reset, or nothing. */
type Host = 'answers' | 'resets' | 'silent';

function lab() {
  const base = controlLab();
  const { context, router, output } = base;
  const hosts = new Map<string, Host>([
    [HOST, 'answers'],
    [OTHER, 'answers'],
  ]);
  let asked = 0;
  let next = 0;
  /** Answers what the router asks its hosts. */
  function answer(): void {
    for (const datagram of router.toLan()) {
      const { source, destination, protocol, sourcePort, destinationPort } = read(datagram);
      if (source !== LAN_ADDRESS) continue;
      const how = hosts.get(destination);
      const back = { source: destination, destination: LAN_ADDRESS };
      if (protocol === 1) {
        asked++;
        const identifier = ((datagram[24] as number) << 8) | (datagram[25] as number);
        if (how === 'answers')
          router.fromHost(echo(back, 0, identifier, (datagram[27] as number) | 0, payload(8)));
        continue;
      }
      const flags = datagram[33] as number;
      if ((flags & SYN) === 0) continue;
      asked++;
      const sequence = new DataView(datagram.buffer, datagram.byteOffset).getUint32(24);
      const ports = { sourcePort: destinationPort as number, destinationPort: sourcePort as number };
      const reply = { ...ports, sequence: 77, acknowledgment: sequence + 1 };
      if (how === 'answers') router.fromHost(tcp(back, { ...reply, flags: SYN | ACK }));
      if (how === 'resets') router.fromHost(tcp(back, { ...reply, flags: RST | ACK }));
    }
  }
  return {
    ...base,
    hosts,
    asked: () => asked,
    set: (line: string) => setForward(router.plane, line.split(' ')),
    seconds: (count: number) => {
      for (let i = 0; i < 10 * count; i++) {
        if (context.clock.now() >= next) next = context.clock.now() + look(context);
        for (let tick = 0; tick < 10; tick++) {
          base.ticks(1);
          answer();
          base.settle();
        }
      }
    },
    /** Who gets the next sessions. */
    goesTo: (count: number) => {
      const all: string[] = [];
      for (let i = 0; i < count; i++) {
        router.fromGateway(
          udp({ source: SERVER, destination: WAN_ADDRESS }, 5000 + (next % 977) * 10 + i, 53),
        );
        for (const datagram of router.toLan()) all.push(read(datagram).destination);
        next += 0;
      }
      return all;
    },
    shownForwards: () => {
      output.length = 0;
      for (const _ of showForwards(context));
      return [...output];
    },
  };
}

test('a host that answers no ping gets no new sessions, until it answers again; both are logged', t => {
  const { set, seconds, goesTo, hosts, shown, asked, shownForwards } = lab();
  set(`udp 53 ${HOST} ${OTHER} check ping 5 2`);
  t.regex(shownForwards()[0] as string, /now, not asked yet$/);
  seconds(12);
  t.regex(shownForwards()[0] as string, /now, answers$/);
  t.is(asked(), 6, 'each three times in twelve seconds');
  t.deepEqual(goesTo(4), [HOST, OTHER, HOST, OTHER]);
  hosts.set(HOST, 'silent');
  seconds(4);
  t.deepEqual(shown, []);
  seconds(10);
  t.regex(shown.join(), /forward: udp 53: 192\.168\.0\.2 does not answer, and gets no new sessions/);
  t.deepEqual(goesTo(3), [OTHER, OTHER, OTHER]);
  t.regex(shownForwards()[0] as string, /^udp 53 +192\.168\.0\.2 .* now, has not answered for \d+ s$/);
  t.regex(shownForwards()[1] as string, /now, answers$/);
  hosts.set(HOST, 'answers');
  seconds(8);
  t.regex(shown.at(-1) as string, /forward: udp 53: 192\.168\.0\.2 answers again/);
  t.deepEqual(new Set(goesTo(4)), new Set([HOST, OTHER]));
});

test('a host whose port refuses connections is down as well; where all are, sessions go to all', t => {
  const { set, seconds, hosts, shown, router } = lab();
  set(`tcp 80 ${HOST}:8000 ${OTHER} least check tcp 2 3`);
  hosts.set(HOST, 'resets');
  seconds(9);
  t.regex(shown.join(), /tcp 80: 192\.168\.0\.2:8000 does not answer, and gets no new sessions/);
  hosts.set(OTHER, 'silent');
  seconds(9);
  t.regex(
    shown.at(-1) as string,
    /tcp 80: 192\.168\.0\.3 does not answer, and no other: sessions go to all of them/,
  );
  const to = new Set<string>();
  for (let i = 0; i < 4; i++) {
    const ports = { sourcePort: 4000 + i, destinationPort: 80, flags: SYN };
    router.fromGateway(tcp({ source: SERVER, destination: WAN_ADDRESS }, ports));
    for (const datagram of router.toLan()) to.add(read(datagram).destination);
  }
  t.deepEqual(to, new Set([HOST, OTHER]));
  t.is(router.plane.masqueradeCheck(), 0);
});

test('questions are few whatever is set, and what nobody asks any more is up', t => {
  const { set, seconds, asked, hosts, router } = lab();
  hosts.clear();
  for (let i = 0; i < 32; i++) set(`udp ${1000 + i} ${i % 2 === 0 ? HOST : OTHER} check ping 2 1`);
  seconds(20);
  t.true(asked() <= 4 * 21 && asked() >= 60, `${asked()} in 20 s`);
  t.is(get8(serverAt(1) + SERVER_STATE), SERVER_DOWN);
  set(`udp 1000 ${HOST}`);
  t.not(get8(serverAt(1) + SERVER_STATE), SERVER_DOWN);
  seconds(3);
  t.is(router.held(), 0);
});

test('sessions of a forward that logs are logged, and those that come too fast are counted', t => {
  const { set, seconds, router, context } = lab();
  set(`tcp 80 ${HOST}:8000 log`);
  const open = (sourcePort: number) =>
    router.fromGateway(
      tcp({ source: SERVER, destination: WAN_ADDRESS }, { sourcePort, destinationPort: 80, flags: SYN }),
    );
  const lines = () => context.log.entries().map(({ text }) => text);
  open(4000);
  seconds(2);
  t.deepEqual(lines(), ['tcp 80: 204.152.184.112:4000 to 192.168.0.2:8000']);
  for (let i = 1; i <= 20; i++) open(4000 + i);
  seconds(2);
  t.regex(
    lines().join('|'),
    /204\.152\.184\.112:4016 to 192\.168\.0\.2:8000\|4 more sessions have begun than were noted$/,
  );
  t.is(router.held(), 0);
});
