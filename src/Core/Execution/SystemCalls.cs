using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Execution;

/// <summary>
/// Calls that the protocol makes itself: EIP-4788, 2935 before and 7002, 7251 after the transactions.
/// </summary>
internal sealed class SystemCalls(IExecutionEngine engine)
{
    /// <summary>Gas of a system call; it counts against no block limit.</summary>
    private const ulong GasLimit = 30_000_000;

    private static readonly Address Caller = Address.Parse("fffffffffffffffffffffffffffffffffffffffe");
    private static readonly Address BeaconRoots = Address.Parse("000F3df6D732807Ef1319fB7B8bB8522d0Beac02");
    private static readonly Address HistoryStorage = Address.Parse("0000F90827F1C53a10cb7A02335B175320002935");
    private static readonly Address WithdrawalRequests = Address.Parse("00000961Ef480Eb55e80D19ad83579A64c007002");
    private static readonly Address ConsolidationRequests =
        Address.Parse("0000BBdDc7CE488642fb579F8B00f3a590007251");

    private readonly WorldState _world = new();
    private readonly StateChanges _changes = new();

    /// <summary>
    /// Stores the parent's beacon root and hash; a missing contract is passed over, as the EIPs have it.
    /// </summary>
    internal void BeginBlock(BlockInput input, BlockState state)
    {
        var rules = input.Context.Rules;
        if (rules.Eip4788 && input.ParentBeaconBlockRoot is { } root)
        {
            Call(input, state, BeaconRoots, root.ToArray(), out _);
        }

        if (rules.Eip2935 && input.Context.Number > 0)
        {
            Call(input, state, HistoryStorage, input.ParentHash.ToArray(), out _);
        }
    }

    /// <summary>Takes the requests of EIP-7002 and EIP-7251; a contract that is missing or fails is an error.</summary>
    internal BlockExecutionError EndBlock(BlockInput input, BlockState state, List<byte[]> requests)
    {
        var error = Take(input, state, WithdrawalRequests, ExecutionRequests.WithdrawalType, requests);
        return error != BlockExecutionError.None
            ? error
            : Take(input, state, ConsolidationRequests, ExecutionRequests.ConsolidationType, requests);
    }

    private BlockExecutionError Take(
        BlockInput input, BlockState state, in Address contract, byte type, List<byte[]> requests)
    {
        if (!Call(input, state, contract, ReadOnlyMemory<byte>.Empty, out var result))
        {
            return BlockExecutionError.SystemContractMissing;
        }

        if (!result.Succeeded)
        {
            return BlockExecutionError.SystemContractFailed;
        }

        if (result.Output.Length > 0)
        {
            requests.Add([type, .. result.Output.Span]);
        }

        return BlockExecutionError.None;
    }

    /// <summary>Calls the contract; false where it has no code.</summary>
    private bool Call(
        BlockInput input, BlockState state, in Address contract, ReadOnlyMemory<byte> data,
        out ExecutionResult result)
    {
        while (true)
        {
            result = default;
            _world.Reset(state, input.Context.Rules);
            if (_world.TryOpen(contract, out var account))
            {
                if (!_world.HasCode(account))
                {
                    return false;
                }

                _world.WarmAccount(account);
                var message = new Message
                {
                    Kind = MessageKind.Call, Caller = Caller, Recipient = contract, CodeAddress = contract,
                    Input = data, Gas = GasLimit,
                };
                var transaction = new TransactionContext { Origin = Caller, BlobHashes = [] };
                result = engine.Execute(message, transaction, input.Context, _world);
                if (result.Status != ExecutionStatus.NotLoaded)
                {
                    _world.CollectChanges(_changes);
                    state.Apply(_changes);
                    return true;
                }
            }

            StateLoading.Load(state.Parent, _world);
        }
    }
}
