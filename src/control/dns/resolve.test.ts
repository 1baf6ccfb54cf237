import test from 'ava';
import { answerTo, DnsLab, record, SECOND, SERVER } from '../../../test/dns-lab.ts';

test('resolve shows records, who answered, and errors in words; ^C ends it', async t => {
  const lab = await DnsLab.create('set dns host printer 192.168.0.20');
  const shown = (line: string): string =>
    lab
      .command(line)
      .replaceAll('\r', '')
      .replace(/(\d+|less than \d+) ms/, 'T')
      .trimEnd();
  lab.answerer = asked => answerTo(asked, [record('www.example.com', '192.0.2.1')]);
  t.is(
    shown('resolve www.example.com'),
    `www.example.com  A  192.0.2.1  (300 s)\nwww.example.com A: 1 record, from ${SERVER} in T`,
  );
  t.regex(shown('resolve www.example.com A'), /A: 1 record, from the cache$/);
  t.regex(shown('resolve printer'), /^printer {2}A {2}192\.168\.0\.20 .*\n.*1 record, answered here$/s);
  t.regex(shown('resolve 192.168.0.20'), /PTR {2}printer\.home\.arpa .*answered here$/s);
  t.is(shown('resolve a.invalid mx'), 'a.invalid MX: there is no such name (NXDOMAIN), answered here');
  lab.answerer = asked => answerTo(asked, []);
  t.is(shown('resolve b.example aaaa'), `b.example AAAA: the name has no such record, from ${SERVER} in T`);
  lab.answerer = asked => answerTo(asked, [], { flags: 2 });
  t.is(shown('resolve c.example'), `c.example A: the server has failed (SERVFAIL), from ${SERVER} in T`);
  lab.answerer = asked => answerTo(asked, [record('d.example', '10.0.0.1')]);
  t.regex(shown('resolve d.example'), /private address, which is refused, see set dns allow/);
  t.regex(shown('resolve e.example nonsense'), /^Cannot resolve e\.example nonsense: it is no type/);
  t.regex(shown('resolve a..b'), /^Cannot resolve a\.\.b: a part of it is empty/);
  lab.answerer = () => undefined;
  lab.command('resolve slow.example');
  t.regex(lab.command('\x03'), /^masqbox> /);
  t.regex(lab.command('show version'), /masqbox/i, 'the console is back');
  lab.command(`set dns server ${SERVER} ${SECOND}`);
  lab.answerer = asked =>
    asked.server === SECOND
      ? answerTo(asked, [record('f.example', '192.0.2.6')])
      : answerTo(asked, [], { flags: 2 });
  t.regex(shown('resolve f.example'), new RegExp(`1 record, from ${SECOND} in T`));
  const long = Array.from({ length: 12 }, (_, i) => record('long.example', `192.0.2.${i}`));
  lab.answerer = asked => answerTo(asked, long);
  for (const row of lab.command('resolve long.example').split(/\r?\n/)) t.true(row.length < 80, row);
});
