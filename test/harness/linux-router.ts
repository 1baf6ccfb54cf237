// Linux's own NAT as the router under test. It stands in for the board so that a scenario which fails on the
// board can be told from a scenario that is wrong: what Linux passes, the town and the tools are good for.

import { within } from '../../tools/harness/namespace.ts';
import {
  GATEWAY,
  LAN_ADDRESS,
  LAN_NETWORK,
  type Router,
  type Town,
  WAN_ADDRESS,
  WAN_PREFIX,
} from './town.ts';

// MASQUERADE with our default policy: nothing unsolicited comes in, no side may use the other's addresses.
const RULES = `
table ip masqbox {
  chain prerouting {
    type filter hook prerouting priority -300;
    iifname "wan0" ip saddr { ${LAN_NETWORK}, ${WAN_ADDRESS}, 127.0.0.0/8 } drop
    iifname "lan0" ip saddr != ${LAN_NETWORK} drop
  }
  chain input {
    type filter hook input priority 0;
    iifname "wan0" ct state new drop
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
    tcp flags syn tcp option maxseg size set rt mtu
    ct state established,related accept
    iifname "lan0" accept
  }
  chain postrouting {
    type nat hook postrouting priority 100;
    oifname "wan0" masquerade
  }
}`;

export function linuxRouter(): Router {
  let town: Town | undefined;
  let namespace = '';
  const ip = async (...words: string[]): Promise<string> => await town!.network.ip(namespace, ...words);
  return {
    name: 'linux',
    start: async around => {
      town = around;
      const { network } = around;
      namespace = await network.addNamespace('router');
      await around.lan.veth(namespace, 'lan0');
      await around.wan.veth(namespace, 'wan0');
      await ip('address', 'add', `${LAN_ADDRESS}/24`, 'dev', 'lan0');
      await ip('address', 'add', `${WAN_ADDRESS}/${WAN_PREFIX}`, 'dev', 'wan0');
      await ip('route', 'add', 'default', 'via', GATEWAY);
      const inside = { within: within(namespace) };
      await network.processes.output(['nft', '-f', '-'], { ...inside, input: RULES });
      await network.processes.output(['sysctl', '-q', '-w', 'net.ipv4.ip_forward=1'], inside);
    },
    setWanMtu: async bytes => {
      await ip('link', 'set', 'wan0', 'mtu', String(bytes));
    },
    stop: async () => {}, // its namespace goes with the town
    report: () => '',
  };
}
