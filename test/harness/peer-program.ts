// A peer on a host: UDP sockets and a web server in one namespace, commanded by lines of JSON (peer.ts).
//
// Commands:  {"id":1,"do":"udp","address":"0.0.0.0","port":5000}      answers the socket's port
//            {"id":2,"do":"send","socket":1,"to":"203.0.113.1","toPort":7,"data":"base64"}
//            {"id":3,"do":"echo","address":"203.0.113.1","port":7}     a socket that sends everything back
//            {"id":4,"do":"http","address":"203.0.113.1","port":80}    GET /bytes/N, PUT anything
// A socket goes by the id of the command that opened it: two may have one port on different addresses.
// Answers:   {"id":1,"port":5000}, {"id":1,"error":"..."}
// Reports:   {"on":1,"from":"203.0.113.1","fromPort":7,"data":"base64"}

import { createHash } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import { contents } from './contents.ts';

interface Command {
  readonly id: number;
  readonly do: 'udp' | 'send' | 'echo' | 'http';
  readonly address?: string;
  readonly port?: number;
  readonly socket?: number;
  readonly to?: string;
  readonly toPort?: number;
  readonly data?: string;
}

const sockets = new Map<number, Socket>();
/** By address and port: a check that runs again gets its port again. */
const holders = new Map<string, Socket>();

function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

async function udp(command: Command): Promise<Socket> {
  const socket = createSocket('udp4');
  const place = `${command.address} ${command.port}`;
  const before = holders.get(place);
  if (before !== undefined) await new Promise<void>(resolve => before.close(() => resolve()));
  holders.delete(place);
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(command.port ?? 0, command.address ?? '0.0.0.0', resolve);
  });
  // A closed port at the other end comes back as an ICMP error on some sends; the test sees the silence.
  socket.removeAllListeners('error').on('error', () => {});
  if ((command.port ?? 0) !== 0) holders.set(place, socket);
  return socket;
}

async function obey(command: Command): Promise<object> {
  const { data = '', to = '', toPort = 0 } = command;
  switch (command.do) {
    case 'udp': {
      const socket = await udp(command);
      sockets.set(command.id, socket);
      socket.on('message', (bytes, from) => {
        say({ on: command.id, from: from.address, fromPort: from.port, data: bytes.toString('base64') });
      });
      return { port: socket.address().port };
    }
    case 'send':
      sockets.get(command.socket!)!.send(Buffer.from(data, 'base64'), toPort, to);
      return {};
    case 'echo': {
      const socket = await udp(command);
      socket.on('message', (bytes, from) => socket.send(bytes, from.port, from.address));
      return { port: socket.address().port };
    }
    case 'http': {
      const server = createServer(serve);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(command.port, command.address, resolve);
      });
      return {};
    }
  }
}

function serve(request: IncomingMessage, response: ServerResponse): void {
  response.setHeader('X-Client', `${request.socket.remoteAddress} ${request.socket.remotePort}`);
  const bytes = /^\/bytes\/(\d+)$/.exec(request.url ?? '');
  if (request.method === 'PUT') {
    const hash = createHash('sha256');
    request.on('data', part => hash.update(part)).on('end', () => response.end(hash.digest('hex')));
  } else if (bytes !== null) {
    response.end(contents(Number(bytes[1])));
  } else {
    response.end(`${request.socket.remoteAddress}\n`);
  }
}

createInterface({ input: process.stdin }).on('line', async line => {
  const command = JSON.parse(line) as Command;
  try {
    say({ id: command.id, ...(await obey(command)) });
  } catch (error) {
    say({ id: command.id, error: (error as Error).message });
  }
});
process.stdin.on('end', () => process.exit(0));
say({ id: 0 });
