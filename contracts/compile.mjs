// Compiles the system contracts. The artefact beside each source is what the program carries: its runtime code goes
// into genesis, and its storage layout is what the program reads and writes without calling it.
//
//   npm ci && npm run build       writes the artefacts anew; `npm test` says whether they are the sources' own
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import solc from 'solc';

export const contracts = ['ValidatorRegistry'];

const here = new URL('.', import.meta.url);

/** The artefact's text. Metadata is left out of the code, so that the same source always gives the same bytes. */
export function compile(name) {
  const file = `${name}.sol`;
  const input = {
    language: 'Solidity',
    sources: { [file]: { content: readFileSync(new URL(file, here), 'utf8') } },
    settings: {
      evmVersion: 'paris',
      optimizer: { enabled: true, runs: 200 },
      metadata: { appendCBOR: false, bytecodeHash: 'none' },
      outputSelection: { '*': { [name]: ['abi', 'evm.deployedBytecode.object', 'storageLayout'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const problems = (output.errors ?? []).map((problem) => problem.formattedMessage);
  if (problems.length > 0) {
    throw new Error(problems.join('\n'));
  }

  const compiled = output.contracts[file][name];
  const variables = compiled.storageLayout.storage;
  const layout = Object.fromEntries(variables.map(({ label, slot, offset }) => [label, [Number(slot), offset]]));
  const types = Object.values(compiled.storageLayout.types);
  const struct = types.find((type) => type.label === `struct ${name}.Validator`);
  const members = Object.fromEntries(
    (struct?.members ?? []).map(({ label, slot, offset }) => [label, [Number(slot), offset]]));
  const code = compiled.evm.deployedBytecode.object.match(/.{1,116}/g);
  const abi = compiled.abi.map((entry) => JSON.stringify(entry));
  return `{\n"compiler": ${JSON.stringify(solc.version())},\n"layout": ${JSON.stringify(layout)},\n`
    + `"members": ${JSON.stringify(members)},\n"abi": [\n${abi.join(',\n')}\n],\n`
    + `"code": [\n${code.map((line) => JSON.stringify(line)).join(',\n')}\n]\n}\n`;
}

export const artefactOf = (name) => new URL(`${name}.json`, here);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const name of contracts) {
    writeFileSync(artefactOf(name), compile(name));
  }
}
