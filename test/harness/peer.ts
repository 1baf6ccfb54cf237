// Drives a peer (peer-program.ts) that runs on a host: UDP sockets and a web server there, seen from the test.

import { join } from 'node:path';
import type { Host } from '../../tools/harness/namespace.ts';
import { PATIENCE_SECONDS, type Running } from '../../tools/harness/processes.ts';

const ROOT = join(import.meta.dirname, '../..');

export interface Datagram {
  readonly from: string;
  readonly fromPort: number;
  readonly data: Buffer;
}

export interface UdpSocket {
  readonly port: number;
  /** What has come in and was not taken by next(). */
  readonly inbox: Datagram[];
  send(address: string, port: number, data: string | Uint8Array): Promise<void>;
  /** The next datagram, or undefined if none comes in time. */
  next(seconds?: number): Promise<Datagram | undefined>;
}

interface Message {
  readonly id?: number;
  readonly error?: string;
  readonly port?: number;
  readonly on?: number;
  readonly from?: string;
  readonly fromPort?: number;
  readonly data?: string;
}

export class Peer {
  readonly #running: Running;
  readonly #sockets = new Map<number, Datagram[]>();
  readonly #answers = new Map<number, Message>();
  #id = 0;

  private constructor(host: Host) {
    const program = join(import.meta.dirname, 'peer-program.ts');
    const options = { interactive: true, cwd: ROOT, onLine: (line: string) => this.#take(line) };
    this.#running = host.start([process.execPath, '--import=tsx', program], options);
  }

  static async start(host: Host): Promise<Peer> {
    const peer = new Peer(host);
    await peer.#answer(0);
    return peer;
  }

  /** Opens a UDP socket; port 0 takes any. */
  async udp(port = 0, address = '0.0.0.0'): Promise<UdpSocket> {
    const { id: socket, port: bound } = await this.#command({ do: 'udp', port, address });
    const inbox: Datagram[] = [];
    this.#sockets.set(socket!, inbox);
    return {
      port: bound!,
      inbox,
      send: async (to, toPort, data) => {
        await this.#command({
          do: 'send',
          socket,
          to,
          toPort,
          data: Buffer.from(data).toString('base64'),
        });
      },
      next: async (seconds = PATIENCE_SECONDS) => {
        await this.#wait(() => inbox.length > 0, seconds);
        return inbox.shift();
      },
    };
  }

  async echo(port: number, address: string): Promise<void> {
    await this.#command({ do: 'echo', port, address });
  }

  /** Serves GET /bytes/N (contents.ts) and PUT, which answers the SHA-256 of what it got. */
  async http(port: number, address: string): Promise<void> {
    await this.#command({ do: 'http', port, address });
  }

  async #command(command: object): Promise<Message> {
    const id = ++this.#id;
    this.#running.send(`${JSON.stringify({ id, ...command })}\n`);
    return await this.#answer(id);
  }

  async #answer(id: number): Promise<Message> {
    await this.#wait(() => this.#answers.has(id), PATIENCE_SECONDS);
    const answer = this.#answers.get(id);
    this.#answers.delete(id);
    if (answer === undefined) throw new Error(`The peer does not answer\n${this.#running.report()}`);
    if (answer.error !== undefined) throw new Error(`The peer fails: ${answer.error}`);
    return answer;
  }

  async #wait(done: () => boolean, seconds: number): Promise<void> {
    await this.#running.wait(() => done() || this.#running.ended, seconds);
  }

  #take(line: string): void {
    const message = JSON.parse(line) as Message;
    if (message.id !== undefined) this.#answers.set(message.id, message);
    if (message.on === undefined) return;
    const { from, fromPort, data } = message;
    this.#sockets
      .get(message.on)
      ?.push({ from: from!, fromPort: fromPort!, data: Buffer.from(data!, 'base64') });
  }
}
