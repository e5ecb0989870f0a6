using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Execution;

/// <summary>Executes a whole block: system calls, transactions, requests, withdrawals, rewards.</summary>
/// <remarks>
/// <code>
///   4788, 2935 ─▶ transactions (runner) ─▶ 6110, 7002, 7251 ─▶ withdrawals (4895) ─▶ rewards (before Paris)
/// </code>
/// Checks what only execution can tell; headers, roots and seals are the caller's. One block at a time.
/// </remarks>
public sealed class BlockProcessor(IExecutionEngine engine, ITransactionRunner? runner = null)
{
    private readonly ITransactionRunner _runner = runner ?? new SerialTransactionRunner(engine);
    private readonly SystemCalls _systemCalls = new(engine);
    private readonly WorldState _world = new();
    private readonly StateChanges _changes = new();

    /// <summary>Executes the block on its parent's state.</summary>
    public BlockOutcome Execute(BlockInput input, IStateReader parent)
    {
        var outcome = new BlockOutcome(new BlockState(parent), input.Transactions.Count);
        if (input.IsDaoFork)
        {
            Change(input, outcome, MoveDaoBalances);
        }

        if (input.Edits is { } edits)
        {
            outcome.State.Apply(edits);
        }

        _systemCalls.BeginBlock(input, outcome.State);
        _runner.Run(input, outcome);
        if (outcome.Error != BlockExecutionError.None)
        {
            return outcome;
        }

        if (input.Context.Rules.Eip7685)
        {
            CollectRequests(input, outcome);
        }

        if (input.Withdrawals is { Count: > 0 } withdrawals)
        {
            Change(input, outcome, world => Withdraw(world, withdrawals));
        }

        if (!input.Context.Rules.BlockReward.IsZero)
        {
            Change(input, outcome, world => Reward(world, input));
        }

        return outcome;
    }

    private void CollectRequests(BlockInput input, BlockOutcome outcome)
    {
        var requests = new List<byte[]>(3);
        if (!Deposits.TryCollect(outcome.Receipts, input.DepositContract, out var deposits))
        {
            outcome.Error = BlockExecutionError.InvalidDepositLog;
            return;
        }

        outcome.Error = _systemCalls.EndBlock(input, outcome.State, requests);
        if (deposits.Length > 0)
        {
            requests.Insert(0, [ExecutionRequests.DepositType, .. deposits]);
        }

        outcome.Requests = requests;
        outcome.RequestsHash = ExecutionRequests.Hash(requests);
    }

    /// <summary>Runs a change of balances outside of any transaction until all its reads are loaded.</summary>
    private void Change(BlockInput input, BlockOutcome outcome, Func<WorldState, bool> change)
    {
        _world.Reset(outcome.State, input.Context.Rules);
        while (!change(_world))
        {
            StateLoading.Load(outcome.State.Parent, _world);
            _world.Reset(outcome.State, input.Context.Rules);
        }

        _world.CollectChanges(_changes);
        outcome.State.Apply(_changes);
    }

    private static bool Withdraw(WorldState world, IReadOnlyList<Withdrawal> withdrawals)
    {
        foreach (var withdrawal in withdrawals)
        {
            if (!TryCredit(world, withdrawal.Address, new UInt256(withdrawal.AmountGwei) * 1_000_000_000UL))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Static block and uncle rewards (Yellow Paper, 11.3).</summary>
    private static bool Reward(WorldState world, BlockInput input)
    {
        var reward = input.Context.Rules.BlockReward;
        foreach (var uncle in input.Uncles)
        {
            var share = reward * (uncle.Number + 8 - input.Context.Number) / 8UL;
            if (!TryCredit(world, uncle.Coinbase, share))
            {
                return false;
            }
        }

        return TryCredit(world, input.Context.Coinbase, reward + (reward / 32UL * (ulong)input.Uncles.Count));
    }

    private static bool MoveDaoBalances(WorldState world)
    {
        if (!world.TryOpen(DaoFork.RefundContract, out var refund))
        {
            return false;
        }

        foreach (var address in DaoFork.Accounts)
        {
            if (!world.TryOpen(address, out var account))
            {
                return false;
            }

            var balance = world.Balance(account);
            if (!balance.IsZero)
            {
                world.AddBalance(refund, balance);
                world.SubtractBalance(account, balance);
            }
        }

        return true;
    }

    private static bool TryCredit(WorldState world, in Address address, in UInt256 amount)
    {
        if (!world.TryOpen(address, out var account))
        {
            return false;
        }

        world.AddBalance(account, amount);
        return true;
    }
}
