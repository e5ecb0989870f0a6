// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// What tools do with a contract: calls, events, a custom error, an owner that somebody must be.
contract Counter {
    uint256 public count;
    address public owner = msg.sender;

    event Counted(uint256 by);

    error NothingToCount();
    error NotTheOwner(address caller);

    function countBy(uint256 by) external {
        if (by == 0) revert NothingToCount();
        count += by;
        emit Counted(by);
    }

    function clear() external {
        if (msg.sender != owner) revert NotTheOwner(msg.sender);
        count = 0;
    }

    function giveTo(address other) external {
        owner = other;
    }
}
