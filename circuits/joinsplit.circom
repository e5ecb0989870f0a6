pragma circom 2.1.6;

include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";
include "./merkle.circom";
include "./range.circom";

// Private transfers: notes go in, notes come out, and nobody sees which, whose and how much.
//
//   owner      = Poseidon(secret)
//   commitment = Poseidon(amount, owner, blinding)        a leaf of the tree of all notes
//   nullifier  = Poseidon(commitment, number, secret)     one for each leaf: shown when the note is spent
//
//   sum of inputs + publicAmount = sum of outputs         publicAmount is negative (modulo r) where money leaves
//
// An input of amount 0 need not be in the tree, so that fewer than all inputs can be real.

template NoteCommitment() {
    signal input amount;
    signal input owner;
    signal input blinding;
    signal output out;
    component hash = Poseidon(3);
    hash.inputs[0] <== amount;
    hash.inputs[1] <== owner;
    hash.inputs[2] <== blinding;
    out <== hash.out;
}

template SpentNote(depth) {
    signal input root;
    signal input amount;
    signal input secret;
    signal input blinding;
    signal input number;
    signal input siblings[depth];
    signal output nullifier;

    component owner = Poseidon(1);
    owner.inputs[0] <== secret;
    component commitment = NoteCommitment();
    commitment.amount <== amount;
    commitment.owner <== owner.out;
    commitment.blinding <== blinding;

    component spent = Poseidon(3);
    spent.inputs[0] <== commitment.out;
    spent.inputs[1] <== number;
    spent.inputs[2] <== secret;
    nullifier <== spent.out;

    component path = MerkleRoot(depth);
    path.leaf <== commitment.out;
    path.number <== number;
    for (var i = 0; i < depth; i++) {
        path.siblings[i] <== siblings[i];
    }
    component member = ForceEqualIfEnabled();
    member.in[0] <== path.root;
    member.in[1] <== root;
    member.enabled <== amount;
}

template JoinSplit(depth, inputs, outputs) {
    var amountBits = 128;

    signal input root;
    signal input publicAmount;
    signal input boundHash;                  // hash of what else the transaction says (recipient, fee, relayer)
    signal input nullifiers[inputs];
    signal input commitments[outputs];

    signal input inAmounts[inputs];
    signal input inSecrets[inputs];
    signal input inBlindings[inputs];
    signal input inNumbers[inputs];
    signal input inSiblings[inputs][depth];
    signal input outAmounts[outputs];
    signal input outOwners[outputs];
    signal input outBlindings[outputs];

    component spent[inputs];
    component inRange[inputs];
    var sumIn = 0;
    for (var i = 0; i < inputs; i++) {
        inRange[i] = Below(amountBits);
        inRange[i].value <== inAmounts[i];
        spent[i] = SpentNote(depth);
        spent[i].root <== root;
        spent[i].amount <== inAmounts[i];
        spent[i].secret <== inSecrets[i];
        spent[i].blinding <== inBlindings[i];
        spent[i].number <== inNumbers[i];
        for (var k = 0; k < depth; k++) {
            spent[i].siblings[k] <== inSiblings[i][k];
        }
        nullifiers[i] === spent[i].nullifier;
        sumIn += inAmounts[i];
    }

    component made[outputs];
    component outRange[outputs];
    var sumOut = 0;
    for (var i = 0; i < outputs; i++) {
        outRange[i] = Below(amountBits);
        outRange[i].value <== outAmounts[i];
        made[i] = NoteCommitment();
        made[i].amount <== outAmounts[i];
        made[i].owner <== outOwners[i];
        made[i].blinding <== outBlindings[i];
        commitments[i] === made[i].out;
        sumOut += outAmounts[i];
    }
    sumIn + publicAmount === sumOut;

    // No note twice in one transaction.
    component same[inputs * (inputs - 1) / 2];
    var pair = 0;
    for (var i = 0; i < inputs - 1; i++) {
        for (var k = i + 1; k < inputs; k++) {
            same[pair] = IsEqual();
            same[pair].in[0] <== nullifiers[i];
            same[pair].in[1] <== nullifiers[k];
            same[pair].out === 0;
            pair++;
        }
    }

    // A constraint, so that a proof is bound to the hash.
    signal bound;
    bound <== boundHash * boundHash;
}
