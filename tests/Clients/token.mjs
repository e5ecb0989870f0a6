// Compiles the test token with solc; imports come from node_modules.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import solc from 'solc';

const folder = path.dirname(fileURLToPath(import.meta.url));

const findImport = (name) => {
  const file = path.join(folder, 'node_modules', name);
  return fs.existsSync(file) ? { contents: fs.readFileSync(file, 'utf8') } : { error: `${name} is not installed` };
};

export function compileToken() {
  const name = 'TestToken.sol';
  const input = {
    language: 'Solidity',
    sources: { [name]: { content: fs.readFileSync(path.join(folder, 'contracts', name), 'utf8') } },
    settings: {
      optimizer: { enabled: true, runs: 200 },
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: findImport }));
  const problems = (output.errors ?? []).filter((error) => error.severity === 'error');
  if (problems.length > 0) {
    throw new Error(problems.map((problem) => problem.formattedMessage).join('\n'));
  }
  const { abi, evm } = output.contracts[name].TestToken;
  return { abi, bytecode: `0x${evm.bytecode.object}` };
}
