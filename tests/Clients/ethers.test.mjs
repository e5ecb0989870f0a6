// ethers 6 deploys and uses OpenZeppelin's ERC-20.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ethers } from 'ethers';
import { notInCloud, startNode } from './node.mjs';
import { compileToken } from './token.mjs';

const supply = ethers.parseEther('1000000');
let node, provider, owner, token, other;

before(async () => {
  node = await startNode();
  provider = new ethers.JsonRpcProvider(node.url, undefined, { pollingInterval: 20, cacheTimeout: -1 });
  const mnemonic = ethers.Mnemonic.fromPhrase('test test test test test test test test test test test junk');
  owner = new ethers.NonceManager(ethers.HDNodeWallet.fromMnemonic(mnemonic).connect(provider));
  other = ethers.HDNodeWallet.fromMnemonic(mnemonic, "m/44'/60'/0'/0/1").connect(provider);
});

after(async () => {
  provider?.destroy();
  await node?.stop();
});

test('ethers finds the network and the accounts', async () => {
  assert.equal((await provider.getNetwork()).chainId, 31337n);
  const accounts = await provider.listAccounts();
  assert.equal(accounts.length, 10);
  assert.equal(accounts[0].address, '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266');
  assert.equal(await provider.getBalance(accounts[9]), ethers.parseEther('10000'));
});

test('ethers deploys an ERC-20 and reads it', async () => {
  const { abi, bytecode } = compileToken();
  const factory = new ethers.ContractFactory(abi, bytecode, owner);
  token = await factory.deploy('Test Token', 'TT', supply);
  await token.waitForDeployment();
  assert.equal(await token.name(), 'Test Token');
  assert.equal(await token.decimals(), 18n);
  assert.equal(await token.balanceOf(await owner.getAddress()), supply);
  assert.notEqual(await provider.getCode(await token.getAddress()), '0x');
});

test('ethers transfers tokens and finds the event', async () => {
  const sent = await token.transfer(other.address, 123n);
  const receipt = await sent.wait();
  assert.equal(receipt.status, 1);
  assert.equal(await token.balanceOf(other.address), 123n);
  const events = await token.queryFilter(token.filters.Transfer(null, other.address), 0, 'latest');
  assert.equal(events.length, 1);
  assert.equal(events[0].args.value, 123n);
  assert.equal(events[0].transactionHash, receipt.hash);
});

test('ethers approves and moves by allowance', async () => {
  await (await token.approve(other.address, 50n)).wait();
  await (await token.connect(other).transferFrom(await owner.getAddress(), other.address, 20n)).wait();
  assert.equal(await token.allowance(await owner.getAddress(), other.address), 30n);
  assert.equal(await token.balanceOf(other.address), 143n);
});

test('ethers decodes a custom error of a reverted call and of an estimate', async () => {
  const poor = token.connect(other);
  await assert.rejects(poor.transfer.staticCall(await owner.getAddress(), supply), (error) => {
    assert.equal(error.code, 'CALL_EXCEPTION');
    assert.equal(error.revert.name, 'ERC20InsufficientBalance');
    return true;
  });
  await assert.rejects(poor.transfer.estimateGas(await owner.getAddress(), supply), { code: 'CALL_EXCEPTION' });
});

test('ethers tells refusals apart', async () => {
  const to = other.address;
  await assert.rejects(other.sendTransaction({ to, value: ethers.parseEther('20000') }), { code: 'INSUFFICIENT_FUNDS' });
  const used = { to, nonce: 0, gasLimit: 21000n, maxFeePerGas: 10n ** 10n, maxPriorityFeePerGas: 1n };
  await assert.rejects(other.sendTransaction(used), { code: 'NONCE_EXPIRED' });
});

test('ethers reads blocks, receipts and fees', async () => {
  const block = await provider.getBlock('latest', true);
  assert.equal(block.number, await provider.getBlockNumber());
  assert.equal(block.prefetchedTransactions.length, 1);
  const fees = await provider.getFeeData();
  assert.ok(fees.maxFeePerGas > 0n && fees.gasPrice > 0n);
  assert.equal((await provider.getBlock('finalized')).number, block.number);
});

test('ethers works over WebSocket', { skip: notInCloud('functions serve no WebSockets') }, async () => {
  const socket = new ethers.WebSocketProvider(node.url.replace('http', 'ws'));
  try {
    assert.equal(await socket.getBlockNumber(), await provider.getBlockNumber());
    assert.equal(await socket.getTransactionCount(other.address), 1);
  } finally {
    await socket.destroy();
  }
});
