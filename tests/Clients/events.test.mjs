// What ethers and viem hear of: blocks, logs and waiting transactions, by filters over HTTP and by WebSocket.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ethers } from 'ethers';
import { createPublicClient, http, parseAbi, webSocket } from 'viem';
import { foundry } from 'viem/chains';
import { startNode } from './node.mjs';
import { compileToken } from './token.mjs';

const PATIENCE_MS = 30_000;
const mnemonic = ethers.Mnemonic.fromPhrase('test test test test test test test test test test test junk');
const transferEvent = parseAbi(['event Transfer(address indexed from, address indexed to, uint256 value)']);
let node, sockets, http1, owner, token;

before(async () => {
  node = await startNode();
  sockets = node.url.replace('http', 'ws');
  http1 = new ethers.JsonRpcProvider(node.url, undefined, { pollingInterval: 20, cacheTimeout: -1 });
  owner = new ethers.NonceManager(ethers.HDNodeWallet.fromMnemonic(mnemonic).connect(http1));
  const { abi, bytecode } = compileToken();
  token = await new ethers.ContractFactory(abi, bytecode, owner).deploy('Test Token', 'TT', 1_000_000n);
  await token.waitForDeployment();
});

after(async () => {
  http1?.destroy();
  await node?.stop();
});

/** Answers the first value that `listen` hands over; `act` makes it happen, again and again until it was heard. */
const heard = (listen, act) => new Promise((resolve, reject) => {
  let isOver = false;
  const timer = setTimeout(() => { isOver = true; reject(new Error('nothing was heard')); }, PATIENCE_MS);
  const take = (value) => {
    isOver = true;
    clearTimeout(timer);
    resolve(value);
  };
  const actUntilHeard = async () => {
    await listen(take);
    while (!isOver) {
      await (await act()).wait();
    }
  };
  actUntilHeard().catch(reject);
});

const recipient = (byte) => ethers.getAddress(`0x${byte.repeat(20)}`);

test('ethers hears of blocks, waiting transactions and a contract\'s events over a WebSocket', async () => {
  const provider = new ethers.WebSocketProvider(sockets);
  try {
    const next = (await provider.getBlockNumber()) + 1;
    assert.ok(await heard((take) => provider.once('block', take), () => token.transfer(recipient('11'), 1n)) >= next);

    const connected = token.connect(provider);
    const value = await heard(
      (take) => connected.on(connected.filters.Transfer(null, recipient('22')), (event) => take(event.args.value)),
      () => token.transfer(recipient('22'), 22n));
    assert.equal(value, 22n);

    const hash = await heard((take) => provider.once('pending', take), () => token.transfer(recipient('33'), 3n));
    assert.equal((await http1.getTransaction(hash)).to, await token.getAddress());
  } finally {
    await provider.destroy();
  }
});

test('ethers hears of a contract\'s events through filters', async () => {
  const provider = new ethers.JsonRpcProvider(node.url, undefined, { pollingInterval: 20, polling: false });
  try {
    const connected = token.connect(provider);
    const value = await heard(
      (take) => connected.on(connected.filters.Transfer(null, recipient('44')), (event) => take(event.args.value)),
      () => token.transfer(recipient('44'), 44n));
    assert.equal(value, 44n);
  } finally {
    provider.destroy();
  }
});

for (const [name, transport] of [['filters', () => http(node.url)], ['a WebSocket', () => webSocket(sockets)]]) {
  test(`viem hears of blocks, events and waiting transactions through ${name}`, async () => {
    const client = createPublicClient({ chain: foundry, transport: transport(), pollingInterval: 20, cacheTime: 0 });
    const to = recipient(name === 'filters' ? '55' : '66');
    const stops = [];
    const log = await heard(
      async (take) => stops.push(client.watchEvent({
        address: await token.getAddress(), event: transferEvent[0], args: { to }, onLogs: ([first]) => take(first),
      })),
      () => token.transfer(to, 5n));
    assert.equal(log.args.to, to);
    const hashes = await heard(
      (take) => stops.push(client.watchPendingTransactions({ onTransactions: take })),
      () => token.transfer(to, 6n));
    assert.match(hashes[0], /^0x[0-9a-f]{64}$/);
    const block = await heard((take) => stops.push(client.watchBlocks({ onBlock: take })), () => token.transfer(to, 7n));
    assert.ok(block.number > 0n);
    stops.forEach((stop) => stop());
    if (name !== 'filters') {
      (await client.transport.getRpcClient()).close();
    }
  });
}
