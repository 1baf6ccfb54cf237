#!/usr/bin/env node
// The host tool's entry, package.json's `bin`. Plain old JavaScript, so that an old Node reads it as far as the words that
// it is too old; the rest is run.cjs.

'use strict';

require('../node-version.cjs');
require('./run.cjs');
