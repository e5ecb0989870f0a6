using System.Text.Json;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.State;

namespace SuperVm.Hosting.JsonRpc.Tracing;

/// <summary>Watches one transaction and tells of it.</summary>
internal interface ITransactionTracer : IEvmTracer
{
    /// <summary>What was kept would make too large an answer; nothing more is kept then.</summary>
    bool IsTooLarge { get; }

    /// <summary>The transaction was executed; nothing of it is in the state yet.</summary>
    void OnExecuted(Transaction transaction, BlockContext block, IStateReader before)
    {
    }

    /// <summary>What it changed is in the state.</summary>
    void OnApplied(IStateReader after)
    {
    }

    void Write(Utf8JsonWriter json, Transaction transaction, in TracedOutcome outcome);
}

/// <summary>How a traced transaction ended; the output is the caller's.</summary>
internal readonly record struct TracedOutcome(ExecutionStatus Status, ulong GasUsed, byte[] Output)
{
    internal bool Succeeded => Status == ExecutionStatus.Success;

    /// <summary>Output is shown of what ended well or was reverted.</summary>
    internal static TracedOutcome Of(ExecutionStatus status, ulong gasUsed, ReadOnlyMemory<byte> output) =>
        new(status, gasUsed, status is ExecutionStatus.Success or ExecutionStatus.Revert ? output.ToArray() : []);
}
