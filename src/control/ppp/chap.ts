// CHAP (RFC 1994) with MD5 and with both versions of MS-CHAP: who is called asks, who calls shows that he knows the password.
// Not here: what MS-CHAP says (ms-chap.ts).
//
//    challenge, response:  size | value | name       success, failure:  message
//
// A challenge may come at any time, and be answered at any time. A response is sent again until it has an answer, since who asked does not ask
// again what he has answered already.

import {
  CHAP_CHALLENGE,
  CHAP_FAILURE,
  CHAP_MD5_BYTES,
  CHAP_RESPONSE,
  CHAP_SUCCESS,
  MS_1_CHALLENGE_BYTES,
  MS_2_CHALLENGE_BYTES,
  MS_FLAGS,
  MS_NT_RESPONSE,
  MS_RESPONSE_BYTES,
} from '../../wire/ppp.ts';
import { type Account, type AuthHost, type PasswordOf, Repeater, randomBytes } from './auth.ts';
import { joined, md5 } from './digest.ts';
import type { Method } from './lcp.ts';
import { proof2, response1, response2 } from './ms-chap.ts';
import { bytesOf, nameOf, type Packet, sameBytes, textOf, writePacket } from './packet.ts';

interface Value {
  value: Uint8Array;
  name: string;
}

/** Value and name; undefined where they do not end within the packet. */
function readValue(data: Uint8Array): Value | undefined {
  const size = data[0] ?? 0;
  if (size === 0 || 1 + size > data.length) return undefined;
  return { value: data.slice(1, 1 + size), name: nameOf(data.slice(1 + size, 1 + size + 255)) };
}

const writeValue = (value: Uint8Array, name: string): Uint8Array =>
  joined([value.length], value, bytesOf(name));

/** Bytes of a challenge and of a response of each method. */
function sizes(method: Method): [challenge: number, response: number] {
  if (method === 'ms-chap') return [MS_1_CHALLENGE_BYTES, MS_RESPONSE_BYTES];
  if (method === 'ms-chap-v2') return [MS_2_CHALLENGE_BYTES, MS_RESPONSE_BYTES];
  return [CHAP_MD5_BYTES, CHAP_MD5_BYTES];
}

/** RFC 1994, section 4.1: identifier, secret, challenge. */
export function md5Response(identifier: number, secret: string, challenge: Uint8Array): Uint8Array {
  return md5(joined([identifier], bytesOf(secret), challenge));
}

/** The peer asks, we answer. */
export class ChapPeer {
  private readonly repeater: Repeater;
  private identifier = -1;
  /** What a good answer to version 2 must say. */
  private proof = '';

  constructor(
    private readonly host: AuthHost,
    private readonly method: Method,
    private readonly account: Account,
    ticks: number,
    /** Whether a challenge is one of ours, that the peer wants us to answer in its place. */
    private readonly isOurs: (challenge: Uint8Array) => boolean = () => false,
  ) {
    this.repeater = new Repeater(host.clock, ticks, () =>
      host.failed('The peer does not go on with CHAP', true),
    );
  }

  /** Waits for a challenge, no longer than for an answer. */
  start(): void {
    this.repeater.start(() => undefined);
  }

  stop(): void {
    this.repeater.stop();
  }

  input(packet: Packet): void {
    if (packet.code === CHAP_CHALLENGE) this.challenged(packet);
    else if (packet.identifier === this.identifier) this.answered(packet);
  }

  private challenged({ identifier, data }: Packet): void {
    const challenge = readValue(data);
    const isMs = this.method !== 'chap-md5';
    if (challenge === undefined || (isMs && challenge.value.length !== sizes(this.method)[0])) return;
    if (this.isOurs(challenge.value)) {
      this.repeater.stop();
      this.host.failed('The peer sends our own challenge back');
      return;
    }
    this.identifier = identifier;
    const response = this.respond(identifier, challenge.value);
    const packet = writePacket(CHAP_RESPONSE, identifier, writeValue(response, this.account.name));
    this.repeater.start(() => this.host.send(packet));
  }

