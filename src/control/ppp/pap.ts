// PAP (RFC 1334, section 2): name and password in the clear, from who calls to who is called.
//
//    request:  length | name | length | password        ack, nak:  length | message

import { PAP_ACK, PAP_NAK, PAP_REQUEST } from '../../wire/ppp.ts';
import { type Account, AUTH_TRIES, type AuthHost, type PasswordOf, Repeater } from './auth.ts';
import { joined } from './digest.ts';
import { bytesOf, nameOf, type Packet, sameBytes, textOf, writePacket } from './packet.ts';

/** We say who we are. One identifier serves for all tries, so that a late answer counts. */
export class PapPeer {
  private readonly repeater: Repeater;
  private isOver = false;

  constructor(
    private readonly host: AuthHost,
    private readonly account: Account,
    private readonly identifier: number,
    ticks: number,
  ) {
    this.repeater = new Repeater(host.clock, ticks, () => host.failed('The peer does not answer PAP', true));
  }

  start(): void {
    const name = bytesOf(this.account.name);
    const password = bytesOf(this.account.password);
    const packet = writePacket(
      PAP_REQUEST,
      this.identifier,
      joined([name.length], name, [password.length], password),
    );
    this.repeater.start(() => this.host.send(packet));
  }

  stop(): void {
    this.repeater.stop();
  }

  input({ code, identifier, data }: Packet): void {
    if (this.isOver || identifier !== this.identifier || (code !== PAP_ACK && code !== PAP_NAK)) return;
    this.isOver = true;
    this.repeater.stop();
    const length = Math.min(data[0] ?? 0, data.length - 1);
    const message = textOf(data.slice(1, 1 + Math.max(0, length)));
    if (code === PAP_ACK) this.host.done(this.account.name);
    else
      this.host.failed(
        message === '' ? 'The peer refuses our name or password' : `The peer says: ${message}`,
      );
  }
}

/** The peer says who it is. */
export class PapServer {
  private readonly repeater: Repeater;
  private isKnown = false;
  private isOver = false;

  constructor(
    private readonly host: AuthHost,
    private readonly passwordOf: PasswordOf,
    ticks: number,
  ) {
    this.repeater = new Repeater(host.clock, ticks, () =>
      host.failed('The peer does not say who it is', true),
    );
  }

  /** Nothing is sent: the peer begins. It has as long as for AUTH_TRIES packets. */
  start(): void {
    this.repeater.start(() => AUTH_TRIES);
  }

  stop(): void {
    this.repeater.stop();
  }

  input({ code, identifier, data }: Packet): void {
    if (code !== PAP_REQUEST) return;
    const name = data.slice(1, 1 + (data[0] ?? 0));
    const at = 1 + name.length;
    const password = data.slice(at + 1, at + 1 + (data[at] ?? 0));
    // Both must be whole within the packet.
    if (name.length !== data[0] || password.length !== data[at]) return;
    const text = nameOf(name);
    if (!this.isOver) {
      // A name that nobody has takes as long as one that somebody has.
      const expected = this.passwordOf(text);
      this.isKnown = sameBytes(password, bytesOf(expected ?? '')) && expected !== undefined;
    }
    // A request that comes again had its answer lost, and gets the same.
    const message = bytesOf(this.isKnown ? 'Welcome' : 'Wrong name or password');
    this.host.send(
      writePacket(this.isKnown ? PAP_ACK : PAP_NAK, identifier, joined([message.length], message)),
    );
    if (this.isOver) return;
    this.isOver = true;
    this.repeater.stop();
    if (this.isKnown) this.host.done(text);
    else this.host.failed(`The peer has a wrong name or password: ${textOf(name)}`);
  }
}
