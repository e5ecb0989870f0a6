using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using SuperVm.Core.Cryptography.Bn254;

namespace SuperVm.Core.Proving.Msm;

/// <summary>A multi-scalar multiplication, the sum of scalar times point, by windows in any order.</summary>
/// <remarks>
/// Pippenger's algorithm. A window sorts the points by their digit into buckets, whose sums B[1..m] are made by
/// <see cref="BucketTree{TLanes,TField}"/>. The sum of k B[k], which is wanted, would be a chain of 2 m additions;
/// with k = h 2^t + l it is
/// <code>
///   sum of l (sum of B over equal l)  +  2^t sum of h (sum of B over equal h)
/// </code>
/// and the inner sums, which are nearly all of it, are again sums of buckets in full batches.
/// </remarks>
internal sealed unsafe class LaneSum<TLanes, TField> : IDisposable
    where TLanes : unmanaged, ICurveLanes<TLanes, TField>
    where TField : unmanaged, ICurveField<TField>
{
    /// <summary>Widths of a digit that are considered.</summary>
    private const int LeastBits = 4, MostBits = 16;

    /// <summary>What an addition to a chain of scalars costs, in additions of a batch.</summary>
    private const int ChainCost = 8;

    private readonly PointTable<TLanes, TField> _points;
    private readonly WindowedScalars _scalars;
    private readonly JacobianPoint<TField>[] _windows;
    private readonly ConcurrentBag<Room> _rooms = [];

    /// <param name="points">As many as there are scalars; belongs to this object from now on.</param>
    /// <param name="scalars">Little-endian, 32 bytes each, below r.</param>
    internal LaneSum(PointTable<TLanes, TField> points, ReadOnlySpan<byte> scalars)
    {
        _points = points;
        _scalars = new WindowedScalars(scalars, BestBits(points.Count));
        _windows = new JacobianPoint<TField>[_scalars.Windows];
    }

    /// <summary>How many windows there are.</summary>
    internal int Windows => _windows.Length;

    /// <summary>The width of digits for which so many points cost fewest additions.</summary>
    internal static int BestBits(int count)
    {
        var (best, least) = (LeastBits, long.MaxValue);
        for (var bits = LeastBits; bits <= MostBits; bits++)
        {
            var chains = 2L << (bits / 2);
            var cost = WindowedScalars.WindowsOf(bits) * (count + (2L << (bits - 1)) + (ChainCost * 2 * chains));
            if (cost < least)
            {
                (best, least) = (bits, cost);
            }
        }

        return best;
    }

    public void Dispose()
    {
        _points.Dispose();
        _scalars.Dispose();
        foreach (var room in _rooms)
        {
            room.Dispose();
        }

        _rooms.Clear();
    }

    /// <summary>Does one window; several threads may do different ones.</summary>
    internal void Run(int window)
    {
        if (!_rooms.TryTake(out var room))
        {
            room = new Room(_points.Count, _scalars.Bits);
        }

        Sort(window, room);
        room.Tree.Sum(_points.Points, room.Names, room.Starts, room.Buckets.Words);
        Weigh(room, out _windows[window]);
        _rooms.Add(room);
    }

    /// <summary>The sum, when all windows are done.</summary>
    internal JacobianPoint<TField> Combine()
    {
        var sum = JacobianPoint<TField>.Infinity;
        for (var window = Windows - 1; window >= 0; window--)
        {
            for (var i = 0; i < _scalars.Bits; i++)
            {
                JacobianPoint<TField>.Double(sum, out sum);
            }

            JacobianPoint<TField>.Add(sum, _windows[window], out sum);
        }

        return sum;
    }

    /// <summary>Names the points by the buckets of their digits.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Sort(int window, Room room)
    {
        var digits = room.Digits.AsSpan(0, _points.Count);
        _scalars.Digits(window, digits);
        var infinite = _points.Infinite;
        var starts = room.Starts;
        Array.Clear(starts);
        for (var i = 0; i < digits.Length; i++)
        {
            if (infinite[i] != 0)
            {
                digits[i] = 0;
            }

            starts[Math.Abs(digits[i])]++;
        }

        starts[0] = 0;
        var total = 0;
        for (var bucket = 0; bucket < starts.Length; bucket++)
        {
            (starts[bucket], total) = (total, total + starts[bucket]);
        }

        // Each start moves to its bucket's end, which is the next one's start.
        var names = room.Names;
        for (var i = 0; i < digits.Length; i++)
        {
            var digit = digits[i];
            if (digit != 0)
            {
                names[starts[Math.Abs(digit)]++] =
                    (i << BatchAffine<TLanes, TField>.IndexShift) | (int)((uint)digit >> 31);
            }
        }

        Array.Copy(starts, 0, starts, 1, starts.Length - 1);
        starts[0] = 0;
        room.Buckets.Clear();
    }

    /// <summary>The sum of k times bucket k.</summary>
    private void Weigh(Room room, out JacobianPoint<TField> result)
    {
        var last = 1 << (_scalars.Bits - 1);
        var low = _scalars.Bits / 2;
        GroupBy(room, (last >> low) + 1, high => ((high << low), 1, Math.Min(1 << low, last + 1 - (high << low))));
        Chain(room, (last >> low) + 1, out result);
        for (var i = 0; i < low; i++)
        {
            JacobianPoint<TField>.Double(result, out result);
        }

        GroupBy(room, 1 << low, digit => (digit, 1 << low, ((last - digit) >> low) + 1));
        Chain(room, 1 << low, out var rest);
        JacobianPoint<TField>.Add(result, rest, out result);
    }

    /// <summary>Sums buckets whose numbers share a digit: the first number, the step and the count of each.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void GroupBy(Room room, int digits, Func<int, (int First, int Step, int Count)> members)
    {
        var names = room.Names;
        var total = 0;
        var starts = room.Starts.AsSpan(0, digits + 1);
        starts[0] = 0;
        for (var digit = 0; digit < digits; digit++)
        {
            var (bucket, step, count) = members(digit);
            for (; digit > 0 && count > 0; count--, bucket += step)
            {
                if (!room.IsEmpty(bucket))
                {
                    names[total++] = bucket << BatchAffine<TLanes, TField>.IndexShift;
                }
            }

            starts[digit + 1] = total;
        }

        room.Groups.Clear();
        room.Tree.Sum(room.Buckets.Words, names, starts, room.Groups.Words);
    }

    /// <summary>The sum of k times group k, the plain way: running sums from the highest.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Chain(Room room, int groups, out JacobianPoint<TField> result)
    {
        result = JacobianPoint<TField>.Infinity;
        var running = JacobianPoint<TField>.Infinity;
        for (var group = groups - 1; group > 0; group--)
        {
            TLanes.Read(room.Groups.Words + ((long)group * TLanes.PointWords), out var point);
            JacobianPoint<TField>.Add(running, point, out running);
            JacobianPoint<TField>.Add(result, running, out result);
        }
    }

    /// <summary>What a thread needs for a window; what follows from scalars is overwritten in the end.</summary>
    private sealed class Room : IDisposable
    {
        private readonly AlignedMemory _names;

        internal Room(int count, int bits)
        {
            var buckets = (1 << (bits - 1)) + 1;
            Digits = new int[count];
            _names = new AlignedMemory(Math.Max(count, buckets) * (long)sizeof(int), secret: true);
            Starts = new int[buckets + 1];
            Buckets = new AlignedMemory((long)buckets * TLanes.PointWords * sizeof(ulong), secret: true);
            Groups = new AlignedMemory((2L << ((bits / 2) + 1)) * TLanes.PointWords * sizeof(ulong));
        }

        internal BucketTree<TLanes, TField> Tree { get; } = new();

        internal int[] Digits { get; }

        internal int* Names => _names.As<int>();

        internal int[] Starts { get; }

        internal AlignedMemory Buckets { get; }

        internal AlignedMemory Groups { get; }

        internal bool IsEmpty(int bucket) => !new ReadOnlySpan<ulong>(
            Buckets.Words + ((long)bucket * TLanes.PointWords), TLanes.PointWords).ContainsAnyExcept(0UL);

        public void Dispose()
        {
            Array.Clear(Digits);
            Tree.Dispose();
            _names.Dispose();
            Buckets.Dispose();
            Groups.Dispose();
        }
    }
}
