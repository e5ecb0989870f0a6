using System.Runtime.InteropServices;

namespace SuperVm.Core.Parallel;

/// <summary>How the scheduler's shared words lie in memory.</summary>
internal sealed partial class BlockStm
{
    /// <summary>One cache line a transaction, so that workers on neighbours do not disturb each other.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 64)]
    private struct Slot
    {
        /// <summary>| incarnation: 3..31 | state: 0..2 |</summary>
        [FieldOffset(0)]
        public int Status;

        /// <summary>The first transaction that waits for this one; −1 none, −2 nobody may wait any more.</summary>
        [FieldOffset(4)]
        public int DependentsHead;

        [FieldOffset(8)]
        public int NextDependent;

        /// <summary>The worker that executed the last incarnation; no more than a hint before that.</summary>
        [FieldOffset(12)]
        public int Owner;

        /// <summary>1 where an incarnation met an estimate.</summary>
        [FieldOffset(16)]
        public int IsHindered;
    }

    /// <summary>Transactions that a worker has taken and not yet looked at.</summary>
    private struct Range
    {
        public int Next, End;
    }

    /// <summary>A line each, and one to keep others away; what only commits touch stands together.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 384)]
    private struct Counters
    {
        [FieldOffset(64)]
        public int ExecutionIndex;

        [FieldOffset(128)]
        public int ValidationIndex;

        /// <summary>Read with every step and written once: it has a line of its own.</summary>
        [FieldOffset(256)]
        public int ValidatesAhead;

        [FieldOffset(192)]
        public int CommitIndex;

        [FieldOffset(196)]
        public int CommitLock;

        [FieldOffset(200)]
        public int Hindered;

        [FieldOffset(204)]
        public int SampleStart;
    }
}
