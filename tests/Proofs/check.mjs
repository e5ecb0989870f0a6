// check.mjs FOLDER: lets snarkjs judge the proofs NAME.proof.json, prove with the development keys, and solc compile NAME.sol.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as snarkjs from 'snarkjs';
import solc from 'solc';

const folder = process.argv[2];
const json = name => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const results = {};
for (const { name, ceremony } of json('index.json')) {
  const vkey = ceremony ? json(`${name}.vkey.json`) : await snarkjs.zKey.exportVerificationKey(join(folder, `${name}.zkey`));
  const result = results[name] = {};
  result.proof = await snarkjs.groth16.verify(vkey, json(`${name}.public.json`), json(`${name}.proof.json`));
  const own = json(`${name}.own.vkey.json`);
  result.ownKey = ['vk_alpha_1', 'vk_beta_2', 'vk_gamma_2', 'vk_delta_2', 'IC', 'nPublic', 'curve', 'protocol']
    .every(field => JSON.stringify(own[field]) === JSON.stringify(vkey[field]));
  result.calldata = await snarkjs.groth16.exportSolidityCallData(json(`${name}.proof.json`), json(`${name}.public.json`))
    === readFileSync(join(folder, `${name}.calldata`), 'utf8');
  if (!ceremony) {
    const made = await snarkjs.groth16.prove(join(folder, `${name}.zkey`), join(folder, `${name}.wtns`));
    result.developmentKey = await snarkjs.groth16.verify(vkey, made.publicSignals, made.proof);
    writeFileSync(join(folder, `${name}.snarkjs.proof.json`), JSON.stringify(made.proof));
    writeFileSync(join(folder, `${name}.snarkjs.public.json`), JSON.stringify(made.publicSignals));
  }
  if (existsSync(join(folder, `${name}.sol`))) {
    const output = JSON.parse(solc.compile(JSON.stringify({
      language: 'Solidity', sources: { 'verifier.sol': { content: readFileSync(join(folder, `${name}.sol`), 'utf8') } },
      settings: { optimizer: { enabled: true, runs: 200 }, outputSelection: { '*': { '*': ['evm.deployedBytecode.object', 'evm.methodIdentifiers'] } } },
    })));
    const faults = (output.errors ?? []).map(error => error.formattedMessage);
    if (faults.length) throw new Error(`${name}: ${faults.join('\n')}`);
    const contract = output.contracts['verifier.sol'].Groth16Verifier;
    result.bytecode = contract.evm.deployedBytecode.object;
    result.selector = Object.values(contract.evm.methodIdentifiers)[0];
  }
}
writeFileSync(join(folder, 'results.json'), JSON.stringify(results, null, 1));
process.exit(0);
