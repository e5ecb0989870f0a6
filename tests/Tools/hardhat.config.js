require('@nomicfoundation/hardhat-ethers');
const { subtask } = require('hardhat/config');
const { TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD } = require('hardhat/builtin-tasks/task-names');

// The compiler of package.json rather than one that would be downloaded.
subtask(TASK_COMPILE_SOLIDITY_GET_SOLC_BUILD, async ({ solcVersion }) => ({
  compilerPath: require.resolve('solc/soljson.js'),
  isSolcJs: true,
  version: solcVersion,
  longVersion: require('solc').version(),
}));

module.exports = {
  solidity: '0.8.37',
  networks: { supervm: { url: process.env.SUPERVM_URL ?? 'http://127.0.0.1:8545' } },
  paths: { artifacts: 'node_modules/.hardhat/artifacts', cache: 'node_modules/.hardhat/cache' },
};
