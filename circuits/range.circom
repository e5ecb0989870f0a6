pragma circom 2.1.6;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/poseidon.circom";

// value is below 2^bits; for bits up to 252 no other value of the field has such bits.
template Below(bits) {
    assert(bits > 0 && bits <= 252);
    signal input value;
    component split = Num2Bits(bits);
    split.in <== value;
}

// "The value behind this commitment lies from least to most": both differences are below 2^bits. least and most are
// public; who checks the proof checks that they are below 2^bits themselves.
template Range(bits) {
    signal input commitment;
    signal input least;
    signal input most;
    signal input value;
    signal input blinding;

    component hash = Poseidon(2);
    hash.inputs[0] <== value;
    hash.inputs[1] <== blinding;
    commitment === hash.out;

    component above = Below(bits);
    above.value <== value - least;
    component below = Below(bits);
    below.value <== most - value;
}
