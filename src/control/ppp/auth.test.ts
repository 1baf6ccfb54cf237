import test from 'ava';
import fc from 'fast-check';
import { runSeed } from '../../../tools/harness/random.ts';
import type { Account, AuthHost } from './auth.ts';
import { ChapPeer, ChapServer, md5Response } from './chap.ts';
import { md4 } from './digest.ts';
import type { Method } from './lcp.ts';
import { challengeHash, ntHash, ntResponse, proof2 } from './ms-chap.ts';
import { bytesOf, type Packet, readPacket } from './packet.ts';
import { PapPeer, PapServer } from './pap.ts';
import { bytes, hex, PppTime } from './ppp-lab.ts';

// --- the vectors -----------------------------------------------------------------------------------------------

test('CHAP with MD5 answers as RFC 1994 says', t => {
  const challenge = Uint8Array.from({ length: 16 }, (_, i) => i);
  t.is(hex(md5Response(1, 'secret', challenge)), '740e86463bda3a4d7017d6e0fba0699d');
});

test('MS-CHAP, version 1, answers as the reference does', t => {
  t.is(
    hex(ntResponse(bytes('102DB5DF085D3041'), ntHash('MyPw'))),
    '4e9d3c8f9cfd385d5bf4d3246791956ca4c351ab409a3d61',
  );
});

test('MS-CHAP, version 2, is that of RFC 2759, section 9.2', t => {
  const ours = bytes('5B5D7C7D7B3F2F3E3C2C602132262628');
  const peers = bytes('21402324255E262A28295F2B3A337C7E');
  const hash = ntHash('clientPass');
  t.is(hex(challengeHash(peers, ours, 'User')), 'd02e4386bce91226');
  t.is(hex(challengeHash(peers, ours, 'DOMAIN\\User')), 'd02e4386bce91226');
  t.is(hex(hash), '44ebba8d5312b8d611474411f56989ae');
  t.is(hex(md4(hash)), '41c00c584bd2d91c4017a2a12fa59f3f');
  const response = ntResponse(challengeHash(peers, ours, 'User'), hash);
  t.is(hex(response), '82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df');
  const value = new Uint8Array(49);
  value.set(peers);
  value.set(response, 24);
  t.is(proof2(ours, value, 'User', 'clientPass'), 'S=407A5589115FD0D6209F510FE9C04566932CDA56');
});

// --- both sides ------------------------------------------------------------------------------------------------------

const METHODS: Method[] = ['pap', 'chap-md5', 'ms-chap', 'ms-chap-v2'];

class Side {
  readonly events: string[] = [];
  readonly sent: Packet[] = [];
  deliver: (packet: Packet) => void = () => {};
  readonly host: AuthHost;

  constructor(time: PppTime, seed: number) {
    let next = seed;
    this.host = {
      clock: time.clock,
      random: () => (next = Math.imul(next + 12345, 1103515245)),
      send: data => {
        const packet = readPacket(data) as Packet;
        this.sent.push(packet);
        this.deliver(packet);
      },
      done: name => this.events.push(`done ${name}`),
      failed: (reason, isSilence) =>
        this.events.push(`${isSilence === true ? 'silence' : 'failed'}: ${reason}`),
    };
  }
}

class Sides {
  readonly time = new PppTime();
  readonly caller = new Side(this.time, 1);
  readonly called = new Side(this.time, 99);
  readonly peer: PapPeer | ChapPeer;
  readonly server: PapServer | ChapServer;

  constructor(
    readonly method: Method,
    account: Account = { name: 'user', password: 'secret' },
    password: string | undefined = 'secret',
    known = account.name,
  ) {
    const passwordOf = (name: string) => (name === known ? password : undefined);
    if (method === 'pap') {
      this.peer = new PapPeer(this.caller.host, account, 7, 300);
      this.server = new PapServer(this.called.host, passwordOf, 300);
    } else {
      this.peer = new ChapPeer(this.caller.host, method, account, 300);
      this.server = new ChapServer(this.called.host, method, 'masqbox', passwordOf, 300);
    }
    this.caller.deliver = packet => this.time.after(1, () => this.server.input(packet));
    this.called.deliver = packet => this.time.after(1, () => this.peer.input(packet));
  }

  run(seconds = 1): this {
    this.peer.start();
    this.server.start();
    this.time.seconds(seconds);
    return this;
  }
}

