// Links by PPP and SLIP between two whole boards, by a cable and by a modem that the test plays.

import test from 'ava';
import { Cable, PortBoard } from './sim-lab.ts';

const UP_SECONDS = 20;

test.serial(
  'two boards on a cable: addresses, name servers and a way; a control that dies leaves the link as it is',
  async t => {
    t.timeout(600_000);
    const cable = new Cable([await PortBoard.start(), await PortBoard.start()]);
    const [near, far] = cable.boards as [PortBoard, PortBoard];
    cable.seconds(10, () => near.said.endsWith('> ') && far.said.endsWith('> '));
    const dialIn = [
      'role lan',
      'address 10.9.0.1:10.9.0.2',
      'dns 10.1.0.53',
      'auth chap-md5',
      'user me',
      'password my word',
    ];
    for (const option of [...dialIn, 'port com2']) t.notRegex(cable.type(1, `set ppp0 ${option}`), /Cannot/);
    cable.type(0, 'set ppp0 user me');
    cable.type(0, 'set ppp0 password my word');
    cable.type(0, 'set ppp0 port com2');
    cable.seconds(UP_SECONDS, () => near.said.includes('ppp0: up: 10.9.0.2, peer 10.9.0.1'));
    t.regex(near.said, /ppp0: up: 10\.9\.0\.2, peer 10\.9\.0\.1, MTU 1500/);
    t.regex(cable.type(0, 'ping 10.9.0.1 count 2'), /2 sent, 2 received/);
    t.regex(
      cable.type(1, 'ping 10.9.0.2 count 1'),
      /1 sent, 0 received/,
      'to strangers the board is not there',
    );
    t.regex(cable.type(0, 'show routes'), /^0\.0\.0\.0\/0 +10\.9\.0\.1 +ppp0$/m);
    t.regex(cable.type(0, 'show dns'), /10\.1\.0\.53/);
    t.regex(cable.type(1, 'show ppp'), /peer 10\.9\.0\.2, who is me/);
    t.regex(cable.type(0, 'show config'), /^set ppp0 password \(not shown\)$/m);
    const frames = /received (\d+) packets/.exec(cable.type(1, 'show ppp'))?.[1];
    near.board.type('debug crash control throw\r');
    cable.seconds(UP_SECONDS, () => near.said.includes('goes on, as control was started again'));
    t.regex(cable.type(0, 'ping 10.9.0.1 count 1'), /1 sent, 1 received/);
    t.regex(cable.type(0, 'show dns'), /10\.1\.0\.53/);
    // No more frames of PPP's own than the ping: nothing was negotiated.
    t.is(Number(/received (\d+) packets/.exec(cable.type(1, 'show ppp'))?.[1]), Number(frames) + 1);
    t.is(cable.type(0, 'hangup ppp0'), '');
    cable.seconds(UP_SECONDS, () => far.said.includes('ppp0: ends'));
    t.notRegex(cable.type(0, 'show routes'), /ppp0/);
    t.regex(cable.type(0, 'show ppp'), /^ppp0 down/);
  },
);
