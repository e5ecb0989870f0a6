// Starts the storage and document emulators on ports of the loopback interface, free ones or those named, prints one line of JSON with the
// ports, and ends when its standard input ends: whoever started it takes it down by dying.
//   --data DIR           storage keeps its data there (else in memory)
//   --ports B,Q,T,D      of blobs, queues, tables and documents
//   standard input       "restart storage" or "restart documents": the service goes away and comes back with its data on
//                        the same ports; one line {"restarted":"…"} says that it is back
import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

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

const option = (name) => {
    const at = process.argv.indexOf(name);
    return at < 0 ? null : process.argv[at + 1];
};
const data = option('--data');
const [blob, queue, table, document] = (option('--ports') ?? '0,0,0,0').split(',').map(Number);
const ports = { blob, queue, table, documents: document };
let azurite;
let restarting = false;

const startStorage = () => new Promise((resolve) => {
    azurite = spawn(process.execPath, [
        '--require', require.resolve('./rows.cjs'),
        require.resolve('azurite/dist/src/azurite.js'), '--skipApiVersionCheck', '--silent', '--disableTelemetry',
        ...(data === null ? ['--inMemoryPersistence'] : ['--location', data]),
        '--blobPort', `${ports.blob}`, '--queuePort', `${ports.queue}`, '--tablePort', `${ports.table}`,
    ], { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    let text = '';
    azurite.stdout.on('data', (chunk) => {
        text += chunk;
        const found = [...text.matchAll(/(\w+) service is successfully listening at http:\/\/[^:]+:(\d+)/g)];
        for (const [, name, port] of found) ports[name.toLowerCase()] = Number(port);
        if (found.length === 3) resolve();
    });
    azurite.on('exit', (code) => { if (!restarting) process.exit(code ?? 1); });
});

const documents = createHttpServer({ keepAlive: true });
// Node closes a connection after 5 s without a request, in the midst of the next one; the service waits for minutes.
documents.keepAliveTimeout = 0;
documents.on('error', (error) => {
    console.error(`The document emulator cannot listen: ${error.message}`);
    azurite?.kill('SIGKILL');
    process.exit(1);
});
const startDocuments = () => new Promise((resolve) => {
    documents.listen(ports.documents, '127.0.0.1', () => {
        ports.documents = documents.address().port;
        // It would begin with an empty account whenever it listens again.
        documents.removeAllListeners('listening');
        resolve();
    });
});

const restart = {
    storage: async () => {
        restarting = true;
        const ended = new Promise((resolve) => azurite.once('exit', resolve));
        azurite.kill('SIGTERM');
        await ended;
        await startStorage();
        restarting = false;
    },
    documents: async () => {
        const ended = new Promise((resolve) => documents.close(resolve));
        documents.closeAllConnections();
        await ended;
        await startDocuments();
    },
};

const stop = () => {
    azurite?.kill('SIGKILL');
    process.exit(0);
};
// A Ctrl-C at the terminal reaches this process too; who started it says when it ends.
process.on('SIGTERM', stop).on('SIGINT', () => {});
createInterface({ input: process.stdin }).on('close', stop).on('line', async (line) => {
    const [word, service] = line.split(' ');
    if (word !== 'restart' || !restart[service]) return;
    await restart[service]();
    process.stdout.write(`${JSON.stringify({ restarted: service })}\n`);
});

await Promise.all([startStorage(), startDocuments()]);
process.stdout.write(`${JSON.stringify(ports)}\n`);
