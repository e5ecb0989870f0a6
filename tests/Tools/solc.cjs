#!/usr/bin/env node
// solc's command line as Foundry calls it, over the compiler's JavaScript build.
const solc = require('solc');

if (process.argv.includes('--version')) {
  console.log(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}`);
} else {
  const input = require('node:fs').readFileSync(0, 'utf8');
  process.stdout.write(solc.compile(input));
}
