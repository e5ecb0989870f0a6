// What a wallet needs to make inputs of the circuits: their hashes and a tree, outside of them.
import { poseidon1, poseidon2, poseidon3 } from 'poseidon-lite';

/** A tree of Poseidon hashes with 2^depth leaves; absent ones are 0. It keeps whole levels: for small sets and tests. */
export class Tree {
  constructor(depth, leaves = []) {
    this.depth = depth;
    this.levels = [[...leaves]];
    this.empty = [0n];
    for (let i = 0; i < depth; i++) {
      const below = this.levels[i];
      const above = [];
      for (let k = 0; k < below.length; k += 2) {
        above.push(poseidon2([below[k], below[k + 1] ?? this.empty[i]]));
      }
      this.levels.push(above);
      this.empty.push(poseidon2([this.empty[i], this.empty[i]]));
    }
  }

  get root() { return this.levels[this.depth][0] ?? this.empty[this.depth]; }

  siblings(number) {
    return Array.from({ length: this.depth }, (_, i) => this.levels[i][(number >> i) ^ 1] ?? this.empty[i]);
  }
}

export const rangeCommitment = (value, blinding) => poseidon2([value, blinding]);
export const ownerOf = secret => poseidon1([secret]);
export const commitmentOf = note => poseidon3([note.amount, note.owner, note.blinding]);
export const nullifierOf = (note, number, secret) => poseidon3([commitmentOf(note), number, secret]);
