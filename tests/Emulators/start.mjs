// Starts the storage and document emulators on free ports of the loopback interface, prints one line of JSON with the
// ports, and ends when its standard input ends: whoever started it takes it down by dying.
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
// The document emulator answers 500 where a document is missing that is read by its name; the service answers 404.
const reading = require('@vercel/cosmosdb-server/lib/handler/read-document.js');
const read = reading.default;
reading.default = (account, request, response, names) => {
    try {
        return read(account, request, response, names);
    } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        response.statusCode = 404;
        return { code: 'NotFound', message: 'Entity with the specified id does not exist in the system.' };
    }
};
const { createHttpServer } = require('@vercel/cosmosdb-server');

const azurite = spawn(process.execPath, [
    require.resolve('azurite/dist/src/azurite.js'),
    '--inMemoryPersistence', '--skipApiVersionCheck', '--silent', '--disableTelemetry',
    '--blobPort', '0', '--queuePort', '0', '--tablePort', '0',
], { stdio: ['ignore', 'pipe', 'inherit'] });

const stop = () => {
    azurite.kill('SIGKILL');
    process.exit(0);
};
process.stdin.on('end', stop).on('error', stop).resume();
process.on('SIGTERM', stop).on('SIGINT', stop);
azurite.on('exit', (code) => process.exit(code ?? 1));

const ports = {};
let text = '';
const storage = new Promise((resolve) => {
    azurite.stdout.on('data', (chunk) => {
        text += chunk;
        for (const [, name, port] of text.matchAll(/(\w+) service is successfully listening at http:\/\/[^:]+:(\d+)/g)) {
            ports[name.toLowerCase()] = Number(port);
        }
        if (ports.blob && ports.queue && ports.table) resolve();
    });
});

const documents = createHttpServer({ keepAlive: true });
await new Promise((resolve) => documents.listen(0, '127.0.0.1', resolve));
ports.documents = documents.address().port;
await storage;
process.stdout.write(`${JSON.stringify(ports)}\n`);
