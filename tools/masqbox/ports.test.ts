import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { NO_PORT, USAGE } from './failure.ts';
import { openFailure } from './port.ts';
import { choosePort, portRow, portsOfKernel } from './ports.ts';

const ADAPTER = {
  path: '/dev/ttyUSB0',
  manufacturer: 'FTDI',
  serialNumber: 'A1',
  vendorId: '0403',
  productId: '6001',
};
const BUILT_IN = { path: '/dev/ttyS0' };

test('choosePort() takes what is named, or the only USB adapter', async t => {
  t.is(await choosePort('/dev/ttyS1', async () => []), '/dev/ttyS1');
  t.is(await choosePort(undefined, async () => [BUILT_IN, ADAPTER]), '/dev/ttyUSB0');
  for (const [list, why] of [
    [[BUILT_IN], 'there is no USB serial adapter'],
    [[ADAPTER, { ...ADAPTER, path: '/dev/ttyUSB1' }], 'there are 2 USB adapters'],
  ] as const) {
    await t.throwsAsync(
      choosePort('', async () => list),
      {
        message: `Cannot choose a port: ${why}; name it by --port or MASQBOX_PORT, see masqbox ports`,
      },
    );
  }
  const error = await choosePort(undefined, async () => []).catch(cause => cause);
  t.is(error.status, USAGE);
});

test('portRow() says who made an adapter', t => {
  t.is(portRow(ADAPTER), '/dev/ttyUSB0    USB 0403:6001  FTDI  number A1');
  t.is(portRow(BUILT_IN), '/dev/ttyS0');
});

test('openFailure() says what the system means', t => {
  for (const [cause, text] of [
    ['Error Resource temporarily unavailable Cannot lock port', 'another program uses it'],
    ['Error: Device or resource busy, cannot open /dev/ttyS0', 'another program uses it'],
    [
      'Error: Permission denied, cannot open',
      'this user may not; on Debian, members of the group dialout may',
    ],
    ["ENOENT: no such file or directory, stat '/dev/x'", 'there is no such port; see masqbox ports'],
    ['Error: Inappropriate ioctl for device', 'it is no serial port'],
    ['Error: Input/output error, cannot open', 'Error: Input/output error, cannot open'],
  ] as const) {
    const failure = openFailure('/dev/x', cause);
    t.is(failure.message, `Cannot open /dev/x: ${text}`);
    t.is(failure.status, NO_PORT);
  }
});

test('listPorts() asks the kernel where udevadm is not installed', t => {
  const tool = join(import.meta.dirname, 'masqbox.cjs');
  const { status, stdout, stderr } = spawnSync(process.execPath, [tool, 'ports'], {
    encoding: 'utf8',
    env: { PATH: '/nowhere' },
  });
  t.is(status, 0, stderr);
  const rows = portsOfKernel().map(port => `${portRow(port)}\n`);
  t.is(stdout, rows.join(''));
  t.is(stderr, rows.length === 0 ? 'There is no serial port\n' : '');
});

test('portsOfKernel() finds USB adapters and chips that are there, and no empty places or pseudo terminals', t => {
  const root = mkdtempSync(join(tmpdir(), 'masqbox-sys-'));
  t.teardown(() => rmSync(root, { recursive: true, force: true }));
  const file = (path: string, text = ''): void => {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  };
  const terminal = (name: string, device: string): void => {
    mkdirSync(join(root, device), { recursive: true });
    mkdirSync(join(root, 'sys/class/tty', name), { recursive: true });
    symlinkSync(join(root, device), join(root, 'sys/class/tty', name, 'device'));
  };
  file('sys/devices/usb1/1-2/idVendor', '0403');
  file('sys/devices/usb1/1-2/idProduct', '6001');
  file('sys/devices/usb1/1-2/serial', 'A1');
  terminal('ttyUSB0', 'sys/devices/usb1/1-2/1-2:1.0/ttyUSB0');
  terminal('ttyS0', 'sys/devices/pnp0/00:05');
  file('sys/class/tty/ttyS0/type', '4');
  terminal('ttyS1', 'sys/devices/platform/serial8250');
  file('sys/class/tty/ttyS1/type', '0');
  mkdirSync(join(root, 'sys/class/tty/tty1'), { recursive: true });
  t.deepEqual(portsOfKernel(root).map(portRow), ['/dev/ttyS0', '/dev/ttyUSB0    USB 0403:6001  number A1']);
});
