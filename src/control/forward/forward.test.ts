import test from 'ava';
import { controlLab } from '../../../test/control-lab.ts';
import { read, SYN, tcp } from '../../../test/packets.ts';
import { HOST, SERVER, WAN_ADDRESS } from '../../../test/plane-router.ts';
import { FORWARD_COUNT, TRIGGER_COUNT } from '../../base/limits.ts';
import { aliasSettings } from './aliases.ts';
import {
  setAlso,
  setForward,
  setOneToOne,
  setTrigger,
  showForwards,
  unsetForward,
  unsetOneToOne,
  unsetTrigger,
} from './overlay.ts';
import { forwardSetting } from './settings.ts';
import { triggerSetting } from './triggers.ts';
import { ForwardWatch } from './watch.ts';

function lab() {
  const { router, context, output, refusal } = controlLab();
  const { plane } = router;
  return {
    router,
    refusal,
    set: (line: string) => setForward(plane, line.split(' ')),
    unset: (line: string) => unsetForward(plane, line.split(' ')),
    lines: () => forwardSetting(context, new ForwardWatch(context)).lines(),
    shown: () => {
      output.length = 0;
      for (const _ of showForwards(context));
      return [...output];
    },
  };
}

test('lines come back as they were set, in their order, and bring about the same', t => {
  const { set, unset, lines } = lab();
  t.deepEqual(lines(), []);
  const all = [
    'tcp 80 192.168.0.2',
    'udp 6112-6119 192.168.0.3',
    'tcp 8080 192.168.0.2:80 192.168.0.3*3 192.168.0.4:8000*100 sticky',
    'udp 1-65535 192.168.0.9',
    'tcp 203.0.113.18:80 192.168.0.2 least check tcp 5 2 most 20 log',
    'mark 5 192.168.0.2 192.168.0.3:80 check ping 10 3',
  ];
  for (const line of all) set(line);
  t.deepEqual(
    lines(),
    all.map(line => `set forward ${line}`),
  );
  set('tcp 80 192.168.0.7:8000');
  unset('udp 6112-6119');
  t.deepEqual(
    lines(),
    [all[2], all[3], all[4], all[5], 'tcp 80 192.168.0.7:8000'].map(line => `set forward ${line}`),
  );
  for (const line of ['tcp 80', 'tcp 8080', 'udp 1:65535', 'tcp 203.0.113.18:80', 'mark 5']) unset(line);
  t.deepEqual(lines(), []);
});

