import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startNode } from '../Clients/node.mjs';
import { run } from './run.mjs';

// The first account of every development chain.
const KEY = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80';
const OWNER = '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266';

let node;
let counter;
const cast = (...args) => run('cast', [...args, '--rpc-url', node.url]).then((output) => output.trim());
const send = (...args) => cast('send', counter, ...args, '--private-key', KEY, '--json').then(JSON.parse);

before(async () => {
  node = await startNode();
  const created = await run('forge', [
    'create', 'contracts/Counter.sol:Counter', '--rpc-url', node.url, '--private-key', KEY, '--broadcast', '--json',
  ]);
  const { deployedTo, deployer } = JSON.parse(created);
  assert.equal(deployer, OWNER);
  counter = deployedTo;
});

after(() => node?.stop());

test('cast sends, calls and finds the events of a contract that forge deployed', async () => {
  const receipt = await send('countBy(uint256)', '7');
  assert.equal(receipt.status, '0x1');
  assert.equal(await cast('call', counter, 'count()(uint256)'), '7');
  assert.equal(Number(await cast('storage', counter, '0')), 7);
  const logs = JSON.parse(await cast('logs', 'Counted(uint256)', '--address', counter, '--from-block', '0', '--json'));
  assert.deepEqual(logs.map((log) => Number(log.data)), [7]);
  assert.ok(Number(await cast('estimate', counter, 'countBy(uint256)', '1')) > 21_000);
  assert.match(await cast('access-list', counter, 'countBy(uint256)', '1'), /0x0{64}/);
});

test('cast is told the data of a custom error', async () => {
  await assert.rejects(cast('call', counter, 'countBy(uint256)', '0'), /execution reverted.*0x[0-9a-f]{8}/s);
});

test('cast runs a past transaction again', async () => {
  const { transactionHash, gasUsed } = await send('countBy(uint256)', '3');
  const output = await cast('run', transactionHash);
  assert.match(output, new RegExp(`Gas used: ${Number(gasUsed)}`));
});

test('cast sends in the name of an account without its key', async () => {
  await cast('rpc', 'anvil_setBalance', counter, '0xde0b6b3a7640000');
  await send('giveTo(address)', counter);
  await cast('rpc', 'anvil_impersonateAccount', counter);
  const receipt = JSON.parse(await cast('send', counter, 'clear()', '--from', counter, '--unlocked', '--json'));
  assert.equal(receipt.from.toLowerCase(), counter.toLowerCase());
  assert.equal(await cast('call', counter, 'count()(uint256)'), '0');
});
