// SPDX-License-Identifier: MIT
pragma solidity ^0.8.20;

/// The contracts of `bench uniswap`: a constant-product exchange with the calls, checks and storage of Uniswap v2.
/// Runtime code, compiled with solc 0.8.37 (optimizer, 200 runs, evmVersion paris, no metadata), stands in Exchange.hex;
/// the benchmark writes the storage itself, so there are no constructors.

contract Coin {
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Transfer(address indexed from, address indexed to, uint256 value);

    function transfer(address to, uint256 value) external returns (bool) {
        move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - value;
        move(from, to, value);
        return true;
    }

    function move(address from, address to, uint256 value) private {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }
}

contract Pair {
    Coin public token0;
    Coin public token1;
    uint112 private reserve0;
    uint112 private reserve1;
    uint32 private lastTime;
    uint256 public price0Cumulative;
    uint256 public price1Cumulative;
    uint256 private entered;

    event Swap(address indexed sender, uint256 in0, uint256 in1, uint256 out0, uint256 out1, address indexed to);
    event Sync(uint112 reserve0, uint112 reserve1);

    function getReserves() external view returns (uint112, uint112, uint32) {
        return (reserve0, reserve1, lastTime);
    }

    function swap(uint256 out0, uint256 out1, address to) external {
        require(entered == 1, "LOCKED");
        entered = 2;
        require(out0 > 0 || out1 > 0, "NOTHING");
        (uint112 before0, uint112 before1) = (reserve0, reserve1);
        require(out0 < before0 && out1 < before1, "LIQUIDITY");
        if (out0 > 0) token0.transfer(to, out0);
        if (out1 > 0) token1.transfer(to, out1);
        uint256 balance0 = token0.balanceOf(address(this));
        uint256 balance1 = token1.balanceOf(address(this));
        uint256 in0 = balance0 > before0 - out0 ? balance0 - (before0 - out0) : 0;
        uint256 in1 = balance1 > before1 - out1 ? balance1 - (before1 - out1) : 0;
        require(in0 > 0 || in1 > 0, "INPUT");
        require((balance0 * 1000 - in0 * 3) * (balance1 * 1000 - in1 * 3) >= uint256(before0) * before1 * 1000 ** 2, "K");
        update(balance0, balance1, before0, before1);
        emit Swap(msg.sender, in0, in1, out0, out1, to);
        entered = 1;
    }

    function update(uint256 balance0, uint256 balance1, uint112 before0, uint112 before1) private {
        require(balance0 <= type(uint112).max && balance1 <= type(uint112).max, "OVERFLOW");
        unchecked {
            uint32 passed = uint32(block.timestamp) - lastTime;
            if (passed > 0) {
                price0Cumulative += ((uint256(before1) << 112) / before0) * passed;
                price1Cumulative += ((uint256(before0) << 112) / before1) * passed;
            }
        }
        (reserve0, reserve1, lastTime) = (uint112(balance0), uint112(balance1), uint32(block.timestamp));
        emit Sync(reserve0, reserve1);
    }
}

contract Factory {
    mapping(address => mapping(address => Pair)) public getPair;
}

contract Router {
    Factory public factory;

    function swapExactTokensForTokens(uint256 amountIn, uint256 least, address[] calldata path, address to, uint256 deadline)
        external
        returns (uint256 amount)
    {
        require(block.timestamp <= deadline, "EXPIRED");
        amount = amountIn;
        Pair pair = factory.getPair(path[0], path[1]);
        Coin(path[0]).transferFrom(msg.sender, address(pair), amountIn);
        for (uint256 i; i < path.length - 1; i++) {
            Pair next = i + 2 < path.length ? factory.getPair(path[i + 1], path[i + 2]) : Pair(to);
            (uint112 reserve0, uint112 reserve1,) = pair.getReserves();
            bool forward = address(pair.token0()) == path[i];
            amount = output(amount, forward ? reserve0 : reserve1, forward ? reserve1 : reserve0);
            pair.swap(forward ? 0 : amount, forward ? amount : 0, address(next));
            pair = next;
        }
        require(amount >= least, "SLIPPAGE");
    }

    function output(uint256 amountIn, uint256 reserveIn, uint256 reserveOut) private pure returns (uint256) {
        uint256 withFee = amountIn * 997;
        return withFee * reserveOut / (reserveIn * 1000 + withFee);
    }
}
