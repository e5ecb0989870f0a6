using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm;

/// <summary>The operand stacks and memories of all frames of an engine, each in one pinned array that grows.</summary>
/// <remarks>
/// <code>
///   stack   | frame 0: its operands | frame 1 … up to 1,024 words |
///   memory  | frame 0: its bytes    | frame 1 …                   |
/// </code>
/// Only the topmost frame grows, so frames never overlap. A slab that grew is copied; input of a running call keeps the
/// old array alive, whose bytes below the running frame do not change any more.
/// </remarks>
internal sealed unsafe class FrameSlabs
{
    /// <summary>Words an operand stack may hold (Yellow Paper, 9.1).</summary>
    internal const int StackLimit = 1024;

    /// <summary>
    /// Bytes of memory of all frames together: as many whole words as one array takes. A test of the standard pays for
    /// 1.5 GB; what more costs (9 * 10^12 gas for all) no real block can pay.
    /// </summary>
    internal const int MemoryLimit = 0x7FFF_FFA0;

    private const int FirstStackWords = 2 * StackLimit;
    private const int FirstMemoryBytes = 1 << 14;
    private const int Alignment = 64;

    /// <summary>Slabs beyond these sizes are not kept between transactions.</summary>
    private const int KeptStackWords = 64 * StackLimit;
    private const int KeptMemoryBytes = 1 << 22;

    private byte[] _stack = [];
    private byte[] _memory = [];
    private int _stackWords;

    internal FrameSlabs()
    {
        AllocateStack(FirstStackWords);
        _memory = GC.AllocateUninitializedArray<byte>(FirstMemoryBytes, pinned: true);
        MemoryStart = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory));
    }

    internal UInt256* StackStart { get; private set; }

    internal byte* MemoryStart { get; private set; }

    /// <summary>The array behind <see cref="MemoryStart"/>, for input that outlives a growth.</summary>
    internal byte[] MemoryArray => _memory;

    /// <summary>Makes room for a full operand stack above a word.</summary>
    internal void EnsureStack(int firstWord)
    {
        // One word more than the limit: the loop may prepare a push before it finds the stack full.
        if (firstWord + StackLimit + 1 > _stackWords)
        {
            GrowStack(firstWord);
        }
    }

    /// <summary>Makes room for memory up to an end (exclusive, at most the limit), keeping what lies below.</summary>
    internal void EnsureMemory(int end, int used)
    {
        if (end <= _memory.Length)
        {
            return;
        }

        var size = (int)Math.Min(Math.Max((long)end, 2L * _memory.Length), MemoryLimit);
        var grown = GC.AllocateUninitializedArray<byte>(size, pinned: true);
        _memory.AsSpan(0, used).CopyTo(grown);
        _memory = grown;
        MemoryStart = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(grown));
    }

    /// <summary>Gives large slabs back; no frame may be running.</summary>
    internal void Trim()
    {
        if (_stackWords > KeptStackWords)
        {
            AllocateStack(FirstStackWords);
        }

        if (_memory.Length > KeptMemoryBytes)
        {
            _memory = GC.AllocateUninitializedArray<byte>(FirstMemoryBytes, pinned: true);
            MemoryStart = (byte*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_memory));
        }
    }

    private void GrowStack(int used)
    {
        var old = StackStart;
        var keep = _stack;
        AllocateStack(Math.Max(used + StackLimit + 1, 2 * _stackWords));
        Buffer.MemoryCopy(old, StackStart, (long)_stackWords * sizeof(UInt256), (long)used * sizeof(UInt256));
        GC.KeepAlive(keep);
    }

    private void AllocateStack(int words)
    {
        _stack = GC.AllocateUninitializedArray<byte>((words * sizeof(UInt256)) + Alignment, pinned: true);
        _stackWords = words;
        var start = (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_stack));
        StackStart = (UInt256*)((start + Alignment - 1) & -Alignment);
    }
}
