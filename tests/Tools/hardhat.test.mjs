import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startNode } from '../Clients/node.mjs';
import { run } from './run.mjs';

test('hardhat compiles, deploys, calls, moves time, impersonates and resets', async () => {
  const node = await startNode();
  try {
    const output = await run('hardhat', ['run', 'hardhat.script.js', '--network', 'supervm'], {
      SUPERVM_URL: node.url, HARDHAT_DISABLE_TELEMETRY_PROMPT: 'true',
    });
    const said = JSON.parse(output.trim().split('\n').at(-1));
    assert.deepEqual(said, {
      count: 5, events: [5], refusal: 'NothingToCount', restored: 5, passed: true, cleared: 0, block: 0,
    });
  } finally {
    await node.stop();
  }
});
