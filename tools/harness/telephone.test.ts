// The telephone of the tests: what its modems say, that bytes cross as fast as the line is, late and whole, and how calls end.

import { type Duplex, duplexPair } from 'node:stream';
import test, { type ExecutionContext } from 'ava';
import { seeded } from './random.ts';
import { Exchange, type LineOptions } from './telephone.ts';

const STEP_MS = 20;
const PATIENCE_MS = 10_000;

/** Who has a modem: what came, and what is sent. */
class User {
  heard = '';
  private readonly stream: Duplex;

  constructor(exchange: Exchange, number: string) {
    const [mine, modems] = duplexPair();
    this.stream = mine;
    mine.on('data', (bytes: Buffer) => {
      this.heard += bytes.toString('latin1');
    });
    exchange.modem(number, modems);
  }

  send(text: string): void {
    this.stream.write(Buffer.from(text, 'latin1'));
  }

  /** Waits until it has come, and forgets what was before; answers it. */
  async hears(what: RegExp): Promise<string> {
    const end = Date.now() + PATIENCE_MS;
    while (Date.now() < end) {
      const found = what.exec(this.heard);
      if (found !== null) {
        this.heard = this.heard.slice(found.index + found[0].length);
        return found[0];
      }
      await new Promise(resolve => setTimeout(resolve, STEP_MS));
    }
    throw new Error(`Cannot hear ${what} in ${JSON.stringify(this.heard.slice(-200))}`);
  }
}

function telephones(t: ExecutionContext, options?: LineOptions) {
  const exchange = new Exchange(options);
  t.teardown(() => exchange.close());
  return {
    exchange,
    one: new User(exchange, '1'),
    two: new User(exchange, '2'),
    three: new User(exchange, '3'),
  };
}

async function call(one: User, two: User, rate: number): Promise<void> {
  one.send('ATDT2\r');
  await two.hears(/\r\nRING\r\n/);
  two.send('ATA\r');
  await Promise.all([one, two].map(user => user.hears(new RegExp(`\r\nCONNECT ${rate}\r\n`))));
}

test('commands, a call, a busy line, the escape sequence and its end', async t => {
  const { exchange, one, two, three } = telephones(t);
  one.send('ATZ\r');
  t.truthy(await one.hears(/^ATZ\r\r\nOK\r\n/));
  one.send('ATE0V1&C1\r');
  await one.hears(/OK\r\n/);
  one.send('ATDT9\r');
  t.is(await one.hears(/NO ANSWER\r\n/), 'NO ANSWER\r\n');
  await call(one, two, 38_400);
  three.send('ATDT2\r');
  await three.hears(/BUSY/);
  one.send('abc+++def');
  await two.hears(/abc\+\+\+def/);
  await new Promise(resolve => setTimeout(resolve, 1100));
  one.send('+++');
  await one.hears(/\r\nOK\r\n/);
  one.send('ATO\r');
  await one.hears(/CONNECT/);
  one.send('on again');
  await two.hears(/on again/);
  await new Promise(resolve => setTimeout(resolve, 1100));
  two.send('+++');
  await two.hears(/\r\nOK\r\n/);
  two.send('ATH\r');
  await one.hears(/NO CARRIER/);
  await two.hears(/OK/);
  two.send('ATS0=2\r');
  await two.hears(/OK/);
  three.send('ATDT2\r');
  await three.hears(/CONNECT/);
  await two.hears(/RING\s+RING\s+CONNECT/);
  exchange.at('3')?.drop();
  await Promise.all([two, three].map(user => user.hears(/NO CARRIER/)));
});

test('who is dialling hangs up by any byte, and the other rings no more', async t => {
  const { exchange, one, two } = telephones(t);
  one.send('ATDT2\r');
  await two.hears(/RING/);
  one.send(' ');
  await one.hears(/NO CARRIER/);
  t.true(exchange.at('2')?.isFree);
  two.send('ATA\r');
  await two.hears(/NO CARRIER/);
});

test('bytes cross at the rate of the line, and noise changes some of them', async t => {
  const whole = telephones(t, { rate: 19_200, delay: 200 });
  await call(whole.one, whole.two, 19_200);
  const text = 'x'.repeat(3840);
  const from = Date.now();
  whole.one.send(`${text}.`);
  await whole.two.hears(/x{3840}\./);
  const took = Date.now() - from;
  t.true(took >= 1900, `${took} ms`);
  t.is(whole.exchange.at('1')?.lost, 0);

  const noisy = telephones(t, { rate: 115_200, noise: 20, random: seeded(1) });
  await call(noisy.one, noisy.two, 115_200);
  noisy.one.send(text);
  const end = Date.now() + PATIENCE_MS;
  while (noisy.two.heard.length < text.length && Date.now() < end)
    await new Promise(resolve => setTimeout(resolve, STEP_MS));
  t.is(noisy.two.heard.length, text.length);
  const wrong = [...noisy.two.heard].filter(character => character !== 'x').length;
  t.true(wrong > 30 && wrong < 150, `${wrong} wrong bytes`);
});
