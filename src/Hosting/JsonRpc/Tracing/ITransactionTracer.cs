using System.Text.Json;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;

namespace SuperVm.Hosting.JsonRpc.Tracing;

/// <summary>Watches one transaction and tells of it.</summary>
internal interface ITransactionTracer : IEvmTracer
{
    /// <summary>What was kept would make too large an answer; nothing more is kept then.</summary>
    bool IsTooLarge { get; }

    void Write(Utf8JsonWriter json, Transaction transaction, in TracedOutcome outcome);
}

/// <summary>How a traced transaction ended; the output is the caller's.</summary>
internal readonly record struct TracedOutcome(ExecutionStatus Status, ulong GasUsed, byte[] Output)
{
    internal bool Succeeded => Status == ExecutionStatus.Success;
}