test('what cannot be is refused with its reason', t => {
  const { set, unset, refusal } = lab();
  set('tcp 80-90 192.168.0.2');
  const why = (line: string) => refusal(() => set(line));
  t.regex(why('icmp 80 192.168.0.2'), /it is one of tcp, udp, mark/);
  for (const ports of ['0', '65536', '80-', '-80', '80-65536', '8o', ''])
    t.regex(why(`tcp ${ports} 192.168.0.2`), /ports are 1 to 65535/);
  t.regex(why('tcp 90-80 192.168.0.2'), /it ends before it begins/);
  for (const host of ['192.168.0', '0.0.0.0', '224.0.0.1', '255.255.255.255'])
    t.regex(why(`tcp 22 ${host}`), /^Cannot set forward tcp 22 /);
  t.regex(why('tcp 22 192.168.0.1'), /is the router's own address/);
  t.regex(why(`tcp 22 ${WAN_ADDRESS}`), /is the router's own address/);
  for (const port of ['0', '65536'])
    t.regex(why(`tcp 22 192.168.0.2:${port}`), /the host has ports 1 to 65535/);
  t.regex(why('tcp 1000-1010 192.168.0.2:65530'), /the host has ports 1 to 65535/);
  for (const server of ['192.168.0.2:x', '192.168.0.2*0', '192.168.0.2*101', '192.168.0.2*', 'sticky', ':80'])
    t.regex(why(`tcp 22 ${server}`), /^Cannot set forward tcp 22 /);
  t.regex(why(`tcp 22${' 192.168.0.2'.repeat(9)}`), /there is one host to 8/);
  for (const words of [
    'sticky least',
    'check',
    'check udp',
    'check tcp 1',
    'check ping 5 0',
    'most',
    'most 0',
    'quickly',
  ])
    t.regex(why(`tcp 22 192.168.0.2 log ${words}`), /^Cannot set forward tcp 22 .*: /);
  t.regex(why('udp 22 192.168.0.2 check tcp'), /here it is check ping/);
  for (const mark of ['0', 'x', '4294967296'])
    t.regex(why(`mark ${mark} 192.168.0.2`), /a mark is 1 to 4294967295/);
  t.regex(why('tcp 85-95 192.168.0.3'), /it shares ports with tcp 80-90/);
  set('tcp 85-96 192.168.0.3');
  set('udp 85-95 192.168.0.3');
  t.regex(
    refusal(() => unset('tcp 80')),
    /Cannot unset forward tcp 80: it is not set/,
  );
  for (let i = 3; i < FORWARD_COUNT; i++) set(`udp ${1000 + i} 192.168.0.2`);
  t.regex(why('udp 2000 192.168.0.2'), /there are 32 places for hosts, and 0 are free/);
});

test('show forwards counts the sessions', t => {
  const { router, set, shown } = lab();
  t.deepEqual(shown(), ['No port is forwarded, see set forward']);
  set(`tcp 8080 ${HOST}:80`);
  for (const sourcePort of [4000, 4001]) {
    const ports = { sourcePort, destinationPort: 8080, flags: SYN };
    router.fromGateway(tcp({ source: SERVER, destination: WAN_ADDRESS }, ports));
  }
  t.deepEqual(
    router.toLan().map(datagram => read(datagram).destinationPort),
    [80, 80],
  );
  t.deepEqual(shown(), ['tcp 8080        192.168.0.2:80        2 sessions since it was set, 2 now']);
});

test('triggers come back as they were set, and are refused with their reason', t => {
  const { router, context, refusal } = controlLab();
  const { plane } = router;
  const set = (line: string) => setTrigger(plane, line.split(' '));
  const lines = () => triggerSetting(context).lines();
  for (const line of ['udp 6970-7170 tcp 7070', 'tcp 113 tcp 6667 always anybody', 'udp 6970-7170 tcp 554'])
    set(line);
  set('udp 6970-7170 tcp 7070 always');
  t.deepEqual(lines(), [
    'set trigger tcp 113 tcp 6667 always anybody',
    'set trigger udp 6970-7170 tcp 554',
    'set trigger udp 6970-7170 tcp 7070 always',
  ]);
  unsetTrigger(plane, 'udp 6970-7170 tcp 554'.split(' '));
  t.is(lines().length, 2);
  const why = (line: string) => refusal(() => set(line));
  t.regex(why('udp 6970-7170 tcp 7070-7071'), /it is ports, and one control port/);
  t.regex(why('mark 5 tcp 7070'), /it is ports, and one control port/);
  t.regex(why('udp 203.0.113.1:6970 tcp 7070'), /it is for whichever address/);
  t.regex(why('udp 6970 tcp 7070 often'), /often is not always, anybody/);
  for (let i = 2; i < TRIGGER_COUNT; i++) set(`udp ${1000 + i} tcp 1`);
  t.regex(why('udp 2000 tcp 1'), /all 8 are in use/);
  t.regex(
    refusal(() => unsetTrigger(plane, 'udp 2000 tcp 1'.split(' '))),
    /it is not set/,
  );
});

test('further addresses and those one to one come back as they were set, and what cannot be is refused', t => {
  const { router, context, refusal } = controlLab();
  const { plane } = router;
  const lines = () => aliasSettings(context).flatMap(setting => setting.lines());
  const also = (line: string) => setAlso(plane, line.split(' '));
  const one = (line: string) => setOneToOne(plane, line.split(' '));
  also('10.1.2.18 203.0.113.19');
  one('203.0.113.32/28 192.168.0.32/28');
  one('203.0.113.64 192.168.0.9');
  t.deepEqual(lines(), [
    'set wan also 10.1.2.18 203.0.113.19',
    'set nat one-to-one 203.0.113.32/28 192.168.0.32/28',
    'set nat one-to-one 203.0.113.64/32 192.168.0.9/32',
  ]);
  also('203.0.113.19 203.0.113.20');
  one('203.0.113.32/28 192.168.0.48/28');
  unsetOneToOne(plane, ['203.0.113.64']);
  t.deepEqual(lines(), [
    'set wan also 203.0.113.19 203.0.113.20',
    'set nat one-to-one 203.0.113.32/28 192.168.0.48/28',
  ]);
  const why = (run: () => void) => refusal(run);
  t.regex(
    why(() => also('203.0.113.33')),
    /203\.0\.113\.32 is set already/,
  );
  t.regex(
    why(() => also(WAN_ADDRESS)),
    /it is the link's own address/,
  );
  t.regex(
    why(() => also('192.168.0.77')),
    /it is in a network inside/,
  );
  t.regex(
    why(() => also('224.0.0.1')),
    /^Cannot set wan also 224/,
  );
  t.regex(
    why(() => one('203.0.113.16/28 192.168.0.16/29')),
    /both have as many addresses/,
  );
  t.regex(
    why(() => one('203.0.113.17/28 192.168.0.16/28')),
    /and not the network/,
  );
  t.regex(
    why(() => one('192.168.0.16/28 192.168.1.16/28')),
    /it is in a network inside/,
  );
  t.regex(
    why(() => one('203.0.113.128/25 192.168.0.0/25')),
    /a host inside has one address outside/,
  );
  t.regex(
    why(() => also(Array.from({ length: 16 }, (_, n) => `203.0.114.${n + 1}`).join(' '))),
    /and 15 are free/,
  );
  t.regex(
    why(() => unsetOneToOne(plane, ['203.0.113.64'])),
    /it is not set/,
  );
  setAlso(plane, []);
  t.is(lines().length, 1);
});
