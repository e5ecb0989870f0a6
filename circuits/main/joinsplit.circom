pragma circom 2.1.6;
include "../joinsplit.circom";
component main {public [root, publicAmount, boundHash, nullifiers, commitments]} = JoinSplit(20, 2, 2);
