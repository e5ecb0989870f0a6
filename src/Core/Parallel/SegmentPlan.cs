using System.Runtime.InteropServices;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Parallel;

/// <summary>What can be told of a part of a block before it runs: who follows whom, and if workers can gain.</summary>
/// <remarks>Kept from block to block; one at a time.</remarks>
internal sealed class SegmentPlan
{
    /// <summary>
    /// Transactions whose gas limit is below this on average are short, so that workers take several at a time.
    /// </summary>
    private const ulong ShortGasLimit = 130_000;

    /// <summary>How many they then take.</summary>
    private const int ShortBatch = 4;

    /// <summary>One of so many transactions must be more than a plain transfer, or speculation cannot win.</summary>
    private const int LightShare = 10;

    private readonly Dictionary<Address, Sender> _last = [];
    private int[] _predecessors = [];

    /// <summary>For each transaction the sender's one before it, or −1; indexes begin with the part.</summary>
    internal int[] Predecessors => _predecessors;

    /// <summary>Transactions that a worker had better take at a time.</summary>
    internal int Batch { get; private set; }

    /// <summary>
    /// Whether the part had better run serially: more than half of it are transactions of one sender, which wait for
    /// each other, or nearly all are so short that following what they read costs more than they do.
    /// </summary>
    internal bool IsSerial { get; private set; }

    /// <param name="input">The block.</param>
    /// <param name="first">Where the part begins.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="mayBeSerial">Whether the rest of the plan is not needed once that is clear.</param>
    internal void Make(BlockInput input, int first, int end, bool mayBeSerial)
    {
        var count = end - first;
        IsSerial = mayBeSerial && IsLight(input, first, end);
        if (IsSerial)
        {
            return;
        }

        if (_predecessors.Length < count)
        {
            _predecessors = new int[count];
        }

        _last.Clear();
        var (longest, gas) = (0, 0UL);
        for (var i = 0; i < count; i++)
        {
            var transaction = input.Transactions[first + i];
            ref var sender = ref CollectionsMarshal.GetValueRefOrAddDefault(
                _last, transaction.Sender.GetValueOrDefault(), out var known);
            _predecessors[i] = known ? sender.Last : -1;
            sender = new Sender(i, sender.Count + 1);
            longest = Math.Max(longest, sender.Count);
            gas += Math.Min(transaction.GasLimit, ulong.MaxValue / (ulong)count);
        }

        IsSerial = mayBeSerial && longest * 2 > count;
        Batch = gas / (ulong)Math.Max(count, 1) < ShortGasLimit ? ShortBatch : 1;
    }

    /// <summary>Whether nearly all are plain transfers; known after a part of them where they are not.</summary>
    private static bool IsLight(BlockInput input, int first, int end)
    {
        var room = (end - first) / LightShare;
        for (var i = first; i < end && room >= 0; i++)
        {
            room -= TransferRuns.IsPlain(input.Transactions[i], input.Context) ? 0 : 1;
        }

        return room >= 0;
    }

    private readonly record struct Sender(int Last, int Count);
}
