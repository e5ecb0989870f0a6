// The same tests against the function apps: the four apps over emulators of Azure.
process.env.SUPERVM_VERB = 'cloud';
await import('./ethers.test.mjs');
