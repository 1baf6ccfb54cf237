// The WAN's DHCP client against real servers, and the board as it comes out of the box: nobody types anything, and
// a laptop on the LAN loads a page. dnsmasq and node-dhcp on the WAN; the sim board, then the 486.
// Not here: the state machine's times and rules (src/control/dhcp/client.test.ts).

import test, { type ExecutionContext } from 'ava';
import { type Laptop, plugIn } from '../tools/harness/laptop.ts';
import type { Segment } from '../tools/harness/namespace.ts';
import { eventually } from '../tools/harness/processes.ts';
import { runSeed } from '../tools/harness/random.ts';
import { type BoardRouter, boardRouter } from './harness/board-router.ts';
import { Peer } from './harness/peer.ts';
import { GATEWAY, Provider } from './harness/provider.ts';
import { type SimRouter, simRouter } from './harness/sim-router.ts';
import { openTap } from './harness/tap.ts';
import { pause } from './harness/town.ts';
import { isRoot, TEST_MILLISECONDS } from './harness/whole.ts';
import { concat } from './packets.ts';

type Dut = SimRouter | BoardRouter;

const OUT_OF_THE_BOX = { setup: [] };
const PAGE = 'http://page.example/';
/** Forty tries of which at least a third is good. */
const INSIST_SECONDS = 300;

const register = isRoot ? test.serial : test.serial.skip;

/** A provider and a router between its segments, removed after the test. */
function scenario(
  title: string,
  make: () => Dut,
  run: (t: ExecutionContext, provider: Provider, router: Dut) => Promise<void>,
): void {
  register(title, async t => {
    t.timeout(TEST_MILLISECONDS);
    const provider = await Provider.create();
    const router = make();
    try {
      await run(t, provider, router);
    } catch (error) {
      t.log(router.report());
      throw error;
    } finally {
      await router.stop();
      await provider.remove();
    }
  });
}

/** Waits until `show wan` says what is wanted; answers it all. */
async function wan(router: Dut, wanted: RegExp): Promise<string> {
  return await eventually(
    () => router.console('show wan'),
    text => wanted.test(text),
  );
}

/** Types `renew` until this is so: where each message may be lost, the client's own pauses are long. */
async function insist(router: Dut, isSo: () => Promise<boolean>): Promise<void> {
  const ask = async (): Promise<boolean> => {
    await router.console('renew');
    await pause(8000);
    return await isSo();
  };
  await eventually(
    async () => (await isSo()) || (await ask()),
    isDone => isDone,
    INSIST_SECONDS,
  );
}

/** Asks for more time, until the lease's end has moved. */
async function renewed(router: Dut): Promise<void> {
  const ends = async (): Promise<number> => {
    const left = (await router.console('show wan')).match(/, (\d+) s left$/m)?.[1];
    return Number(left ?? 0) + performance.now() / 1000;
  };
  const before = await ends();
  await pause(2500);
  await insist(router, async () => (await ends()) > before + 1.5);
}

/** A laptop that has just been plugged in. */
async function newLaptop(provider: Provider): Promise<Laptop> {
  const namespace = await provider.newcomer('laptop');
  return await plugIn(provider.network.processes, namespace, 'eth0', provider.directory);
}

/** Loads a page by name, with the laptop's own resolver settings. */
async function browse(provider: Provider, laptop: Laptop): Promise<string> {
  // The WAN may still be probing its address when the laptop has its own.
  const words = '-sS --max-time 60 --retry 30 --retry-delay 1 --retry-all-errors';
  const command = `mount --bind ${laptop.resolver} /etc/resolv.conf && exec curl ${words} ${PAGE}`;
  return await provider.within(laptop.namespace, ['unshare', '--mount', 'sh', '-c', command]);
}

async function webServer(provider: Provider): Promise<void> {
  const peer = await Peer.start(provider.inet);
  await peer.http(80, '0.0.0.0');
}

scenario(
  'sim: a lease of dnsmasq, renewed, given back and got again',
  () => simRouter(OUT_OF_THE_BOX),
  async (t, provider, router) => {
    const dnsmasq = await provider.dnsmasq(
      '203.0.113.100',
      '203.0.113.150',
      '--dhcp-option=26,1400',
      '--domain=provider.example',
      '--dhcp-option=42,203.0.113.7',
    );
    await router.start(provider);
    const shown = await wan(router, /^address +203\.0\.113\.1\d\d\/24$/m);
    t.regex(shown, /^mode +dhcp, bound$/m);
    t.regex(shown, /^gateway +203\.0\.113\.1$/m);
    t.regex(shown, /^MTU +1400$/m);
    t.regex(shown, /^DNS servers +203\.0\.113\.1$/m);
    t.regex(shown, /^NTP servers +203\.0\.113\.7$/m);
    t.regex(shown, /^domain +provider\.example$/m);
    t.regex(shown, /^lease +from 203\.0\.113\.1, 120 s, \d+ s left$/m);
    t.regex(dnsmasq.stderr, /DHCPACK\(eth0\) 203\.0\.113\.1\d\d \S+ masqbox/);
    t.false((await router.console('show config')).includes('wan'), 'nothing was set');
    const acknowledged = () => dnsmasq.stderr.match(/DHCPACK/g)?.length ?? 0;
    const before = acknowledged();
    await renewed(router);
    await eventually(acknowledged, count => count > before);
    t.is(await router.console('release'), '');
    await dnsmasq.until(/DHCPRELEASE\(eth0\) 203\.0\.113/);
    t.regex(await router.console('show wan'), /^mode +dhcp, stopped\naddress +none$/m);
    await router.console('renew');
    await wan(router, /dhcp, bound/);
  },
);

