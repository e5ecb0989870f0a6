// Runs a program of node_modules in this folder and answers what it printed.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));

/** Rejects with both outputs where the program ends with an error or says one (Foundry's wrappers lose the status). */
export function run(program, args, environment = {}) {
  return new Promise((resolve, reject) => {
    execFile(
      path.join(here, 'node_modules', '.bin', program), args,
      { cwd: here, env: { ...process.env, ...environment } },
      (error, stdout, stderr) => {
        if (error || /^Error/m.test(stderr)) {
          reject(new Error(`${program}: ${stdout}${stderr}`));
        } else {
          resolve(stdout);
        }
      },
    );
  });
}
