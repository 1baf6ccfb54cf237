// `masqbox ports`: the serial ports of this machine, and which of them is meant when none is named.

import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
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
    // On Linux it asks udevadm, which containers do not have; the kernel knows the same.
    if (existsSync(SYS_TTY)) return portsOfKernel();
    throw new Failure(`Cannot list the serial ports: ${reasonOf(error)}`, NO_PORT);
  }
}

/** The terminals as Linux lists them; those of serial hardware have a device behind them. */
const SYS_TTY = '/sys/class/tty';
/** From a USB adapter's terminal up to the device that has the identity: port, interface, device. */
const USB_LEVELS = 4;

/** The serial ports by sysfs alone. @param root where sysfs and /dev are, for tests */
export function portsOfKernel(root = '/'): PortFacts[] {
  const found: PortFacts[] = [];
  const all = join(root, SYS_TTY);
  for (const name of readdirSync(all).sort()) {
    const device = join(all, name, 'device');
    if (!existsSync(device)) continue;
    // A 16550's place where no chip was found has type 0 (PORT_UNKNOWN).
    if (fileText(join(all, name, 'type')) === '0') continue;
    found.push({ path: `/dev/${name}`, ...usbFacts(realpathSync(device)) });
  }
  return found;
}

/** What a USB adapter says of itself, from the nearest folder above that has it; nothing of a built-in port. */
function usbFacts(device: string): Omit<PortFacts, 'path'> {
  let at = device;
  for (let level = 0; level < USB_LEVELS; level++) {
    const vendorId = fileText(join(at, 'idVendor'));
    if (vendorId !== undefined) {
      return {
        vendorId,
        productId: fileText(join(at, 'idProduct')),
        manufacturer: fileText(join(at, 'manufacturer')),
        serialNumber: fileText(join(at, 'serial')),
      };
    }
    at = dirname(at);
  }
  return {};
}

function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
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
