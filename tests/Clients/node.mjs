// Starts a real `supervm dev` on a free port and stops it again; or `supervm cloud` where SUPERVM_VERB says so.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const program = path.join(root, 'artifacts', 'bin', 'SuperVm.Cli', 'release', 'supervm.dll');
const verb = process.env.SUPERVM_VERB ?? 'dev';
// The cloud's emulators are installed at their first start; a machine that tests much at once is slow with the rest.
const START_TIMEOUT_MS = 180_000;

/** Why a test is left out on the function apps; false on the single process. */
export const notInCloud = (reason) => (verb === 'cloud' ? reason : false);

/** Answers { url, stop, output } once the node listens. */
export async function startNode(...args) {
  if (!fs.existsSync(program)) {
    throw new Error('the program is not built: run ./supervm --help once');
  }
  const port = args.includes('--port') ? [] : ['--port', '0'];
  const plain = verb === 'dev' ? ['--no-warm-up'] : [];
  const child = spawn('dotnet', [program, verb, ...plain, ...port, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the node did not start:\n${output}`));
    }, START_TIMEOUT_MS);
    const take = (chunk) => {
      output += chunk;
      const found = /Listening on (\S+)/.exec(output);
      if (found) {
        clearTimeout(timer);
        resolve(found[1]);
      }
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.on('exit', (code) => {
      clearTimeout(timer);
      reject(new Error(`the node ended with ${code}:\n${output}`));
    });
  });
  const stop = () => new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve({ code, signal }));
    child.kill('SIGTERM');
  });
  return { url, stop, output: () => output };
}
