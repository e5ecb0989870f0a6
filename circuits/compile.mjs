// Compiles a circuit with circom2: NAME.r1cs and NAME_js/NAME.wasm (the witness calculator) come into FOLDER.
//   node compile.mjs CIRCUIT.circom FOLDER
import { spawn } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));

export async function compile(circuit, folder) {
  await mkdir(folder, { recursive: true });
  const compiler = path.join(here, 'node_modules', 'circom2', 'cli.js');
  const words = [compiler, path.resolve(circuit), '--r1cs', '--wasm', '-l', path.join(here, 'node_modules'), '-l', here,
    '-o', path.resolve(folder)];
  await new Promise((resolve, reject) => {
    const child = spawn(process.execPath, words, { cwd: here, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', text => { said += text; });
    child.stderr.on('data', text => { said += text; });
    child.on('error', reject);
    child.on('exit', code => code === 0 ? resolve() : reject(new Error(`circom2 ended with ${code}: ${said}`)));
  });
  const name = path.basename(circuit, '.circom');
  return {
    r1cs: path.join(folder, `${name}.r1cs`),
    wasm: path.join(folder, `${name}_js`, `${name}.wasm`),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv.length !== 4) {
    console.error('usage: node compile.mjs CIRCUIT.circom FOLDER');
    process.exit(2);
  }
  console.log(await compile(process.argv[2], process.argv[3]));
}
