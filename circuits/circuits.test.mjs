import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import * as snarkjs from 'snarkjs';
import { endThreads, makeKeys } from './ceremony.mjs';
import { compile } from './compile.mjs';
import { commitmentOf, nullifierOf, ownerOf, rangeCommitment, Tree } from './notes.mjs';

const modulus = 21888242871839275222246405745257275088548364400416034343698204186575808495617n;
const depth = 4;
const circuits = {};
let folder;

before(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'circuits-'));
  const mains = {
    merkle: `{public [root]} = MerkleMembership(${depth})`,
    range: '{public [commitment, least, most]} = Range(16)',
    joinsplit: `{public [root, publicAmount, boundHash, nullifiers, commitments]} = JoinSplit(${depth}, 2, 2)`,
  };
  for (const [name, main] of Object.entries(mains)) {
    const source = path.join(folder, `${name}-small.circom`);
    await writeFile(source,
      `pragma circom 2.1.6;\ninclude "${name}.circom";\ncomponent main ${main};\n`);
    circuits[name] = await compile(source, path.join(folder, name));
  }
});

after(async () => {
  await endThreads();
  await rm(folder, { recursive: true });
});

const words = value => Array.isArray(value) ? value.map(words) : String(value);

/** The witness of inputs, checked against every constraint; throws where there is none. */
async function witness(name, inputs) {
  const file = { type: 'mem' };
  const plain = Object.fromEntries(Object.entries(inputs).map(([key, value]) => [key, words(value)]));
  await snarkjs.wtns.calculate(plain, await readFile(circuits[name].wasm), file);
  assert.equal(await snarkjs.wtns.check(circuits[name].r1cs, file, quiet), true);
  return file;
}

const quiet = { info() {}, debug() {}, warn() {}, error() {} };
const refused = (name, inputs) => assert.rejects(() => witness(name, inputs), /Assert Failed/);

test('every leaf of a tree has a membership witness, and no other value has one', async () => {
  const leaves = Array.from({ length: 11 }, (_, i) => BigInt(1000 + i));
  const tree = new Tree(depth, leaves);
  for (const number of [0, 1, 6, 10]) {
    const inputs = { root: tree.root, leaf: leaves[number], number, siblings: tree.siblings(number) };
    await witness('merkle', inputs);
    await refused('merkle', { ...inputs, leaf: 5n });
    await refused('merkle', { ...inputs, number: number ^ 1 });
    await refused('merkle', { ...inputs, root: tree.root + 1n });
    await refused('merkle', { ...inputs, number: number + 16 });
  }
});

test('a value at and between the ends of a range has a witness, one outside has none', async () => {
  const inputs = value => ({ commitment: rangeCommitment(value, 77n), least: 100n, most: 200n, value, blinding: 77n });
  for (const value of [100n, 101n, 200n]) await witness('range', inputs(value));
  for (const value of [99n, 201n, 0n, modulus - 1n, 2n ** 200n]) await refused('range', inputs(value));
  await refused('range', { ...inputs(150n), blinding: 78n });
});

/** Two notes of 30 and 12 in a tree; 25 and 10 come out, 7 leave. */
function transfer(change = {}) {
  const secrets = [11n, 22n];
  const notes = [30n, 12n].map((amount, i) => ({ amount, owner: ownerOf(secrets[i]), blinding: BigInt(500 + i) }));
  const numbers = [3, 5];
  const leaves = Array.from({ length: 8 }, (_, i) => BigInt(i + 1));
  notes.forEach((note, i) => { leaves[numbers[i]] = commitmentOf(note); });
  const tree = new Tree(depth, leaves);
  const out = [25n, 10n].map((amount, i) => ({ amount, owner: ownerOf(BigInt(90 + i)), blinding: BigInt(700 + i) }));
  const made = { notes, secrets, numbers, out, tree, publicAmount: modulus - 7n, ...change };
  return {
    root: made.tree.root,
    publicAmount: made.publicAmount,
    boundHash: 4242n,
    nullifiers: made.notes.map((note, i) => nullifierOf(note, made.numbers[i], made.secrets[i])),
    commitments: made.out.map(commitmentOf),
    inAmounts: made.notes.map(note => note.amount),
    inSecrets: made.secrets,
    inBlindings: made.notes.map(note => note.blinding),
    inNumbers: made.numbers,
    inSiblings: made.numbers.map(number => made.tree.siblings(number)),
    outAmounts: made.out.map(note => note.amount),
    outOwners: made.out.map(note => note.owner),
    outBlindings: made.out.map(note => note.blinding),
  };
}

test('a transfer whose sums agree has a witness', async () => {
  await witness('joinsplit', transfer());
});

test('a transfer that makes money, moves a negative amount or spends a note twice has none', async () => {
  const good = transfer();
  await refused('joinsplit', { ...good, publicAmount: modulus - 6n });
  const richer = transfer({ out: [26n, 10n].map((amount, i) => ({ amount, owner: 1n, blinding: BigInt(i) })) });
  await refused('joinsplit', richer);
  const wrapped = transfer({
    out: [modulus - 5n, 40n].map((amount, i) => ({ amount, owner: 1n, blinding: BigInt(i) })),
  });
  await refused('joinsplit', wrapped);
  const secrets = [11n, 11n];
  const note = { amount: 30n, owner: ownerOf(11n), blinding: 500n };
  const leaves = [9n, 9n, 9n, commitmentOf(note)];
  const twice = transfer({
    notes: [note, note], secrets, numbers: [3, 3], tree: new Tree(depth, leaves), publicAmount: modulus - 25n,
  });
  await refused('joinsplit', twice);
});

test('a note of another owner, outside the tree, or with a foreign nullifier cannot be spent', async () => {
  const good = transfer();
  await refused('joinsplit', { ...good, inSecrets: [12n, 22n] });
  await refused('joinsplit', { ...good, inSiblings: [good.inSiblings[1], good.inSiblings[1]] });
  await refused('joinsplit', { ...good, nullifiers: [good.nullifiers[0] + 1n, good.nullifiers[1]] });
  await refused('joinsplit', { ...good, commitments: [good.commitments[1], good.commitments[0]] });
});

test('an input of amount zero needs no place in the tree', async () => {
  const secrets = [11n, 5n];
  const notes = [{ amount: 30n, owner: ownerOf(11n), blinding: 1n }, { amount: 0n, owner: ownerOf(5n), blinding: 2n }];
  const tree = new Tree(depth, [commitmentOf(notes[0])]);
  await witness('joinsplit', transfer({ notes, secrets, numbers: [0, 9], tree, publicAmount: 5n }));
});

test('development keys prove and verify, and a proof holds for its public values only', async () => {
  const keys = await makeKeys(circuits.range.r1cs, path.join(folder, 'keys'));
  const inputs = { commitment: rangeCommitment(150n, 77n), least: 100n, most: 200n, value: 150n, blinding: 77n };
  const { proof, publicSignals } = await snarkjs.groth16.prove(keys.zkey, await witness('range', inputs));
  const key = JSON.parse(await readFile(keys.verificationKey));
  assert.equal(await snarkjs.groth16.verify(key, publicSignals, proof), true);
  const other = publicSignals.map((value, i) => i === 2 ? '199' : value);
  assert.equal(await snarkjs.groth16.verify(key, other, proof), false);
});
