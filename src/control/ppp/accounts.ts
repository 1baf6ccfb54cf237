// Who may call in: a user's password, the address that he gets, and the number at which he is called back. What is set is text, by the words of
// the settings (ppp.ts). Not here: when somebody is asked (answer.ts, session.ts).

import { SERIAL_COUNT } from '../../base/limits.ts';
import { LINE_OPEN, LINE_PEER, lineAt } from '../../base/line-record.ts';
import { i32at } from '../../base/memory.ts';
import { parseAddress } from '../core/address.ts';
import { QUESTION } from '../core/setting.ts';
import type { IpcpWants } from './ipcp.ts';
import { bytesOf, sameBytes } from './packet.ts';

/** What is set of all users, by word and name, as in `address bob`. */
export type Accounts = ReadonlyMap<string, string>;

/** Users at most: of further ones none can be set. */
export const USERS = 32;

/** The name by which a caller's is known: Windows puts a domain before it. */
export function userOf(accounts: Accounts, name: string): string {
  return accounts.has(`user ${name}`) ? name : name.slice(name.indexOf('\\') + 1);
}

/** A user's password; an empty one is none, and lets nobody in. */
export function passwordOf(accounts: Accounts, name: string): string | undefined {
  const password = accounts.get(`user ${userOf(accounts, name)}`)?.replaceAll(QUESTION, '?');
  return password === '' ? undefined : password;
}

/** Whether there is anybody who could log in. */
export function hasUsers(accounts: Accounts): boolean {
  for (const word of accounts.keys()) if (word.startsWith('user ')) return true;
  return false;
}

/** Whether a name and a password that were typed are a user's. */
export function isUser(accounts: Accounts, name: string, password: string): boolean {
  const expected = passwordOf(accounts, name);
  return sameBytes(bytesOf(password), bytesOf(expected ?? '')) && expected !== undefined;
}

/** Whether there is anybody who is called back. */
export function hasCallbacks(accounts: Accounts): boolean {
  for (const word of accounts.keys()) if (word.startsWith('callback ')) return true;
  return false;
}

/** The number at which a user is called back, or ''. */
export function callbackOf(accounts: Accounts, name: string): string {
  return accounts.get(`callback ${userOf(accounts, name)}`) ?? '';
}

/** A user gets his address, where he has one. Answers why he gets none. */
export function giveAddress(accounts: Accounts, name: string, ipcp: IpcpWants): string | undefined {
  const text = accounts.get(`address ${userOf(accounts, name)}`);
  if (text !== undefined) {
    ipcp.remote = parseAddress(text) as number;
    ipcp.takesRemote = false;
  }
  for (let port = 0; port < SERIAL_COUNT; port++) {
    const line = lineAt(port);
    if (i32at(line + LINE_OPEN) !== 0 && i32at(line + LINE_PEER) === ipcp.remote)
      return 'Its address is in use by another link';
  }
  return undefined;
}
