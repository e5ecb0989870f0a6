pragma circom 2.1.6;
include "../range.circom";
component main {public [commitment, least, most]} = Range(64);
