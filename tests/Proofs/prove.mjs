// prove.mjs ZKEY WTNS RUNS: proves with snarkjs, once to warm up and then RUNS times; prints the seconds, one a line.
import * as snarkjs from 'snarkjs';

const [key, witness, runs] = process.argv.slice(2);
for (let run = -1; run < Number(runs); run++) {
  const started = process.hrtime.bigint();
  await snarkjs.groth16.prove(key, witness);
  if (run >= 0) console.log(Number(process.hrtime.bigint() - started) / 1e9);
}
process.exit(0);
