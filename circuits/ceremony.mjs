// Makes DEVELOPMENT keys for a circuit: powers of tau and one contribution to each phase, all on this machine.
//
//   node ceremony.mjs CIRCUIT.circom FOLDER
//
// NOT FOR PRODUCTION. Whoever runs this could keep the secrets and forge proofs. Real keys come from a ceremony of many
// independent contributors (snarkjs powersoftau / zkey contribute, one honest one suffices) and a public beacon.
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as snarkjs from 'snarkjs';
import { compile } from './compile.mjs';

const mostPower = 17;
const text = () => randomBytes(32).toString('hex');

/** The keys of a compiled circuit: NAME.zkey and NAME.vkey.json in the folder. */
export async function makeKeys(r1cs, folder, log = () => {}) {
  await mkdir(folder, { recursive: true });
  const curve = await snarkjs.curves.getCurveFromName('bn128');
  const { nConstraints, nPubInputs, nOutputs } = await snarkjs.r1cs.info(r1cs);
  let power = 2;
  while (2 ** power < nConstraints + nPubInputs + nOutputs + 1) power++;
  if (power > mostPower) throw new Error(`${nConstraints} constraints need 2^${power} powers of tau, at most 2^${mostPower} here`);
  const name = path.basename(r1cs, '.r1cs');
  const at = suffix => path.join(folder, `${name}.${suffix}`);
  const temporary = ['0.ptau', '1.ptau', '2.ptau', '0.zkey'].map(at);
  log(`powers of tau, 2^${power}`);
  await snarkjs.powersOfTau.newAccumulator(curve, power, temporary[0]);
  await snarkjs.powersOfTau.contribute(temporary[0], temporary[1], 'development', text());
  log('phase 2');
  await snarkjs.powersOfTau.preparePhase2(temporary[1], temporary[2]);
  await snarkjs.zKey.newZKey(r1cs, temporary[2], temporary[3]);
  await snarkjs.zKey.contribute(temporary[3], at('zkey'), 'development', text());
  await writeFile(at('vkey.json'), JSON.stringify(await snarkjs.zKey.exportVerificationKey(at('zkey')), null, 1));
  await Promise.all(temporary.map(file => rm(file)));
  return { zkey: at('zkey'), verificationKey: at('vkey.json'), power };
}

/** snarkjs keeps threads alive; a program that is done calls this. */
export async function endThreads() {
  await (await snarkjs.curves.getCurveFromName('bn128')).terminate();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.length !== 4) {
    console.error('usage: node ceremony.mjs CIRCUIT.circom FOLDER');
    process.exit(2);
  }
  console.error('DEVELOPMENT KEYS, NOT FOR PRODUCTION: this machine knows their secrets.');
  const { r1cs } = await compile(process.argv[2], process.argv[3]);
  console.log(await makeKeys(r1cs, process.argv[3], line => console.error(`  ${line} …`)));
  await endThreads();
}
