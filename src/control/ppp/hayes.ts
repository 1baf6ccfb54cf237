// A modem that is none: what a caller at the other end of a null-modem cable hears who believes that a modem is there. It answers Hayes commands, and
// dialling connects at once, whatever the number. Windows' direct cable connection says CLIENT and wants CLIENTSERVER in place of all that.
// ITU-T V.250 (AT commands); what else makers have invented is accepted and does nothing.
// Not here: what follows behind CONNECT (answer.ts), a real modem that is called (ringing.ts).
//
//    bytes --A--T--> a line --CR--> command for command: OK, ERROR, CONNECT         CLIENT --> CLIENTSERVER
//
// What is neither is nothing: it is not echoed, and gets no answer. A line is as long as LINE_MOST; of a longer one the rest is not kept, and its
// answer is ERROR.

export interface HayesHost {
  send(text: string): void;
  /** The caller has dialled or answered, and been told CONNECT: from now on the line is no modem's. */
  connected(): void;
  /** It is Windows' direct cable connection, which begins with PPP. */
  isGuest(): void;
}

const LINE_MOST = 80;
/** S registers that keep their value. */
const REGISTERS = 32;
const GUEST = 'CLIENT';
const GUEST_ANSWER = 'CLIENTSERVER';
const WHO = 'Masqbox';
const RATE = '115200';
const CR = 13;
const BACKSPACE = 8;

/** Commands of a letter and a number that change nothing here. */
const LETTERS = 'BCFGJKLMNPTUWY ,;';
/** Signs before a maker's own commands: a letter and a number follow. */
const SIGNS = '&\\%*#:-"@$';

/** Results by their numbers (V.250, table 1). */
const OK = 0;
const CONNECT = 1;
const NO_CARRIER = 3;
const ERROR = 4;
const RESULTS: Readonly<Record<number, string>> = {
  [OK]: 'OK',
  [CONNECT]: 'CONNECT',
  [NO_CARRIER]: 'NO CARRIER',
  [ERROR]: 'ERROR',
};

export class Hayes {
  private isEchoing = true;
  private isVerbose = true;
  private isQuiet = false;
  private tellsRate = true;
  private readonly registers = new Uint8Array(REGISTERS);
  /** The line behind AT as far as it has come; undefined before AT. */
  private line: string | undefined;
  private isTooLong = false;
  /** A letter A that an AT may begin with, or nothing. */
  private first = '';
  /** The line before, for `A/`, if it begins with dialling or answering. Any other would make a long answer of two bytes, and is one that does nothing. */
  private last = '';
  /** So many letters of GUEST have come. */
  private guest = 0;

  constructor(private readonly host: HayesHost) {}

  /** A byte from the cable; of what is behind CONNECT none may come here. */
  input(byte: number): void {
    const c = byte & 127;
    if (this.line !== undefined) this.behindAt(c);
    else this.beforeAt(String.fromCharCode(c));
  }

  /** The caller's connection is over. */
  disconnected(): void {
    this.result(NO_CARRIER);
  }

  /** The caller has escaped from it by `+++`. */
  escaped(): void {
    this.result(OK);
  }

  /** As it is switched on. */
  reset(): void {
    this.isEchoing = true;
    this.isVerbose = true;
    this.isQuiet = false;
    this.tellsRate = true;
    this.registers.fill(0);
  }

  private beforeAt(c: string): void {
    const guest = c === GUEST[this.guest] ? this.guest + 1 : c === GUEST[0] ? 1 : 0;
    this.guest = guest === GUEST.length ? 0 : guest;
    if (guest === GUEST.length) {
      this.host.send(GUEST_ANSWER);
      this.host.isGuest();
      return;
    }
    const before = this.first;
    this.first = c === 'A' || c === 'a' ? c : '';
    if (before === '') return;
    if (c === '/') {
      this.execute(this.last);
    } else if (c === 'T' || c === 't') {
      this.line = '';
      this.isTooLong = false;
      if (this.isEchoing) this.host.send(before + c);
    }
  }

  private behindAt(c: number): void {
    const line = this.line as string;
    if (this.isEchoing) this.host.send(String.fromCharCode(c));
    if (c === CR) {
      this.line = undefined;
      this.first = '';
      this.guest = 0;
      this.last = line[0] === 'D' || line[0] === 'A' ? line : '';
      if (this.isTooLong) this.result(ERROR);
      else this.execute(line);
    } else if (c === BACKSPACE) {
      this.line = line.slice(0, -1);
    } else if (line.length === LINE_MOST) {
      this.isTooLong = true;
    } else if (c >= 32) {
      this.line = line + String.fromCharCode(c).toUpperCase();
    }
  }

  private say(text: string): void {
    this.host.send(this.isVerbose ? `\r\n${text}\r\n` : `${text}\r`);
  }

  private result(code: number): void {
    if (this.isQuiet) return;
    if (!this.isVerbose) this.host.send(`${code}\r`);
    else this.say(code === CONNECT && this.tellsRate ? `CONNECT ${RATE}` : (RESULTS[code] as string));
  }

  /** All commands of a line, up to the first that is wrong or connects. */
  private execute(line: string): void {
    let at = 0;
    while (at < line.length) {
      const c = line[at++] as string;
      if (c === 'D' || c === 'A') {
        this.result(CONNECT);
        this.host.connected();
        return;
      }
      if (c === 'O') {
        this.result(NO_CARRIER);
        return;
      }
      if (c === '+') {
        const end = line.indexOf(';', at);
        // Fax is asked for by Windows; who is told that there is none asks no further.
        if (line[at] === 'F') {
          this.result(ERROR);
          return;
        }
        at = end < 0 ? line.length : end + 1;
        continue;
      }
      const name = SIGNS.includes(c) ? c + (line[at++] ?? '') : c;
      const from = at;
      while (at < line.length && isDigit(line[at] as string)) at++;
      const value = Number(line.slice(from, at));
      if (name === 'S') at = this.register(value, line, at);
      else if (!this.does(name, value)) at = -1;
      if (at < 0) {
        this.result(ERROR);
        return;
      }
    }
    this.result(OK);
  }

  /** A command with a number; false where there is none such. */
  private does(name: string, value: number): boolean {
    if (name === 'E') this.isEchoing = value !== 0;
    else if (name === 'V') this.isVerbose = value !== 0;
    else if (name === 'Q') this.isQuiet = value === 1;
    else if (name === 'X') this.tellsRate = value !== 0;
    else if (name === 'Z' || name === '&F') this.reset();
    else if (name === 'I') this.say(WHO);
    else return name === 'H' || name.length === 2 || LETTERS.includes(name);
    return true;
  }

  /** `S0=1` or `S0?`; answers what stands behind it, or -1 where it is neither. */
  private register(number: number, line: string, at: number): number {
    const sign = line[at];
    if (sign === '?') {
      this.say(String(this.registers[number] ?? 0).padStart(3, '0'));
      return at + 1;
    }
    if (sign !== '=') return -1;
    let end = at + 1;
    while (end < line.length && isDigit(line[end] as string)) end++;
    if (number < REGISTERS) this.registers[number] = Number(line.slice(at + 1, end));
    return end;
  }
}

function isDigit(c: string): boolean {
  return c >= '0' && c <= '9';
}
