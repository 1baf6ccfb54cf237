import test from 'ava';
import {
  TERM_ADDRESS,
  TERM_DESTINATION,
  TERM_ETHERTYPE,
  TERM_NOT,
  TERM_PORT,
  TERM_PROTOCOL,
} from '../../base/capture-record.ts';
import { CAPTURE_TERM_COUNT } from '../../base/limits.ts';
import { parseFilter } from './filter.ts';

test('parseFilter() reads conditions, their sides and negations', t => {
  const filter = 'tcp and not dst port 80 host 192.168.0.2 net 10.0.0.0/8 not arp proto 47';
  t.deepEqual(parseFilter(filter.split(' ')), [
    { kind: TERM_PROTOCOL, value: 6, mask: 0 },
    { kind: TERM_PORT | TERM_NOT | TERM_DESTINATION, value: 80, mask: 0 },
    { kind: TERM_ADDRESS, value: 0xc0a80002 | 0, mask: -1 },
    { kind: TERM_ADDRESS, value: 0x0a000000, mask: 0xff000000 | 0 },
    { kind: TERM_ETHERTYPE | TERM_NOT, value: 0x0806, mask: 0 },
    { kind: TERM_PROTOCOL, value: 47, mask: 0 },
  ]);
  t.deepEqual(parseFilter([]), []);
});

test('parseFilter() says what is wrong', t => {
  for (const [text, why] of [
    ['nonsense 1', 'nonsense is no condition'],
    ['host', 'nothing follows host'],
    ['tcp not', 'nothing follows not'],
    ['port 65536', '65536 is not 0 to 65535'],
    ['proto 256', '256 is not 0 to 255'],
    ['port x', 'x is not 0 to 65535'],
    ['src tcp', 'src and dst go with host, net and port, not with tcp'],
    ['host 192.168.0.256', '256 is not 0 to 255'],
    ['net 10.0.0.0', 'the prefix length is missing, as in 192.168.0.1/24'],
    ['constructor', 'constructor is no condition'],
  ] as const)
    t.is(parseFilter(text.split(' ')), why, text);
  t.is(typeof parseFilter(Array(CAPTURE_TERM_COUNT).fill('tcp')), 'object');
  t.is(typeof parseFilter(Array(CAPTURE_TERM_COUNT + 1).fill('tcp')), 'string');
});
