// SPDX-License-Identifier: MIT
// The contracts of `supervm bench evm`. EvmBench.hex beside this file is their run-time code, one contract a line, as
// solc 0.8.37 compiles it: optimizer on, 200 runs, EVM version osaka, metadata.appendCBOR false (see docs/evm.md).
pragma solidity 0.8.37;

contract Compute {
    uint256[8] private cells;

    /// Checked addition, multiplication and subtraction of 256-bit numbers.
    function arithmetic(uint256 n) external pure returns (uint256 x) {
        x = 1;
        for (uint256 i = 0; i < n; i++) {
            x = (x * 3 + i) - (x >> 1);
            if (x > 1 << 200) {
                x = x >> 180;
            }
        }
    }

    /// Division and remainder by numbers of two and more limbs.
    function division(uint256 n) external pure returns (uint256 x) {
        x = type(uint256).max;
        uint256 d = (1 << 129) + 12345;
        for (uint256 i = 0; i < n; i++) {
            unchecked {
                x = (x / d) * 0x9E3779B97F4A7C15F39CC0605CEDC8341082276BF3A27251F86C6A11D0C18E95 + (x % (d + i));
            }
        }
    }

    /// A chain of hashes of 32 bytes.
    function hashes(uint256 n) external pure returns (bytes32 h) {
        for (uint256 i = 0; i < n; i++) {
            assembly {
                mstore(0, h)
                h := keccak256(0, 32)
            }
        }
    }

    /// Writes to eight slots that are warm and changed already.
    function writes(uint256 n) external returns (uint256) {
        for (uint256 i = 0; i < n; i++) {
            cells[i & 7] = i + 1;
        }
        return cells[3];
    }

    function fibonacci(uint256 n) external pure returns (uint256) {
        return fib(n);
    }

    function fib(uint256 n) private pure returns (uint256) {
        return n < 2 ? n : fib(n - 1) + fib(n - 2);
    }

    /// Bubble sort of n numbers that begin in falling order.
    function sort(uint256 n) external pure returns (uint256) {
        uint256[] memory a = new uint256[](n);
        unchecked {
            for (uint256 i = 0; i < n; i++) {
                a[i] = n - i;
            }
            for (uint256 i = 0; i < n; i++) {
                for (uint256 j = 1; j < n - i; j++) {
                    (uint256 left, uint256 right) = (a[j - 1], a[j]);
                    if (left > right) {
                        (a[j - 1], a[j]) = (right, left);
                    }
                }
            }
        }
        return a[0] + a[n - 1];
    }

    /// Checks e(P, Q) e(-P, Q) = 1 on bn254 with the two generators.
    function pairings(uint256 n) external view returns (uint256 good) {
        uint256[12] memory p = [
            uint256(1), 2,
            11559732032986387107991004021392285783925812861821192530917403151452391805634,
            10857046999023057135944570762232829481370756359578518086990519993285655852781,
            4082367875863433681332203403145435568316851327593401208105741076214120093531,
            8495653923123431417604973247489272438418190587263600148770280649306958101930,
            1, 21888242871839275222246405745257275088696311157297823662689037894645226208581,
            11559732032986387107991004021392285783925812861821192530917403151452391805634,
            10857046999023057135944570762232829481370756359578518086990519993285655852781,
            4082367875863433681332203403145435568316851327593401208105741076214120093531,
            8495653923123431417604973247489272438418190587263600148770280649306958101930
        ];
        for (uint256 i = 0; i < n; i++) {
            uint256[1] memory result;
            assembly {
                pop(staticcall(gas(), 8, p, 384, result, 32))
            }
            good += result[0];
        }
    }

    /// Modular powers of 256-bit numbers, each the base of the next.
    function powers(uint256 n) external view returns (uint256 x) {
        uint256[6] memory job = [
            uint256(32), 32, 32, 3,
            0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEFFFFFC2D,
            0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
        ];
        for (uint256 i = 0; i < n; i++) {
            assembly {
                pop(staticcall(gas(), 5, job, 192, add(job, 96), 32))
                mstore(add(job, 128), not(i))
            }
        }
        x = job[3];
    }
}

/// The least of an ERC-20 token: balances, transfer, the event.
contract Token {
    mapping(address => uint256) public balanceOf;
    event Transfer(address indexed from, address indexed to, uint256 value);

    function mint(uint256 amount) external {
        balanceOf[msg.sender] += amount;
    }

    function transfer(address to, uint256 amount) external returns (bool) {
        uint256 balance = balanceOf[msg.sender];
        require(balance >= amount, "balance");
        unchecked {
            balanceOf[msg.sender] = balance - amount;
        }
        balanceOf[to] += amount;
        emit Transfer(msg.sender, to, amount);
        return true;
    }
}

/// Transfers tokens in a loop, each by an external call.
contract Payer {
    function pay(Token token, uint256 n) external returns (uint256) {
        token.mint(n);
        for (uint256 i = 0; i < n; i++) {
            token.transfer(address(uint160(0x1000 + (i & 63))), 1);
        }
        return token.balanceOf(address(0x1000));
    }
}
