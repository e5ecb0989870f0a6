// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// @title Who may vote on this chain, with which key and which stake.
/// @notice Stands at 0x53564d0000000000000000000000000000000001 from block 0 on. At the last block of an epoch every
/// validator reads the next epoch's set out of its storage, so the order of the fields below is part of consensus.
/// @dev A validator is named by the address of its consensus key. Its owner is the account that registered it: it alone
/// adds stake, resigns and withdraws. The key signs votes; the owner can be kept offline.
///
///     register ─▶ Active ──resign, pushed out─▶ Leaving ──withdraw──▶ (forgotten, may register again)
///                   │                              │
///                   └────────── slash ◀────────────┘
///                                 ▼
///                              Slashed ──withdraw what is left──▶ Slashed for ever
contract ValidatorRegistry {
    enum State { None, Active, Leaving, Slashed }

    struct Validator {
        address owner;
        State state;
        uint64 place; // in `_keys`, counted from 1; 0 where it is not in there
        uint128 stake; // wei
        uint64 leftTime;
        uint64 leftEpoch;
        string endpoint; // URL of the consensus port
    }

    /// @notice What a validator signed after executing a block.
    struct Attestation {
        bytes32 blockHash;
        bytes32 batchDigest;
        bytes32 nextSet;
    }

    // Slot 0. Genesis writes slots 0 and 1; nothing changes them but `_entered`.
    uint128 public minimumStake;
    uint64 public unbondingSeconds;
    uint64 public epochLength;

    // Slot 1.
    uint16 public capacity; // validators that may be registered at once
    uint16 public seats; // of these the set takes at most
    uint8 public kind; // 0 stake, 1 one operator, 2 authorities, 3 delegates, 4 stake lottery, 5 work
    uint8 public workBits;
    bool private _entered;
    uint128 public burned; // wei that slashing took out of circulation; it stays in here

    // Slots 2 and 3.
    address[] private _keys;
    mapping(address key => Validator) private _validators;

    /// @notice Half of the stake of a validator that signs two conflicting statements is taken,
    uint256 public constant PENALTY_PERCENT = 50;
    /// @notice and this part of what is taken goes to whoever proves it first.
    uint256 public constant REWARD_PERCENT = 5;
    uint256 public constant MAXIMUM_ENDPOINT_BYTES = 128;

    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    uint8 private constant LAST_VOTE_PHASE = 2; // 1 prepare, 2 commit
    uint8 private constant CHECKPOINT_DOMAIN = 3;
    uint8 private constant REGISTRATION_DOMAIN = 6;

    event Registered(address indexed key, address indexed owner, uint256 stake, string endpoint);
    event StakeAdded(address indexed key, uint256 stake);
    event EndpointChanged(address indexed key, string endpoint);
    event Left(address indexed key, bool pushedOut);
    event Withdrawn(address indexed key, address indexed owner, uint256 amount);
    event Slashed(address indexed key, address indexed reporter, uint256 penalty, uint256 reward);

    error Reentered();
    error ClosedSet();
    error StakeTooLow(uint256 minimum);
    error StakeTooHigh();
    error KeyInUse(State state);
    error NoProofOfPossession();
    error EndpointTooLong();
    error NotOwner();
    error NotActive();
    error LastValidator();
    error NothingToWithdraw();
    error StillBonded(uint256 time, uint256 epoch);
    error PaymentFailed();
    error NoConflict();
    error InvalidEvidence();
    error NotSlashable(State state);

    modifier once() {
        if (_entered) revert Reentered();
        _entered = true;
        _;
        _entered = false;
    }

    modifier onlyOwner(address key) {
        if (_validators[key].owner != msg.sender) revert NotOwner();
        _;
    }

    /// @notice Registers a validator with the stake that is sent along; it votes from the next epoch on.
    /// @param key the address of its consensus key
    /// @param endpoint where the others reach its consensus port
    /// @param possession the key's signature of keccak256("SVM/v1" ‖ 06 00 ‖ chain id (8) ‖ owner (20)), 65 bytes
    /// r ‖ s ‖ parity: whoever registers a key has it, and nobody else can register it from another account
    /// @dev Where the registry is full, the one with the least stake is pushed out, if it has less.
    function register(address key, string calldata endpoint, bytes calldata possession) external payable once {
        if (kind == 1 || kind == 2) revert ClosedSet();
        if (msg.value < minimumStake || msg.value == 0) revert StakeTooLow(minimumStake);
        if (msg.value > type(uint128).max) revert StakeTooHigh();
        Validator storage validator_ = _validators[key];
        if (validator_.state != State.None) revert KeyInUse(validator_.state);
        bytes32 statement = keccak256(
            abi.encodePacked("SVM/v1", REGISTRATION_DOMAIN, uint8(0), uint64(block.chainid), msg.sender));
        if (_signer(statement, possession) != key) revert NoProofOfPossession();
        if (_keys.length >= capacity) _pushOut(msg.value);
        _keys.push(key);
        validator_.owner = msg.sender;
        validator_.state = State.Active;
        validator_.place = uint64(_keys.length);
        validator_.stake = uint128(msg.value);
        _setEndpoint(validator_, endpoint);
        emit Registered(key, msg.sender, msg.value, endpoint);
    }

    /// @notice Adds what is sent along to a validator's stake; it counts from the next epoch on.
    function addStake(address key) external payable once onlyOwner(key) {
        Validator storage validator_ = _validators[key];
        if (validator_.state != State.Active) revert NotActive();
        uint256 stake = uint256(validator_.stake) + msg.value;
        if (stake > type(uint128).max) revert StakeTooHigh();
        validator_.stake = uint128(stake);
        emit StakeAdded(key, stake);
    }

    function setEndpoint(address key, string calldata endpoint) external once onlyOwner(key) {
        _setEndpoint(_validators[key], endpoint);
        emit EndpointChanged(key, endpoint);
    }

    /// @notice Resigns: the validator still votes until its epoch ends, and its stake is bound for a while longer.
    function resign(address key) external once onlyOwner(key) {
        if (_validators[key].state != State.Active) revert NotActive();
        if (_keys.length == 1) revert LastValidator();
        _remove(key, State.Leaving);
        emit Left(key, false);
    }

    /// @notice Pays out a validator that left, or what slashing has left of one.
    function withdraw(address key) external once onlyOwner(key) {
        Validator storage validator_ = _validators[key];
        uint256 amount = validator_.stake;
        if (validator_.state == State.Active || amount == 0) revert NothingToWithdraw();
        (uint256 time, uint256 epoch) = _free(validator_);
        if (block.timestamp < time || currentEpoch() < epoch) revert StillBonded(time, epoch);
        if (validator_.state == State.Leaving) {
            delete _validators[key];
        } else {
            validator_.stake = 0;
        }
        _pay(msg.sender, amount);
        emit Withdrawn(key, msg.sender, amount);
    }

    /// @notice Punishes two votes of one validator for different batches in one phase, view and place.
    function slashVotes(
        uint8 phase,
        uint64 view_,
        uint64 sequence,
        bytes32 firstDigest,
        bytes calldata firstSignature,
        bytes32 secondDigest,
        bytes calldata secondSignature
    ) external once {
        if (phase == 0 || phase > LAST_VOTE_PHASE) revert InvalidEvidence();
        if (firstDigest == secondDigest) revert NoConflict();
        bytes memory head = abi.encodePacked("SVM/v1", phase, uint8(0), uint64(block.chainid), view_, sequence);
        address key = _signer(keccak256(abi.encodePacked(head, firstDigest)), firstSignature);
        if (key != _signer(keccak256(abi.encodePacked(head, secondDigest)), secondSignature)) {
            revert InvalidEvidence();
        }
        _slash(key);
    }

    /// @notice Punishes two attestations of one validator for one place that say different things.
    function slashAttestations(
        uint64 sequence,
        Attestation calldata first,
        bytes calldata firstSignature,
        Attestation calldata second,
        bytes calldata secondSignature
    ) external once {
        bytes32 one = _checkpoint(sequence, first);
        bytes32 other = _checkpoint(sequence, second);
        if (one == other) revert NoConflict();
        address key = _signer(one, firstSignature);
        if (key != _signer(other, secondSignature)) revert InvalidEvidence();
        _slash(key);
    }

    /// @notice The epoch of the block that is being made. Epoch e has the blocks e * length + 1 … (e + 1) * length.
    function currentEpoch() public view returns (uint256) {
        return epochLength == 0 || block.number == 0 ? 0 : (block.number - 1) / epochLength;
    }

    function validator(address key) external view returns (Validator memory) {
        return _validators[key];
    }

    /// @notice Whoever votes from the next epoch on, as the registry stands now.
    function validators() external view returns (address[] memory keys, uint256[] memory stakes) {
        keys = _keys;
        stakes = new uint256[](keys.length);
        for (uint256 i = 0; i < keys.length; i++) {
            stakes[i] = _validators[keys[i]].stake;
        }
    }

    /// @notice When a validator that left may withdraw: from this time on, and not before this epoch.
    function withdrawableFrom(address key) external view returns (uint256 time, uint256 epoch) {
        return _free(_validators[key]);
    }

    /// @dev Two epochs: in the first it still votes, in the second what it signed last can still be reported.
    function _free(Validator storage validator_) private view returns (uint256 time, uint256 epoch) {
        time = uint256(validator_.leftTime) + unbondingSeconds;
        epoch = epochLength == 0 ? 0 : uint256(validator_.leftEpoch) + 2;
    }

    function _setEndpoint(Validator storage validator_, string calldata endpoint) private {
        if (bytes(endpoint).length > MAXIMUM_ENDPOINT_BYTES) revert EndpointTooLong();
        validator_.endpoint = endpoint;
    }

    function _pushOut(uint256 stake) private {
        uint256 least = type(uint256).max;
        address weakest;
        for (uint256 i = 0; i < _keys.length; i++) {
            uint256 other = _validators[_keys[i]].stake;
            if (other < least) {
                least = other;
                weakest = _keys[i];
            }
        }
        if (stake <= least) revert StakeTooLow(least + 1);
        _remove(weakest, State.Leaving);
        emit Left(weakest, true);
    }

    /// @dev Takes a key out of the list; the last one takes its place.
    function _remove(address key, State state) private {
        Validator storage validator_ = _validators[key];
        address last = _keys[_keys.length - 1];
        _keys[validator_.place - 1] = last;
        _validators[last].place = validator_.place;
        _keys.pop();
        validator_.place = 0;
        validator_.state = state;
        validator_.leftTime = uint64(block.timestamp);
        validator_.leftEpoch = uint64(currentEpoch());
    }

    /// @dev The stake of one that left is punished too, as long as it is bound.
    function _slash(address key) private {
        Validator storage validator_ = _validators[key];
        if (validator_.state == State.Active) {
            _remove(key, State.Slashed);
        } else if (validator_.state == State.Leaving) {
            validator_.state = State.Slashed;
        } else {
            revert NotSlashable(validator_.state);
        }
        uint256 penalty = (uint256(validator_.stake) * PENALTY_PERCENT) / 100;
        uint256 reward = (penalty * REWARD_PERCENT) / 100;
        validator_.stake -= uint128(penalty);
        burned += uint128(penalty - reward);
        _pay(msg.sender, reward);
        emit Slashed(key, msg.sender, penalty, reward);
    }

    function _pay(address to, uint256 amount) private {
        (bool paid, ) = to.call{value: amount}("");
        if (!paid) revert PaymentFailed();
    }

    function _checkpoint(uint64 sequence, Attestation calldata said) private view returns (bytes32) {
        return keccak256(
            abi.encodePacked(
                "SVM/v1", CHECKPOINT_DOMAIN, uint8(0), uint64(block.chainid), sequence,
                said.blockHash, said.batchDigest, said.nextSet));
    }

    /// @dev A signature has one encoding: s in the lower half, parity 0 or 1. Zero is nobody's key.
    function _signer(bytes32 digest, bytes calldata signature) private pure returns (address signer) {
        if (signature.length != 65) revert InvalidEvidence();
        bytes32 r = bytes32(signature[0:32]);
        bytes32 s = bytes32(signature[32:64]);
        uint8 parity = uint8(signature[64]);
        if (parity > 1 || uint256(s) > HALF_ORDER) revert InvalidEvidence();
        signer = ecrecover(digest, parity + 27, r, s);
        if (signer == address(0)) revert InvalidEvidence();
    }
}