  private respond(identifier: number, challenge: Uint8Array): Uint8Array {
    const { method, host } = this;
    const { name, password } = this.account;
    if (method === 'ms-chap') return response1(challenge, password);
    if (method !== 'ms-chap-v2') return md5Response(identifier, password, challenge);
    const own = randomBytes(MS_2_CHALLENGE_BYTES, () => host.random());
    const response = response2(challenge, own, name, password);
    this.proof = proof2(challenge, response, name, password);
    return response;
  }

  private answered({ code, data }: Packet): void {
    if (code !== CHAP_SUCCESS && code !== CHAP_FAILURE) return;
    this.repeater.stop();
    this.identifier = -1;
    const message = textOf(data);
    if (code === CHAP_FAILURE)
      this.host.failed(
        message === '' ? 'The peer refuses our name or password' : `The peer says: ${message}`,
      );
    else if (this.method === 'ms-chap-v2' && !message.toUpperCase().startsWith(this.proof))
      this.host.failed('The peer does not know our password itself');
    else this.host.done(this.account.name);
  }
}

/** We ask, the peer answers. */
export class ChapServer {
  private readonly repeater: Repeater;
  private identifier = 0;
  private challenge: Uint8Array = new Uint8Array(0);
  /** The answer to the response that has come, or none yet. */
  private answer: Uint8Array | undefined;

  constructor(
    private readonly host: AuthHost,
    private readonly method: Method,
    /** Our name, which the peer may look up. */
    private readonly name: string,
    private readonly passwordOf: PasswordOf,
    ticks: number,
  ) {
    this.repeater = new Repeater(host.clock, ticks, () =>
      host.failed('The peer does not say who it is', true),
    );
  }

  /** Asks, also once more in an open link. */
  start(): void {
    const { host } = this;
    this.identifier = (this.identifier + 1 + (host.random() & 127)) & 255;
    this.challenge = randomBytes(sizes(this.method)[0], () => host.random());
    this.answer = undefined;
    const packet = writePacket(CHAP_CHALLENGE, this.identifier, writeValue(this.challenge, this.name));
    this.repeater.start(() => host.send(packet));
  }

  stop(): void {
    this.repeater.stop();
  }

  /** Whether it has asked so. */
  hasAsked(challenge: Uint8Array): boolean {
    return sameBytes(challenge, this.challenge);
  }

  input({ code, identifier, data }: Packet): void {
    if (code !== CHAP_RESPONSE || identifier !== this.identifier) return;
    const { host } = this;
    // A response that comes again had its answer lost, and gets the same (RFC 1994, section 4.2).
    if (this.answer !== undefined) {
      host.send(this.answer);
      return;
    }
    const response = readValue(data);
    if (response === undefined) return;
    this.repeater.stop();
    const message = this.judge(response);
    const isGood = message !== undefined;
    this.answer = writePacket(
      isGood ? CHAP_SUCCESS : CHAP_FAILURE,
      identifier,
      bytesOf(
        message ??
          (this.method === 'chap-md5' ? 'Wrong name or password' : 'E=691 R=0 M=Wrong name or password'),
      ),
    );
    host.send(this.answer);
    if (isGood) host.done(response.name);
    else host.failed(`The peer has a wrong name or password: ${textOf(bytesOf(response.name))}`);
  }

  /** What is said to a good response. */
  private judge({ value, name }: Value): string | undefined {
    const { method, challenge } = this;
    // A name that nobody has takes as long as one that somebody has.
    const expectedPassword = this.passwordOf(name);
    const isKnown = expectedPassword !== undefined;
    const password = expectedPassword ?? '';
    if (value.length !== sizes(method)[1]) return undefined;
    if (method === 'chap-md5')
      return sameBytes(value, md5Response(this.identifier, password, challenge)) && isKnown
        ? 'Welcome'
        : undefined;
    const isSecond = method === 'ms-chap-v2';
    const expected = isSecond
      ? response2(challenge, value.subarray(0, MS_2_CHALLENGE_BYTES), name, password)
      : response1(challenge, password);
    const nt = (bytes: Uint8Array) => bytes.subarray(MS_NT_RESPONSE, MS_FLAGS);
    if (!sameBytes(nt(value), nt(expected)) || !isKnown) return undefined;
    return isSecond ? `${proof2(challenge, value, name, password)} M=Welcome` : 'Welcome';
  }
}
