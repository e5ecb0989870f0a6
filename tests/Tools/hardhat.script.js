// Run by hardhat.test.mjs under `hardhat run`: answers what happened as JSON on its last line.
const { ethers, network } = require('hardhat');

async function main() {
  const said = {};
  const counter = await ethers.deployContract('Counter');
  await counter.waitForDeployment();
  await (await counter.countBy(5n)).wait();
  said.count = Number(await counter.count());
  said.events = (await counter.queryFilter(counter.filters.Counted())).map((event) => Number(event.args.by));
  said.refusal = await counter.countBy.staticCall(0n)
    .then(() => 'none', (error) => counter.interface.parseError(error.data)?.name);

  // What hardhat-network-helpers would send: they themselves speak to nodes of a name that they know only.
  const send = (method, ...params) => network.provider.send(method, params);
  const snapshot = await send('evm_snapshot');
  await (await counter.countBy(7n)).wait();
  await send('evm_revert', snapshot);
  said.restored = Number(await counter.count());

  const before = (await ethers.provider.getBlock('latest')).timestamp;
  await send('evm_increaseTime', '0xe10');
  await send('hardhat_mine', '0x3', '0xa');
  said.passed = (await ethers.provider.getBlock('latest')).timestamp - before >= 3620;
  await send('hardhat_setBalance', await counter.getAddress(), '0xde0b6b3a7640000');

  // The counter owns itself now, and only an impersonated contract can say so.
  await (await counter.giveTo(await counter.getAddress())).wait();
  await send('hardhat_impersonateAccount', await counter.getAddress());
  const itself = await ethers.getSigner(await counter.getAddress());
  await (await counter.connect(itself).clear()).wait();
  said.cleared = Number(await counter.count());
  await send('hardhat_stopImpersonatingAccount', await counter.getAddress());

  await send('hardhat_reset');
  said.block = await ethers.provider.getBlockNumber();
  console.log(JSON.stringify(said));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
