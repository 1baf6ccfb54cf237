import test from 'ava';
import { bytesOf, hexOf, LINE, LineLab, lineBuilds, SOURCE } from '../../../test/line-lab.ts';
import { LINE_ECHOED, LINE_ECHOES, LINE_MAGIC } from '../../base/line-record.ts';

for (const build of await lineBuilds()) {
  const lab = new LineLab(build);
  const reply = (packet: string) => {
    const bytes = bytesOf(packet);
    build.use();
    build.memory.set(bytes, SOURCE);
    const length = build.plane.echoReply(LINE, SOURCE, bytes.length);
    const left = build.memory.slice(SOURCE, SOURCE + bytes.length);
    return length === 0
      ? hexOf(left) === hexOf(bytes)
        ? 'none'
        : 'changed'
      : hexOf(left.subarray(0, length));
  };

  test.serial(`${build.name}: an Echo-Request has its answer with our magic number, padding apart`, t => {
    lab.reset();
    lab.set(LINE_MAGIC, 0x55667788);
    t.is(reply('0907000811223344'), 'none', 'LCP is not open');
    lab.set(LINE_ECHOES, 1);
    t.is(reply('0907000811223344'), '0a07000855667788');
    t.is(reply('0907000c 00000000 01020304'), '0a07000c5566778801020304');
    t.is(reply('09070009 11223344 01 0000'), '0a0700095566778801');
    t.is(lab.word(LINE_ECHOED), 3);
    lab.set(LINE_MAGIC, 0);
    t.is(reply('0907000800000000'), '0a07000800000000', 'without magic numbers as well');
  });

  test.serial(`${build.name}: what is none, not whole, or our own is left for control as it is`, t => {
    lab.reset();
    lab.set(LINE_MAGIC, 0x55667788);
    lab.set(LINE_ECHOES, 1);
    for (const packet of [
      '0a07000811223344',
      '0107000811223344',
      '0907000855667788',
      '0907000711223344',
      '0907000911223344',
      '09070008112233',
      '09',
      '',
    ])
      t.is(reply(packet), 'none', packet);
    t.is(lab.word(LINE_ECHOED), 0);
  });
}
