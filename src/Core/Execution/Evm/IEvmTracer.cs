using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm;

/// <summary>
/// Watches an execution step by step; an engine without one runs a loop compiled without these calls.
/// </summary>
public interface IEvmTracer
{
    /// <summary>Before an instruction whose gas and stack have been checked.</summary>
    void OnStep(in EvmStep step);

    /// <summary>An instruction that is not run: its fixed price cannot be paid, or the stack does not fit it.</summary>
    void OnRefused(in EvmStep step, ExecutionStatus reason)
    {
    }

    /// <summary>A message begins, from outside or from an instruction.</summary>
    void OnEnter(in Message message);

    /// <summary>The message that began last and has not ended, ends.</summary>
    void OnExit(in ExecutionResult result);

    /// <summary>LOG0 to LOG4 wrote a log; it is undone where its message fails.</summary>
    void OnLog(Log log)
    {
    }

    /// <summary>SELFDESTRUCT moves a balance.</summary>
    void OnSelfDestruct(in Address contract, in Address beneficiary, in UInt256 balance);
}

/// <summary>An instruction about to run.</summary>
public readonly ref struct EvmStep
{
    public int Pc { get; init; }

    public Opcode Opcode { get; init; }

    /// <summary>Gas left before the instruction is paid.</summary>
    public long Gas { get; init; }

    /// <summary>The fixed part of its price; what depends on operands and state comes on top.</summary>
    public long StaticGas { get; init; }

    /// <summary>0 for the code of a transaction's message.</summary>
    public int Depth { get; init; }

    /// <summary>Operands, the top last.</summary>
    public ReadOnlySpan<UInt256> Stack { get; init; }

    public ReadOnlySpan<byte> Memory { get; init; }

    public ReadOnlySpan<byte> ReturnData { get; init; }

    /// <summary>The account whose storage the code works on.</summary>
    public Address Contract { get; init; }

    public long Refund { get; init; }
}

/// <summary>What a loop is compiled with beside the instructions themselves.</summary>
internal interface ILoopMode
{
    /// <summary>Calls of the tracer.</summary>
    static abstract bool Traces { get; }

    /// <summary>Counts of the ways taken, for the compiler.</summary>
    static abstract bool Profiles { get; }
}

internal readonly struct Plain : ILoopMode
{
    public static bool Traces => false;

    public static bool Profiles => false;
}

internal readonly struct Tracing : ILoopMode
{
    public static bool Traces => true;

    public static bool Profiles => false;
}

internal readonly struct Profiling : ILoopMode
{
    public static bool Traces => false;

    public static bool Profiles => true;
}
