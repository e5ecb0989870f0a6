using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Execution.Evm;

/// <summary>One running piece of code: what a message brought and where the execution stands.</summary>
/// <remarks>
/// Frames are pooled by depth. Stack and memory lie in two slabs of the engine, each frame's part right above its
/// caller's; while a frame runs, <see cref="Stack"/> and <see cref="Memory"/> point into them. The slabs are pinned, so
/// a pointer holds until the slab grows, and every growth and every resumption sets the running frame's pointers anew.
/// </remarks>
internal sealed unsafe class Frame(EvmEngine engine)
{
    internal readonly EvmEngine Engine = engine;

    internal Code Code = Code.Empty;
    internal CodeAnalysis Analysis = null!;
    internal InstructionTable Table = null!;

    /// <summary>The account whose storage and balance the code works on, by handle and by address.</summary>
    internal int Account;
    internal Address Address;
    internal Address Caller;

    /// <summary>The account that the code was taken from.</summary>
    internal Address CodeAddress;
    internal UInt256 Value;
    internal byte[] Input = [];
    internal int InputOffset, InputLength;
    internal bool IsStatic, IsCreation;

    /// <summary>The code is another engine's, which runs the message in this frame's place.</summary>
    internal bool IsForeign;

    /// <summary>What asked for this frame.</summary>
    internal MessageKind Kind;

    /// <summary>The code that a creation deployed.</summary>
    internal ReadOnlyMemory<byte> CreatedCode;

    internal int Depth;
    internal Snapshot Snapshot;

    internal int Pc, StackHeight;
    internal long Gas;
    internal UInt256* Stack;

    /// <summary>The entries of the compiled code that the frame runs.</summary>
    internal short[] Entries = [];

    internal int StackBase;

    /// <summary>The first byte of the frame's memory, its size in bytes (whole words) and what that has cost.</summary>
    internal byte* Memory;
    internal int MemorySize;
    internal long MemoryGas;
    internal int MemoryBase;

    /// <summary>Where the output of the call under way goes in this frame's memory.</summary>
    internal int ReturnOffset, ReturnLength;

    /// <summary>Set by CALL and CREATE where a new frame was begun that must run first.</summary>
    internal bool HasChild;

    /// <summary>Why the last operation answered negative gas.</summary>
    internal ExecutionStatus Fault;

    /// <summary>Where RETURN and REVERT leave their data in memory.</summary>
    internal int OutputOffset, OutputLength;

    internal ReadOnlySpan<byte> InputSpan => Input.AsSpan(InputOffset, InputLength);

    internal WorldState State => Engine.State;

    /// <summary>What an operation returns as gas where it halts for another reason than gas.</summary>
    internal long Fail(ExecutionStatus reason)
    {
        Fault = reason;
        return -1;
    }
}
