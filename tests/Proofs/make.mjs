// make.mjs FOLDER [NAME…]: compiles circuits, calculates witnesses; for small ones also a ceremony and a proof of snarkjs.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import * as snarkjs from 'snarkjs';
import { circuits } from './circuits.mjs';

const [folder, ...names] = process.argv.slice(2);
const compiler = join(dirname(createRequire(import.meta.url).resolve('circom2/package.json')), 'cli.js');
const ceremonyPower = 9;
mkdirSync(folder, { recursive: true });

const potNew = join(folder, 'new.ptau'), pot = join(folder, 'final.ptau');
let ceremony;
const makeCeremony = () => ceremony ??= (async () => {
  const curve = await snarkjs.curves.getCurveFromName('bn128');
  await snarkjs.powersOfTau.newAccumulator(curve, ceremonyPower, potNew);
  const beacon = join(folder, 'beacon.ptau');
  await snarkjs.powersOfTau.beacon(potNew, beacon, 'test', '0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20', 10);
  await snarkjs.powersOfTau.preparePhase2(beacon, pot);
})();

const index = [];
for (const [name, circuit] of Object.entries(circuits)) {
  if (names.length ? !names.includes(name) : circuit.big) continue;
  const at = extension => join(folder, `${name}.${extension}`);
  writeFileSync(at('circom'), circuit.source);
  const compiled = spawnSync(process.execPath,
    [compiler, `${name}.circom`, '--r1cs', '--wasm', '-o', '.', ...(circuit.options ?? [])], { cwd: folder, encoding: 'utf8' });
  if (compiled.status !== 0) throw new Error(`${name}: ${compiled.stdout}${compiled.stderr}`);
  await snarkjs.wtns.calculate(circuit.input, join(folder, `${name}_js`, `${name}.wasm`), at('wtns'));
  rmSync(join(folder, `${name}_js`), { recursive: true });
  const info = await snarkjs.r1cs.info(at('r1cs'));
  const small = info.nConstraints + info.nPubInputs + info.nOutputs + 1 <= 1 << ceremonyPower;
  index.push({ name, constraints: info.nConstraints, ceremony: small });
  if (!small) continue;
  await makeCeremony();
  await snarkjs.zKey.newZKey(at('r1cs'), pot, at('first.zkey'));
  await snarkjs.zKey.beacon(at('first.zkey'), at('zkey'), 'test', '0a0b0c0d0e0f', 10);
  writeFileSync(at('vkey.json'), JSON.stringify(await snarkjs.zKey.exportVerificationKey(at('zkey')), null, 1));
  const { proof, publicSignals } = await snarkjs.groth16.prove(at('zkey'), at('wtns'));
  writeFileSync(at('snarkjs.proof.json'), JSON.stringify(proof, null, 1));
  writeFileSync(at('snarkjs.public.json'), JSON.stringify(publicSignals, null, 1));
  writeFileSync(at('snarkjs.calldata'), await snarkjs.groth16.exportSolidityCallData(proof, publicSignals));
}
writeFileSync(join(folder, 'index.json'), JSON.stringify(index, null, 1));
process.exit(0);
