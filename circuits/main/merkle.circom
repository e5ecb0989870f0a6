pragma circom 2.1.6;
include "../merkle.circom";
component main {public [root]} = MerkleMembership(20);
