pragma circom 2.1.6;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/poseidon.circom";
include "circomlib/circuits/switcher.circom";

// The root of a binary Poseidon tree from a leaf, its number and the siblings on its way up.
template MerkleRoot(depth) {
    signal input leaf;
    signal input number;            // below 2^depth; bit 0 says on which side the leaf itself lies
    signal input siblings[depth];
    signal output root;

    component bits = Num2Bits(depth);
    bits.in <== number;
    component sides[depth];
    component hashes[depth];
    signal nodes[depth + 1];
    nodes[0] <== leaf;
    for (var i = 0; i < depth; i++) {
        sides[i] = Switcher();
        sides[i].sel <== bits.out[i];
        sides[i].L <== nodes[i];
        sides[i].R <== siblings[i];
        hashes[i] = Poseidon(2);
        hashes[i].inputs[0] <== sides[i].outL;
        hashes[i].inputs[1] <== sides[i].outR;
        nodes[i + 1] <== hashes[i].out;
    }
    root <== nodes[depth];
}

// "I know a leaf of the tree with this root": the leaf and its place stay hidden.
template MerkleMembership(depth) {
    signal input root;
    signal input leaf;
    signal input number;
    signal input siblings[depth];

    component path = MerkleRoot(depth);
    path.leaf <== leaf;
    path.number <== number;
    for (var i = 0; i < depth; i++) {
        path.siblings[i] <== siblings[i];
    }
    root === path.root;
}
