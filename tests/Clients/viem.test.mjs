// viem deploys and uses OpenZeppelin's ERC-20.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  ContractFunctionRevertedError, createPublicClient, createWalletClient, http, parseEther, parseGwei,
} from 'viem';
import { mnemonicToAccount } from 'viem/accounts';
import { foundry } from 'viem/chains';
import { createTestClient } from 'viem';
import { notInCloud, startNode } from './node.mjs';
import { compileToken } from './token.mjs';

const mnemonic = 'test test test test test test test test test test test junk';
const owner = mnemonicToAccount(mnemonic);
const other = mnemonicToAccount(mnemonic, { addressIndex: 1 });
let node, client, wallet, tester, token, artifact;

before(async () => {
  node = await startNode();
  const transport = http(node.url, { batch: true });
  client = createPublicClient({ chain: foundry, transport, pollingInterval: 20, cacheTime: 0 });
  wallet = createWalletClient({ chain: foundry, transport, account: owner });
  tester = createTestClient({ chain: foundry, transport, mode: 'anvil' });
  artifact = compileToken();
});

after(async () => { await node?.stop(); });

const mined = async (hash) => {
  const receipt = await client.waitForTransactionReceipt({ hash });
  assert.equal(receipt.status, 'success');
  return receipt;
};

test('viem deploys an ERC-20', async () => {
  const receipt = await mined(await wallet.deployContract({ ...artifact, args: ['Test Token', 'TT', parseEther('1000')] }));
  token = { address: receipt.contractAddress, abi: artifact.abi };
  assert.equal(await client.readContract({ ...token, functionName: 'totalSupply' }), parseEther('1000'));
});

test('viem simulates, writes and reads back', async () => {
  const call = { ...token, functionName: 'transfer', args: [other.address, 7n], account: owner };
  const { request, result } = await client.simulateContract(call);
  assert.equal(result, true);
  const receipt = await mined(await wallet.writeContract(request));
  assert.equal(receipt.logs.length, 1);
  const [logs, balance] = await Promise.all([
    client.getContractEvents({ ...token, eventName: 'Transfer', args: { to: other.address }, fromBlock: 0n }),
    client.readContract({ ...token, functionName: 'balanceOf', args: [other.address] }),
  ]);
  assert.equal(logs[0].args.value, 7n);
  assert.equal(balance, 7n);
});

test('viem decodes a custom error', async () => {
  const call = { ...token, functionName: 'transfer', args: [owner.address, 8n], account: other };
  await assert.rejects(client.simulateContract(call), (error) => {
    const revert = error.walk((cause) => cause instanceof ContractFunctionRevertedError);
    assert.equal(revert.data.errorName, 'ERC20InsufficientBalance');
    assert.deepEqual(revert.data.args, [other.address, 7n, 8n]);
    return true;
  });
});

test('viem sends every type of transaction', async () => {
  const to = other.address;
  const types = [
    { type: 'legacy', gasPrice: parseGwei('3') },
    { type: 'eip2930', gasPrice: parseGwei('3'), accessList: [{ address: token.address, storageKeys: [] }] },
    { type: 'eip1559' },
    { type: 'eip7702', authorizationList: [await wallet.signAuthorization({ contractAddress: token.address, executor: 'self' })] },
  ];
  for (const fields of types) {
    if (fields.type === 'eip7702') {
      fields.authorizationList = [
        await wallet.signAuthorization({ contractAddress: token.address, executor: 'self' }),
      ];
    }
    const hash = await wallet.sendTransaction({ to, value: 1n, ...fields });
    await mined(hash);
    assert.equal((await client.getTransaction({ hash })).type, fields.type);
  }
  assert.equal(await client.getCode({ address: owner.address }), `0xef0100${token.address.slice(2)}`);
});

test('viem calls with state overrides', async () => {
  const stateOverride = [{ address: token.address, code: artifact.bytecode.slice(0, 2) + '60426000526020' + '6000f3' }];
  const { data } = await client.call({ to: token.address, stateOverride });
  assert.equal(BigInt(data), 0x42n);
});

test('viem estimates gas exactly', async () => {
  const gas = await client.estimateContractGas({ ...token, functionName: 'transfer', args: [other.address, 1n], account: owner });
  await mined(await wallet.writeContract({ ...token, functionName: 'transfer', args: [other.address, 1n], gas }));
});

const oneProcess = 'time and history are moved on the single process only';
test('viem goes back to a snapshot and moves the time', { skip: notInCloud(oneProcess) }, async () => {
  const id = await tester.snapshot();
  const before = await client.getBlock();
  await tester.increaseTime({ seconds: 3600 });
  await tester.mine({ blocks: 2 });
  const later = await client.getBlock();
  assert.equal(later.number, before.number + 2n);
  assert.ok(later.timestamp >= before.timestamp + 3600n);
  await tester.revert({ id });
  assert.equal((await client.getBlock()).hash, before.hash);
});

test('viem proves an account', async () => {
  const proof = await client.getProof({ address: token.address, storageKeys: ['0x2'] });
  assert.ok(proof.accountProof.length > 0);
  assert.equal(BigInt(proof.storageProof[0].value), parseEther('1000'));
});
