// A password from the terminal, without echo.

import { Failure, INTERRUPTED, USAGE } from './failure.ts';

const ENTER = /[\r\n]/;
const INTERRUPT = '\x03';
const ERASE = /(?:.|^)[\b\x7f]/;

export async function askSecret(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  if (!stdin.isTTY) {
    throw new Failure(
      'Cannot ask for the password: there is no terminal; put it into MASQBOX_PASSWORD',
      USAGE,
    );
  }
  // First, or what is typed at once would be echoed still.
  stdin.setRawMode(true);
  stdin.resume();
  stderr.write(prompt);
  let typed = '';
  try {
    while (!ENTER.test(typed) && !typed.includes(INTERRUPT)) {
      const bytes = await new Promise<Buffer>(resolve => stdin.once('data', resolve));
      typed += bytes.toString('utf8');
    }
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write('\n');
  }
  if (typed.includes(INTERRUPT)) throw new Failure('Interrupted', INTERRUPTED);
  let line = typed.split(ENTER)[0] as string;
  while (ERASE.test(line)) line = line.replace(ERASE, '');
  return line;
}