for (const method of METHODS) {
  test(`${method}: the right password is good, on both sides`, t => {
    for (const [name, password] of [
      ['user', 'secret'],
      ['user@realm.example', 'with blanks and 8\u00fc'],
      ['', 'secret'],
      ['DOMAIN\\user', 'secret'],
      ['M\u00fcller', 'secret'],
      ['user', ''],
    ] as const) {
      const sides = new Sides(method, { name, password }, password).run();
      t.deepEqual(sides.caller.events, [`done ${name}`]);
      t.deepEqual(sides.called.events, [`done ${name}`]);
    }
  });

  test(`${method}: a wrong password or name is refused, and both say so`, t => {
    for (const sides of [
      new Sides(method, { name: 'user', password: 'Secret' }),
      new Sides(method, undefined, 'secret', 'other'),
    ]) {
      sides.run();
      t.regex(sides.caller.events[0] as string, /^failed: The peer says: .*Wrong name or password$/);
      t.deepEqual(sides.called.events, ['failed: The peer has a wrong name or password: user']);
    }
  });

  test(`${method}: whichever packet is lost, it goes on`, t => {
    for (let lost = 0; lost < 3; lost++) {
      const sides = new Sides(method);
      let count = 0;
      for (const side of [sides.caller, sides.called]) {
        const { deliver } = side;
        side.deliver = packet => {
          if (count++ !== lost) deliver(packet);
        };
      }
      sides.run(10);
      t.deepEqual(sides.caller.events, ['done user'], `${lost}`);
      t.deepEqual(sides.called.events, ['done user'], `${lost}`);
    }
  });

  test(`${method}: with nobody there both give up, with few packets`, t => {
    const sides = new Sides(method);
    sides.caller.deliver = () => {};
    sides.called.deliver = () => {};
    sides.run(100);
    t.regex(sides.caller.events.join(), /^silence: [^,]*$/);
    t.regex(sides.called.events.join(), /^silence: [^,]*$/);
    t.true(sides.caller.sent.length + sides.called.sent.length <= 20);
  });

  test(`${method}: what is cut or made up is nothing, and no error`, t => {
    const any = fc.record({
      code: fc.integer({ min: 0, max: 5 }),
      identifier: fc.integer({ min: 0, max: 255 }),
      data: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 20 }), all => {
        const sides = new Sides(method);
        sides.server.start();
        for (const packet of all) {
          sides.server.input(packet);
          sides.peer.input(packet);
        }
        return !sides.called.events.some(event => event.startsWith('done'));
      }),
      { seed: runSeed(), numRuns: 50 },
    );
    t.pass();
  });
}

test('CHAP asks again in an open link, and a new challenge is answered at any time', t => {
  for (const method of METHODS.slice(1)) {
    const sides = new Sides(method).run();
    sides.server.start();
    sides.time.seconds(1);
    t.deepEqual(sides.caller.events, ['done user', 'done user']);
    t.deepEqual(sides.called.events, ['done user', 'done user']);
    const [first, second] = sides.called.sent.filter(({ code }) => code === 1) as [Packet, Packet];
    t.not(first.identifier, second.identifier);
    t.notDeepEqual(first.data, second.data);
  }
});

test('a value longer than its packet, and a name of 300 bytes, are nothing to CHAP (pppd, 2014 and 2020)', t => {
  for (const method of METHODS.slice(1)) {
    const sides = new Sides(method);
    sides.server.start();
    const identifier = sides.called.sent[0]?.identifier as number;
    sides.server.input({ code: 2, identifier, data: bytes('ff0102') });
    sides.server.input({ code: 2, identifier, data: bytes('00') });
    t.deepEqual(sides.called.events, []);
    sides.server.input({ code: 2, identifier, data: Uint8Array.of(16, ...new Array(16 + 300).fill(65)) });
    t.is(sides.called.events.length, 1);
    t.true((sides.called.events[0] as string).length < 320);
    sides.peer.input({ code: 1, identifier: 1, data: bytes('ff0102') });
    t.deepEqual(sides.caller.sent, []);
  }
});

test('who answers version 2 without the proof does not know the password', t => {
  const sides = new Sides('ms-chap-v2');
  sides.peer.input({ code: 1, identifier: 5, data: Uint8Array.of(16, ...new Array(16).fill(1)) });
  sides.peer.input({ code: 3, identifier: 5, data: bytesOf(`S=${'0'.repeat(40)} M=Welcome`) });
  t.deepEqual(sides.caller.events, ['failed: The peer does not know our password itself']);
});

test('PAP: a request is the reference’s, and lengths behind its end are nothing', t => {
  const sides = new Sides('pap', { name: 'user', password: 'pass' });
  sides.peer.start();
  t.is(hex(sides.caller.sent[0]?.data as Uint8Array), hex(bytes('0475736572 0470617373')));
  for (const data of ['', '04', '0475736572', '0475736572 05 70617373', 'ff75736572 0470617373'])
    sides.server.input({ code: 1, identifier: 1, data: bytes(data) });
  t.deepEqual(sides.called.events, []);
  t.deepEqual(sides.called.sent, []);
});
