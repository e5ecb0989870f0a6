using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Simulation;

/// <summary>A block that was simulated, with what its calls gave.</summary>
internal sealed record SimulationResult(ChainBlock Block, IReadOnlyList<SimulatedCall> Calls);

/// <summary>Makes blocks of calls on top of a block, each on the state after the one before (eth_simulateV1).</summary>
/// <remarks>
/// <code>
///   overrides ─▶ system calls ─▶ calls as transactions ─▶ requests, withdrawals, rewards ─▶ root, header
///        ▲                                                                                    │
///        └──────────────── all changes since the base, as one BlockState ◀────────────────────┘
/// </code>
/// Nothing is kept. Block numbers that are skipped become empty blocks.
/// </remarks>
internal sealed class Simulator(Node node, ChainBlock parent, IStateReader state, SimulationRequest request)
{
    /// <summary>Seconds from block to block where nothing is said.</summary>
    private const ulong TimestampIncrement = 12;

    private readonly TransferTracer _tracer = new(request.TraceTransfers);
    private readonly BlockState _changes = new(state);
    private readonly List<ChainBlock> _made = [];
    private readonly SimulatedHashes _hashes = new(node.Chain.BlockHashes);

    internal RpcError? Run(EvmEngine engine, ulong gas, out List<SimulationResult> results)
    {
        results = [];
        if (TryFillGaps(out var blocks) is { } disorder)
        {
            return disorder;
        }

        engine.Tracer = _tracer;
        var runner = new SimulationRunner(
            engine, node.Chain.ChainId, request.Validation, _tracer, new GasPool(gas));
        var processor = new BlockProcessor(engine, runner);
        var before = parent;
        _hashes.Add(parent);
        foreach (var block in blocks)
        {
            if (TryMake(block, before, engine, processor, runner, out var made) is { } failure)
            {
                return failure;
            }

            _hashes.Add(made);
            results.Add(new SimulationResult(made, [.. runner.Results]));
            before = made;
        }

        return null;
    }

    /// <summary>Numbers and times rise; gaps in the numbers become empty blocks.</summary>
    private RpcError? TryFillGaps(out List<SimulatedBlock> blocks)
    {
        blocks = [];
        var (number, time) = (parent.Number, parent.Header.Timestamp);
        foreach (var block in request.Blocks)
        {
            var wanted = block.Overrides.Number ?? (number + 1);
            if (wanted <= number)
            {
                return new RpcError(
                    SimulationErrors.BlockNumberOrder, $"block numbers must be in order: {wanted} <= {number}");
            }

            if (wanted - parent.Number > SimulationRequest.MaximumBlocks)
            {
                return SimulationErrors.BlocksExceeded;
            }

            while (++number < wanted)
            {
                time += TimestampIncrement;
                blocks.Add(new SimulatedBlock { Overrides = new BlockOverrides { Number = number, Time = time } });
            }

            var at = block.Overrides.Time ?? (time + TimestampIncrement);
            if (at <= time)
            {
                return new RpcError(
                    SimulationErrors.TimestampOrder, $"block timestamps must be in order: {at} <= {time}");
            }

            time = at;
            (block.Overrides.Number, block.Overrides.Time) = (number, time);
            blocks.Add(block);
        }

        return null;
    }

    private RpcError? TryMake(
        SimulatedBlock block, ChainBlock before, EvmEngine engine, BlockProcessor processor, SimulationRunner runner,
        out ChainBlock made)
    {
        made = before;
        var overrides = block.Overrides;
        var rules = node.Spec.RulesAt(overrides.Number!.Value, overrides.Time!.Value, before.TotalDifficulty);
        if (PrecompileMoves.TryOf(block.Accounts, rules, out var moves) is { } refusal)
        {
            return refusal;
        }

        engine.MovedPrecompiles = moves;
        var withdrawals = rules.Eip4895 ? overrides.Withdrawals ?? [] : null;
        var draft = Draft(overrides, before, rules, withdrawals);
        var context = BlockContext.Of(rules, node.Chain.ChainId, draft, _hashes);
        var input = new BlockInput
        {
            Context = new BlockOverrides { BlobBaseFee = overrides.BlobBaseFee }.ApplyTo(context),
            Transactions = [],
            ParentHash = before.Hash,
            ParentBeaconBlockRoot = draft.ParentBeaconBlockRoot,
            Withdrawals = withdrawals,
            DepositContract = node.Spec.DepositContract,
            Edits = EditsOf(block.Accounts),
        };
        runner.Calls = block.Calls;
        _tracer.BeginBlock();
        var outcome = processor.Execute(input, _changes);
        if (runner.Failure is { } failure)
        {
            return failure;
        }

        if (outcome.Error != BlockExecutionError.None)
        {
            return new RpcError(RpcError.InternalErrorCode, $"block cannot be made: {outcome.Error}");
        }

        Adopt(outcome.State);
        made = Seal(draft, outcome, withdrawals, before);
        _made.Add(made);
        return null;
    }

