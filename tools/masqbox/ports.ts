// `masqbox ports`: the serial ports of this machine, and which of them is meant when none is named.

import { SerialPort } from 'serialport';
import { Failure, NO_PORT, reasonOf, USAGE } from './failure.ts';

/** What serialport tells of a port. */
export interface PortFacts {
  readonly path: string;
  readonly manufacturer?: string | undefined;
  readonly serialNumber?: string | undefined;
  readonly vendorId?: string | undefined;
  readonly productId?: string | undefined;
}

export async function listPorts(): Promise<PortFacts[]> {
  try {
    return await SerialPort.list();
  } catch (error) {
    // On Linux it asks udevadm, which every Debian has but for containers.
    const cause = reasonOf(error).replace('spawn udevadm ENOENT', 'udevadm is not installed');
    throw new Failure(`Cannot list the serial ports: ${cause}`, NO_PORT);
  }
}

/** A row for a port; USB adapters say who made them. */
export function portRow({ path, manufacturer, serialNumber, vendorId, productId }: PortFacts): string {
  const usb = vendorId === undefined ? '' : `USB ${vendorId}:${productId ?? '?'}`;
  const serial = serialNumber === undefined ? '' : `number ${serialNumber}`;
  return [path.padEnd(14), usb, manufacturer ?? '', serial]
    .filter(text => text !== '')
    .join('  ')
    .trimEnd();
}

/** The port that is meant: the one that is named, or else the only USB adapter. */
export async function choosePort(
  named: string | undefined,
  list: () => Promise<readonly PortFacts[]> = listPorts,
): Promise<string> {
  if (named !== undefined && named !== '') return named;
  const adapters = (await list()).filter(({ vendorId }) => vendorId !== undefined);
  const [only] = adapters;
  if (only !== undefined && adapters.length === 1) return only.path;
  const why =
    only === undefined ? 'there is no USB serial adapter' : `there are ${adapters.length} USB adapters`;
  throw new Failure(
    `Cannot choose a port: ${why}; name it by --port or MASQBOX_PORT, see masqbox ports`,
    USAGE,
  );
}
