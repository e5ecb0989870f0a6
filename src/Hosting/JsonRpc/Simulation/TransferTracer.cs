using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.JsonRpc.Simulation;

/// <summary>A log with the number that it got when it was written.</summary>
internal readonly record struct NumberedLog(Log Log, int Index);

/// <summary>Collects a block's logs, and ether that moves as logs of its own where that is asked for.</summary>
/// <remarks>
/// Logs are numbered as they are written. Those of a message that fails are dropped and keep their numbers, as in geth,
/// so there may be gaps.
/// </remarks>
internal sealed class TransferTracer(bool withTransfers) : IEvmTracer
{
    private static readonly Hash256 TransferTopic =
        Core.Cryptography.Keccak256.Hash("Transfer(address,address,uint256)"u8);

    private readonly Stack<List<NumberedLog>> _open = [];
    private List<NumberedLog> _finished = [];
    private int _count;

    /// <summary>What ether's logs have as their contract: ERC-7528's address of the native asset.</summary>
    internal static Address Emitter { get; } = Address.Parse("0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");

    /// <summary>Numbers begin at 0 again.</summary>
    internal void BeginBlock() => _count = 0;

    /// <summary>The logs of the transaction that ended last; the next begins.</summary>
    internal IReadOnlyList<NumberedLog> TakeLogs()
    {
        var logs = _finished;
        _finished = [];
        _open.Clear();
        return logs;
    }

    public void OnStep(in EvmStep step)
    {
    }

    public void OnEnter(in Message message)
    {
        _open.Push([]);
        if (message.Kind is not (MessageKind.DelegateCall or MessageKind.StaticCall) && !message.Value.IsZero)
        {
            OnTransfer(
                message.Caller, message.Kind == MessageKind.CallCode ? message.CodeAddress : message.Recipient,
                message.Value);
        }
    }

    public void OnExit(in ExecutionResult result)
    {
        var logs = _open.Pop();
        if (!result.Succeeded)
        {
            return;
        }

        if (_open.TryPeek(out var outer))
        {
            outer.AddRange(logs);
        }
        else
        {
            _finished = logs;
        }
    }

    public void OnSelfDestruct(in Address contract, in Address beneficiary, in UInt256 balance)
    {
        if (!balance.IsZero)
        {
            OnTransfer(contract, beneficiary, balance);
        }
    }

    public void OnLog(Log log) => Add(log);

    private void OnTransfer(in Address from, in Address to, in UInt256 value)
    {
        if (withTransfers)
        {
            var data = new byte[32];
            value.WriteBigEndian(data);
            Add(new Log(Emitter, [TransferTopic, WordOf(from), WordOf(to)], data));
        }
    }

    private void Add(Log log)
    {
        if (_open.TryPeek(out var logs))
        {
            logs.Add(new NumberedLog(log, _count++));
        }
    }

    private static Hash256 WordOf(in Address address)
    {
        Span<byte> word = stackalloc byte[32];
        address.CopyTo(word[12..]);
        return new Hash256(word);
    }
}
