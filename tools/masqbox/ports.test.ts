import test from 'ava';
import { NO_PORT, USAGE } from './failure.ts';
import { openFailure } from './port.ts';
import { choosePort, portRow } from './ports.ts';

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
