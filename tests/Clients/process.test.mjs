// The process itself: start, stop, ports, data that stays.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ethers } from 'ethers';
import { startNode } from './node.mjs';

const call = async (url, method, params = []) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  return response.json();
};

test('a port in use is refused with one clear line', async () => {
  const first = await startNode();
  const port = new URL(first.url).port;
  try {
    await assert.rejects(startNode('--port', port), new RegExp(`${port}.*in use`, 's'));
  } finally {
    assert.equal((await first.stop()).code, 0);
  }
});

test('a chain in a directory goes on after a restart', async () => {
  const data = fs.mkdtempSync(path.join(os.tmpdir(), 'supervm-client-test-'));
  try {
    let node = await startNode('--data', data);
    const [from] = (await call(node.url, 'eth_accounts')).result;
    const to = ethers.getAddress(`0x${'42'.repeat(20)}`);
    const { result: hash } = await call(node.url, 'eth_sendTransaction', [{ from, to, value: '0x2a' }]);
    let receipt = null;
    while (receipt === null) {
      receipt = (await call(node.url, 'eth_getTransactionReceipt', [hash])).result;
    }
    await assert.rejects(startNode('--data', data));
    assert.equal((await node.stop()).code, 0);
    node = await startNode('--data', data);
    assert.equal((await call(node.url, 'eth_getBalance', [to, 'latest'])).result, '0x2a');
    assert.deepEqual((await call(node.url, 'eth_getTransactionReceipt', [hash])).result, receipt);
    await node.stop();
  } finally {
    fs.rmSync(data, { recursive: true, force: true });
  }
});

test('a body above the limit, a wrong verb and damaged JSON are refused properly', async () => {
  const node = await startNode();
  try {
    const large = await fetch(node.url, { method: 'POST', body: 'a'.repeat(17 << 20) }).catch((error) => error);
    assert.ok(large instanceof Error || large.status === 413);
    assert.equal((await fetch(node.url, { method: 'PUT', body: '{}' })).status, 405);
    const damaged = await fetch(node.url, { method: 'POST', body: '{"jsonrpc":"2.0"' });
    assert.equal((await damaged.json()).error.code, -32700);
    assert.equal((await call(node.url, 'eth_chainId')).result, '0x7a69');
  } finally {
    await node.stop();
  }
});

test('browsers may call, and health and metrics answer', async () => {
  const node = await startNode('--block-time', '0.2');
  const preflight = await fetch(node.url, { method: 'OPTIONS', headers: { origin: 'http://dapp.example' } });
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*');
  assert.equal((await (await fetch(`${node.url}/health`)).json()).status, 'ok');
  while ((await call(node.url, 'eth_blockNumber')).result < '0x2');
  assert.match(await (await fetch(`${node.url}/metrics`)).text(), /supervm_blocks_total [1-9]/);
  await node.stop();
});
