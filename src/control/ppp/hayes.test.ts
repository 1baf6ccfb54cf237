import test from 'ava';
import { seeded } from '../../../tools/harness/random.ts';
import { Hayes } from './hayes.ts';

class Cable {
  sent = '';
  connected = 0;
  guests = 0;
  readonly hayes = new Hayes({
    send: text => {
      this.sent += text;
    },
    connected: () => this.connected++,
    isGuest: () => this.guests++,
  });

  /** Says a text, and answers what comes back. */
  say(text: string): string {
    this.sent = '';
    for (const c of text) this.hayes.input(c.charCodeAt(0));
    return this.sent;
  }
}

test('commands of a Windows modem are echoed and answered, and dialling connects', t => {
  const cable = new Cable();
  t.is(cable.say('AT\r'), 'AT\r\r\nOK\r\n');
  t.is(cable.say('ATE0V1\r'), 'ATE0V1\r\r\nOK\r\n');
  t.is(cable.say('AT &F E0 V1 &D2 &C1 S0=0 W2 \\Q3 %C0\r'), '\r\nOK\r\n');
  t.is(cable.say('ATS7=60 M1 X4\r'), '\r\nOK\r\n');
  t.is(cable.say('ATS7?\r'), '\r\n060\r\n\r\nOK\r\n');
  t.is(cable.say('ATI3\r'), '\r\nMasqbox\r\n\r\nOK\r\n');
  t.is(cable.say('AT+FCLASS=?\r'), '\r\nERROR\r\n', 'it is no fax');
  t.is(cable.say('ATH\r'), '\r\nOK\r\n');
  t.is(cable.connected, 0);
  t.is(cable.say('ATDT 555-1234,,9;S7?\r'), '\r\nCONNECT 115200\r\n');
  t.is(cable.connected, 1);
  cable.hayes.disconnected();
  t.is(cable.sent, '\r\nCONNECT 115200\r\n\r\nNO CARRIER\r\n');
  t.is(cable.say('atz\r'), '\r\nOK\r\n');
  t.is(cable.say('A/'), '\r\nOK\r\n', 'the last line again');
});

test('results by numbers, none at all, and without a rate', t => {
  const cable = new Cable();
  cable.say('ATE0V0\r');
  t.is(cable.say('AT\r'), '0\r');
  t.is(cable.say('ATDT1\r'), '1\r');
  t.is(cable.say('ATO\r'), '3\r');
  t.is(cable.say('AT!\r'), '4\r');
  t.is(cable.say('ATQ1\r'), '');
  t.is(cable.say('ATZE0X0\r'), '\r\nOK\r\n');
  t.is(cable.say('ATD1\r'), '\r\nCONNECT\r\n');
});

test('CLIENT is answered by CLIENTSERVER without an echo, also behind noise and said twice', t => {
  const cable = new Cable();
  t.is(cable.say('CLIENT'), 'CLIENTSERVER');
  t.is(cable.say('CLICCLIENT'), 'CLIENTSERVER');
  t.is(cable.guests, 2);
  t.is(cable.say('client'), '');
});

test('what is neither gets no answer, and a line without an end only so much room', t => {
  const cable = new Cable();
  t.is(cable.say('hello\r\n+++\rA\rB\rTA\r'), '');
  t.is(cable.say('+++ATH\r'), 'ATH\r\r\nOK\r\n');
  cable.say('ATE0\r');
  t.is(cable.say(`AT${'S0=1'.repeat(1000)}\r`), '\r\nERROR\r\n');
  t.is(cable.say('ATXY\b\r'), '\r\nOK\r\n', 'a backspace takes a letter back');
  t.is(cable.say('ATD\r'), '\r\nCONNECT\r\n', 'X was without a number');
  const random = seeded(3);
  for (let i = 0; i < 200_000; i++) cable.hayes.input(random.below(256));
  t.true(JSON.stringify(cable.hayes).length < 1000, 'nothing grows');
  cable.say('\rATZ\r');
  t.is(cable.say('\rAT\r'), 'AT\r\r\nOK\r\n');
});

test('A/ repeats that a number is dialled, and of 1,024 bytes there are not many answers', t => {
  let sends = 0;
  let connected = 0;
  const hayes = new Hayes({ send: () => sends++, connected: () => connected++, isGuest: () => {} });
  const say = (text: string) => {
    for (const c of text) hayes.input(c.charCodeAt(0));
  };
  say(`AT${'I'.repeat(80)}\r`);
  sends = 0;
  say('A/'.repeat(512));
  t.true(sends <= 1024, `${sends} sends`);
  say(`ATE0${'I'.repeat(70)}D1\rATX0\r`);
  sends = 0;
  say('A/'.repeat(512));
  t.true(sends <= 1024, `${sends} sends`);
  say('ATDT1\r');
  connected = 0;
  say('A/A/');
  t.is(connected, 2);
});