scenario(
  'sim: a server that comes back with another network refuses the old address',
  () => simRouter(OUT_OF_THE_BOX),
  async (t, provider, router) => {
    const first = await provider.dnsmasq('203.0.113.100', '203.0.113.100');
    await router.start(provider);
    await wan(router, /203\.0\.113\.100\/24/);
    await first.stop();
    await router.console('renew');
    await wan(router, /dhcp, renewing\naddress +203\.0\.113\.100\/24/);
    const second = await provider.dnsmasq('203.0.113.110', '203.0.113.110');
    await router.console('renew');
    await wan(router, /203\.0\.113\.110\/24/);
    await second.until(/DHCPNAK/);
    t.regex(
      await router.console('show log'),
      /203\.0\.113\.1 says that 203\.0\.113\.100 is not ours \(NAK\)/,
    );
  },
);

scenario(
  'sim: an address that a host already has is declined',
  () => simRouter(OUT_OF_THE_BOX),
  async (t, provider, router) => {
    await provider.network.host('squatter', provider.wan, ['203.0.113.100/24']);
    const dnsmasq = await provider.dnsmasq('203.0.113.100', '203.0.113.101');
    await router.start(provider);
    await wan(router, /203\.0\.113\.101\/24/);
    // dnsmasq begins at an address that it computes of the MAC; if that was the free one, the other is asked for.
    if (!/DHCPDECLINE/.test(dnsmasq.stderr)) {
      await router.console('release');
      await dnsmasq.stop();
      const only = await provider.dnsmasq('203.0.113.100', '203.0.113.100');
      await router.console('renew');
      await only.until(/DHCPDECLINE/);
    }
    t.regex(await router.console('show log'), /203\.0\.113\.100 is declined: \S+ has it/);
  },
);

scenario(
  'sim: node-dhcp, which acknowledges everything, and short leases',
  () => simRouter(OUT_OF_THE_BOX),
  async (t, provider, router) => {
    const server = await provider.nodeDhcp('203.0.113.60', '203.0.113.70', 10);
    await router.start(provider);
    await wan(router, /203\.0\.113\.(6\d|70)\/24/);
    const requests = () => server.stdout.match(/message 3/g)?.length ?? 0;
    await eventually(requests, count => count >= 3);
    await wan(router, /dhcp, (bound|renewing|rebinding)\naddress +203\.0\.113\.(6\d|70)/);
    t.pass();
  },
);

scenario(
  'sim: the lease is got and kept on a wire that loses, doubles, damages and delays',
  () =>
    simRouter({
      setup: [],
      wanFaults: {
        seed: runSeed(),
        faults: { loss: 0.2, duplicate: 0.2, corrupt: 0.02, reorder: 0.1, delayMilliseconds: 20 },
      },
    }),
  async (t, provider, router) => {
    await provider.dnsmasq('203.0.113.100', '203.0.113.150');
    await router.start(provider);
    await insist(router, async () => /dhcp, bound/.test(await router.console('show wan')));
    await renewed(router);
    t.pass();
  },
);

scenario(
  "sim: a WAN that has the LAN's network moves the LAN, unless that was set by hand",
  () => simRouter(OUT_OF_THE_BOX),
  async (t, provider, router) => {
    await provider.network.ip(provider.inet.namespace, 'address', 'add', '192.168.0.254/24', 'dev', 'eth0');
    const options = ['--dhcp-option=3,192.168.0.254', '--dhcp-option=6,192.168.0.254'];
    await provider.dnsmasq('192.168.0.50', '192.168.0.59', ...options);
    await webServer(provider);
    await router.start(provider);
    await wan(router, /192\.168\.0\.5\d\/24/);
    t.regex(
      await router.console('show log'),
      /moved from 192\.168\.0\.1 to 192\.168\.1\.1\/24, as the WAN has 192\.168\.0\.0\/24/,
    );
    const laptop = await newLaptop(provider);
    const addresses = await provider.within(laptop.namespace, ['ip', '-4', 'address', 'show', 'dev', 'eth0']);
    t.regex(addresses, /192\.168\.1\.\d+\/24/);
    const page = await provider.within(laptop.namespace, [
      'curl',
      '-sS',
      '--max-time',
      '60',
      'http://192.168.0.254/',
    ]);
    t.not(page, '');
    t.is(await router.console('set lan address 192.168.1.1/24'), '');
    t.regex(
      await router.console('set lan address 192.168.0.1/24'),
      /shares addresses with the WAN's network/,
    );
  },
);

