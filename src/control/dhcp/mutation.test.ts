// The DHCP server under messages that are damaged: cut at every length, and with bytes changed, put in and taken out.
// It answers nothing that it could not read, nothing that was not asked, and gives no address twice.

import test, { type ExecutionContext } from 'ava';
import { addressText } from '../../../test/packets.ts';
import { runSeed, seeded } from '../../../tools/harness/random.ts';
import { LEASE_COUNT } from '../../base/limits.ts';
import { fixture } from './alone-lab.ts';
import { BOUND } from './lease-table.ts';
import { ACK, DECLINE, DISCOVER, INFORM, NAK, OFFER, RELEASE, REQUEST, Reader } from './message.ts';
import { OPTION_REQUESTED_ADDRESS, OPTION_SERVER_IDENTIFIER } from './options.ts';
import { compose, type Said, station } from './server-lab.ts';

const ROUTER = '192.168.0.1';
const ROUTER_ADDRESS = 0xc0a80001 | 0;
/** Ticks for a probe, and for the rate of messages. */
const TICKS = 30;

/** A message of each kind and state, with all options that a client may send. */
function samples(address: string): Uint8Array[] {
  const full: Said = { wants: [1, 3, 6, 15, 28, 42, 51, 121], name: 'desk', id: [255, 0, 0, 0, 1, 0, 2, 9] };
  const said: [number, Said][] = [
    [DISCOVER, { requested: address, most: 1400, lease: 3600 }],
    [REQUEST, { requested: address, server: ROUTER }],
    [REQUEST, { requested: address, server: '192.168.0.9' }],
    [REQUEST, { requested: address }],
    [REQUEST, { ciaddr: address }],
    [DISCOVER, { giaddr: '192.168.0.9', relay: [1, 2, 7, 7] }],
    [DECLINE, { requested: address, server: ROUTER }],
    [RELEASE, { ciaddr: address, server: ROUTER }],
    [INFORM, { ciaddr: address }],
  ];
  return said.map(([type, more], i) => compose(station(50 + (i % 3)), type, { ...full, ...more }));
}

/** Checks what the server answered to these bytes, and its table. */
function check(
  t: ExecutionContext,
  { server }: ReturnType<typeof fixture>,
  bytes: Uint8Array,
  replies: Reader[],
) {
  const asked = new Reader();
  const why = asked.parse(bytes);
  const holders = new Map<number, number>();
  server.each(({ address, state }) => {
    if (state === BOUND) holders.set(address, (holders.get(address) ?? 0) + 1);
  });
  const isTwice = [...holders.values()].some(count => count > 1);
  if (isTwice || server.table.used > LEASE_COUNT) t.fail('an address is given twice, or the table grew');
  if (replies.length === 0) return;
  const text = Buffer.from(bytes).toString('hex');
  if (why !== undefined || replies.length > 1) t.fail(`${replies.length} answers to ${text}`);
  const reply = replies[0] as Reader;
  const { type, yiaddr } = reply;
  const ours = reply.word(OPTION_SERVER_IDENTIFIER) === ROUTER_ADDRESS && reply.xid === asked.xid;
  const kinds = asked.type === DISCOVER ? [OFFER] : asked.type === REQUEST ? [ACK, NAK] : [ACK];
  if (!ours || !kinds.includes(type)) t.fail(`type ${type} is no answer to ${text}`);
  if (type === NAK || asked.type === INFORM) {
    if (yiaddr !== 0) t.fail(`${addressText(yiaddr)} is given by ${type} to ${text}`);
    return;
  }
  const inRange = server.pool.isInRange(yiaddr);
  const wanted = asked.ciaddr || asked.word(OPTION_REQUESTED_ADDRESS);
  const isAsked = type === OFFER || wanted === 0 || yiaddr === wanted;
  if (!inRange || !isAsked) t.fail(`${addressText(yiaddr)} is given to ${text}`);
}

/** The server with a client that has a lease, which no message of others may take. */
function withClient() {
  const lab = fixture();
  const requested = addressText(lab.say(1, DISCOVER)!.yiaddr);
  lab.say(1, REQUEST, { requested, server: ROUTER });
  const offered = addressText(lab.say(50, DISCOVER)!.yiaddr);
  lab.say(50, REQUEST, { requested: offered, server: ROUTER });
  const stays = (): boolean => lab.say(1, REQUEST, { ciaddr: requested })?.type === ACK;
  return { lab, offered, stays };
}

test('every message cut at every length', t => {
  const { lab, offered, stays } = withClient();
  for (const whole of samples(offered)) {
    for (let length = 0; length <= whole.length; length++) {
      const bytes = whole.slice(0, length);
      check(t, lab, bytes, lab.hear(bytes, TICKS));
    }
  }
  t.true(stays());
});

test('every message with bytes changed, put in and taken out', t => {
  const { lab, offered, stays } = withClient();
  const seed = runSeed();
  const random = seeded(seed);
  const originals = samples(offered);
  const damaged = (): Uint8Array => {
    const bytes = [...(originals[random.below(originals.length)] as Uint8Array)];
    for (let edits = 1 + random.below(4); edits > 0; edits--) {
      // Mostly where the options are: what stands before them is mostly zeros.
      const at = random.chance(0.7) ? 240 + random.below(bytes.length - 240) : random.below(240);
      const value = random.chance(0.5) ? random.below(256) : [0, 1, 4, 52, 53, 61, 255][random.below(7)]!;
      const kind = random.below(4);
      if (kind === 0) bytes.splice(at, 1);
      else if (kind === 1) bytes.splice(at, 0, value);
      else bytes[at] = value;
    }
    return Uint8Array.from(bytes);
  };
  let answers = 0;
  try {
    for (let i = 0; i < 20_000; i++) {
      const data = damaged();
      const replies = lab.hear(data, TICKS);
      if (replies.length > 0) answers++;
      check(t, lab, data, replies);
    }
    t.true(answers > 2000, `${answers} answers`);
    t.true(stays());
  } catch (error) {
    t.log(`MASQBOX_SEED=${seed}`);
    throw error;
  }
});
