// What becomes of TCP where the heap has no room for a connection. Not here: TCP itself (../core/net/tcp.test.ts).

import test from 'ava';
import { controlLab } from '../../../test/control-lab.ts';
import { ACK, PSH, type Read, RST, read, SYN, tcp } from '../../../test/packets.ts';
import { HOST, LAN_ADDRESS } from '../../../test/plane-router.ts';
import { INTERFACE_LAN } from '../../base/limits.ts';
import { parseAddress } from '../core/address.ts';
import { Refusal } from '../core/console/command.ts';

const PORT = 53;
const FIRST = 5000;

test('there is no place for it, and those that are open stay', t => {
  const { context, router, settle } = controlLab();
  const { machine } = context;
  let got = '';
  context.tcp.listen(PORT, 1 << INTERFACE_LAN, connection => {
    connection.onData = data => {
      got += Buffer.from(data).toString();
    };
  });
  const say = (
    sourcePort: number,
    flags: number,
    sequence: number,
    acknowledgment: number,
    data = '',
  ): Read[] => {
    const header = { sourcePort, destinationPort: PORT, flags, sequence, acknowledgment };
    router.fromHost(tcp({ source: HOST, destination: LAN_ADDRESS }, header, Buffer.from(data)));
    settle();
    return router.toLan().map(read);
  };
  /** Opens a connection; answers our next number, and what was said to its last segment. */
  const open = (port: number): [number, Read[]] => {
    const [answer] = say(port, SYN, FIRST - 1, 0) as [Read];
    const next = (answer.sequence + 1) | 0;
    return [next, say(port, ACK, FIRST, next)];
  };
  const [next] = open(4000);
  const { overlay } = machine;
  Object.assign(machine, {
    overlay: () => {
      throw new Refusal('Cannot load the part tcp');
    },
  });
  t.deepEqual(
    open(4001)[1].map(({ tcpFlags }) => tcpFlags),
    [RST],
  );
  t.is(context.tcp.connect(parseAddress(HOST) as number, PORT), undefined);
  t.true(context.tcp.isShort());
  say(4000, ACK | PSH, FIRST, next, 'query');
  t.is(got, 'query');
  Object.assign(machine, { overlay });
  open(4002);
  t.is(context.tcp.connections().length, 2);
  t.truthy(context.tcp.connect(parseAddress(HOST) as number, PORT));
});