scenario(
  'sim: the provider is told who we are: station address, client identifier, vendor class of two words',
  () => simRouter(OUT_OF_THE_BOX),
  async (t, provider, router) => {
    const dnsmasq = await provider.dnsmasq(
      '203.0.113.100',
      '203.0.113.150',
      '--dhcp-host=id:me@isp,203.0.113.77',
      '--dhcp-host=02:00:00:00:0a:0b,203.0.113.78',
    );
    await router.start(provider);
    await wan(router, /^address +203\.0\.113\.1\d\d\/24$/m);
    t.is(await router.console('set wan mac 02:00:00:00:0a:0b'), '');
    await wan(router, /^address +203\.0\.113\.78\/24$/m);
    await dnsmasq.until(/DHCPACK\(eth0\) 203\.0\.113\.78 02:00:00:00:0a:0b/);
    t.is(await router.console('set wan vendor-class MSFT 5.0'), '');
    await dnsmasq.until(/vendor class: MSFT 5\.0/);
    t.is(await router.console('set wan client-id me@isp'), '');
    await wan(router, /^address +203\.0\.113\.77\/24$/m);
    const peer = await provider.network.ip(provider.inet.namespace, 'neigh', 'show', '203.0.113.77');
    t.regex(peer, /02:00:00:00:0a:0b/);
  },
);

/** A line to the provider on which all is tagged: what comes without the tag gets nowhere. */
async function taggedLine(
  provider: Provider,
  vlan: number,
): Promise<{ line: Segment; close(): Promise<void> }> {
  const { network } = provider;
  const line = await network.segment('line');
  await line.tap('tagged');
  await provider.wan.tap('plain');
  const [tagged, plain] = [openTap('tagged', network.switch), openTap('plain', network.switch)];
  const tag = [0x81, 0, vlan >> 8, vlan & 255];
  tagged.receive = frame => {
    if (tag.every((byte, i) => frame[12 + i] === byte))
      plain.send(concat(frame.slice(0, 12), frame.slice(16)));
  };
  plain.receive = frame => tagged.send(concat(frame.slice(0, 12), tag, frame.slice(12)));
  return { line, close: async () => void (await Promise.all([tagged.close(), plain.close()])) };
}

scenario(
  'sim: the provider is in a VLAN, and a page behind it is loaded',
  () => simRouter(OUT_OF_THE_BOX),
  async (t, provider, router) => {
    const { line, close } = await taggedLine(provider, 7);
    await provider.dnsmasq('203.0.113.100', '203.0.113.150');
    await webServer(provider);
    try {
      await router.start({ network: provider.network, lan: provider.lan, wan: line });
      t.is(await router.console('set wan vlan 7'), '');
      await wan(router, /^address +203\.0\.113\.1\d\d\/24$/m);
      t.not(await browse(provider, await newLaptop(provider)), '');
      t.is(await router.console('set wan vlan 8'), '');
      await wan(router, /^address +none$/m);
    } finally {
      await close();
    }
  },
);

scenario(
  "sim: an address of /31 and of /32 set by hand, and a modem's page on the WAN's own link",
  () => simRouter(OUT_OF_THE_BOX),
  async (t, provider, router) => {
    await webServer(provider);
    // The modem knows no way but its link.
    const modem = await provider.network.host('modem', provider.wan, ['192.168.100.1/24']);
    await provider.network.ip(modem.namespace, 'route', 'add', '203.0.113.0/24', 'dev', 'eth0');
    const page = await Peer.start(modem);
    await page.http(80, '0.0.0.0');
    await router.start(provider);
    const laptop = await newLaptop(provider);
    const loads = async (address: string): Promise<void> => {
      const words = ['--max-time', '60', '--retry', '10', '--retry-delay', '1', '--retry-all-errors'];
      t.not(await provider.within(laptop.namespace, ['curl', '-sS', ...words, `http://${address}/`]), '');
    };
    for (const prefix of ['203.0.113.8/31', '203.0.113.9/32']) {
      t.is(await router.console(`set wan static ${prefix} ${GATEWAY}`), '');
      t.regex(await router.console('show wan'), new RegExp(`^address +${prefix}$`, 'm'));
      await loads('203.0.113.2');
    }
    t.is(await router.console('set wan modem 192.168.100.1'), '');
    await loads('192.168.100.1');
  },
);

scenario(
  'board: plugged in and nothing typed, a laptop gets an address, resolves a name and loads a page',
  () => boardRouter({ ...OUT_OF_THE_BOX, name: 'box' }),
  async (t, provider, router) => {
    await provider.dnsmasq('203.0.113.100', '203.0.113.150');
    await webServer(provider);
    await router.start(provider);
    const laptop = await newLaptop(provider);
    t.regex(
      await provider.within(laptop.namespace, ['cat', laptop.resolver]),
      /^nameserver 192\.168\.0\.1$/m,
    );
    t.not(await browse(provider, laptop), '');
    const shown = await router.console('show wan');
    t.regex(shown, /^mode +dhcp, bound$/m);
    t.regex(shown, new RegExp(`^gateway +${GATEWAY.replaceAll('.', '\\.')}$`, 'm'));
  },
);
