// Refuses a Node that is too old, in words: without this it would be a stack trace of some package. Run before each of
// package.json's scripts, and by the host tool. Plain old JavaScript, as an old Node must read it.

'use strict';

var wanted = require('../package.json').engines.node.replace('>=', '').split('.').map(Number);
var here = process.versions.node.split('.').map(Number);
if (here[0] < wanted[0] || (here[0] === wanted[0] && here[1] < wanted[1])) {
  var what = 'Masqbox needs Node ' + wanted.join('.') + ' or newer, and this is ';
  process.stderr.write(what + process.versions.node + ' (' + process.execPath + ')\n');
  process.exit(2);
}