    /// <summary>The header before its calls; without validation the base fee is zero unless given.</summary>
    private BlockHeader Draft(
        BlockOverrides overrides, ChainBlock before, ForkRules rules, IReadOnlyList<Withdrawal>? withdrawals) => new()
    {
        ParentHash = before.Hash,
        UnclesHash = BlockCodec.EmptyUnclesHash,
        Coinbase = overrides.FeeRecipient ?? before.Header.Coinbase,
        Difficulty = rules.Eip3675 ? UInt256.Zero : before.Header.Difficulty,
        Number = overrides.Number!.Value,
        GasLimit = overrides.GasLimit ?? before.Header.GasLimit,
        Timestamp = overrides.Time!.Value,
        MixHash = overrides.PrevRandao is { } random ? ToHash(random) : Hash256.Zero,
        BaseFeePerGas = !rules.Eip1559 ? null
            : overrides.BaseFeePerGas ?? (request.Validation ? BaseFee.After(before.Header) : UInt256.Zero),
        WithdrawalsRoot = withdrawals is null ? null : Chain.WithdrawalsRoot(withdrawals),
        ExcessBlobGas = BlobFee.ExcessAfter(before.Header, rules),
        ParentBeaconBlockRoot = rules.Eip4788 ? overrides.BeaconRoot ?? Hash256.Zero : null,
    };

    private ChainBlock Seal(
        BlockHeader draft, BlockOutcome outcome, IReadOnlyList<Withdrawal>? withdrawals, ChainBlock before)
    {
        var header = draft with
        {
            StateRoot = node.Chain.RootOf(parent.Number, _changes) ?? Hash256.Zero,
            TransactionsRoot = Chain.TransactionsRoot(outcome.Included),
            ReceiptsRoot = Chain.ReceiptsRoot(outcome.Receipts),
            LogsBloom = outcome.LogsBloom,
            GasUsed = outcome.GasUsed,
            BlobGasUsed = draft.ExcessBlobGas is null ? null : outcome.BlobGasUsed,
            RequestsHash = outcome.RequestsHash,
        };
        var block = new Block(header, [.. outcome.Included], [], withdrawals);
        return new ChainBlock(
            block, HeaderCodec.Hash(header), before.TotalDifficulty + header.Difficulty, BlockCodec.EncodedSize(block));
    }

    /// <summary>Takes a block's changes over into those of all blocks.</summary>
    private void Adopt(BlockState block)
    {
        var changes = new StateChanges();
        foreach (var account in block.Accounts.Where(account => account.Changed))
        {
            changes.Accounts.Add(new AccountChange(
                account.Address, account.Exists, account.Current, account.StorageCleared, null));
            foreach (var (key, slot) in account.Slots)
            {
                if (account.StorageCleared || slot.Current != slot.Original)
                {
                    changes.Slots.Add(new SlotChange(account.Address, key, slot.Current));
                }
            }
        }

        _changes.Apply(changes);
        _changes.AddCode(block.NewCode.Values);
    }

    private StateChanges? EditsOf(Dictionary<Address, AccountOverride> accounts)
    {
        if (accounts.Count == 0)
        {
            return null;
        }

        var changes = new StateChanges();
        foreach (var (address, change) in accounts)
        {
            if (_changes.ReadAccount(address, out var account) != ReadStatus.Found)
            {
                account = new Account(0, UInt256.Zero, Code.Empty.Hash, false);
            }

            var slots = change.State ?? change.StateDiff;
            account = account with
            {
                Nonce = change.Nonce ?? account.Nonce,
                Balance = change.Balance ?? account.Balance,
                CodeHash = change.Code?.Hash ?? account.CodeHash,
                HasStorage = (change.State is null && account.HasStorage)
                    || slots?.Values.Any(value => !value.IsZero) == true,
            };
            var isThere = !account.IsEmpty || account.HasStorage;
            changes.Accounts.Add(new AccountChange(
                address, isThere, account, change.State is not null || !isThere, change.Code));
            if (isThere && slots is not null)
            {
                changes.Slots.AddRange(slots.Select(slot => new SlotChange(address, slot.Key, slot.Value)));
            }
        }

        return changes;
    }

    private static Hash256 ToHash(in UInt256 word)
    {
        Span<byte> bytes = stackalloc byte[32];
        word.WriteBigEndian(bytes);
        return new Hash256(bytes);
    }

    /// <summary>Hashes of the chain, and those of simulated blocks on top.</summary>
    private sealed class SimulatedHashes(IBlockHashSource chain) : IBlockHashSource
    {
        private readonly Dictionary<ulong, Hash256> _made = [];

        public Hash256 HashOf(ulong number) => _made.TryGetValue(number, out var hash) ? hash : chain.HashOf(number);

        internal void Add(ChainBlock block) => _made[block.Number] = block.Hash;
    }
}
