using System.Runtime.CompilerServices;
using SuperVm.Core.Cryptography.Bn254;

namespace SuperVm.Core.Proving.Msm;

/// <summary>Sums the points of each of many buckets, by halving all buckets at once.</summary>
/// <remarks>
/// A round adds neighbours of every bucket in pairs. All pairs of a round are independent, so that
/// <see cref="BatchAffine{TLanes,TField}"/> has full batches of them whatever the sizes of the buckets:
/// <code>
///   bucket 1: a b c d e     →   a+b c+d e   →   a+b+c+d e   →   …        one point a bucket
///   bucket 2: f g           →   f+g
/// </code>
/// Buckets are taken in groups whose sums stay in the cache; a bucket that is larger than a group is cut.
/// </remarks>
internal sealed unsafe class BucketTree<TLanes, TField> : IDisposable
    where TLanes : unmanaged, ICurveLanes<TLanes, TField>
    where TField : unmanaged, ICurveField<TField>
{
    /// <summary>Points taken together.</summary>
    private const int GroupPoints = 8192;

    private const int Slack = 8;

    private readonly BatchAffine<TLanes, TField> _adder = new();
    private readonly AlignedMemory _sums = new((long)(GroupPoints + Slack) * TLanes.PointWords * sizeof(ulong));
    private readonly AlignedMemory _names = new((GroupPoints + Slack) * sizeof(int) * 3L);
    private readonly int[] _buckets = new int[GroupPoints];
    private readonly int[] _counts = new int[GroupPoints];

    public void Dispose()
    {
        _adder.Dispose();
        _sums.Dispose();
        _names.Dispose();
    }

    /// <summary>Writes the sum of each bucket; buckets without points are not touched.</summary>
    /// <param name="points">Where the names count from.</param>
    /// <param name="names">Names of the points, bucket after bucket.</param>
    /// <param name="starts">Where bucket i starts in names; one more entry than there are buckets.</param>
    /// <param name="results">The sums, at their bucket's number; a whole bucket's place must be zero before.</param>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal void Sum(ulong* points, int* names, ReadOnlySpan<int> starts, ulong* results)
    {
        var (slices, held) = (0, 0);
        var room = _names.As<int>();
        for (var bucket = 0; bucket < starts.Length - 1; bucket++)
        {
            for (var next = starts[bucket]; next < starts[bucket + 1];)
            {
                var taken = Math.Min(starts[bucket + 1] - next, GroupPoints - held);
                new ReadOnlySpan<int>(names + next, taken).CopyTo(new Span<int>(room + held, taken));
                (_buckets[slices], _counts[slices]) = (bucket, taken);
                slices++;
                held += taken;
                next += taken;
                if (held == GroupPoints)
                {
                    SumGroup(points, slices, results);
                    (slices, held) = (0, 0);
                }
            }
        }

        SumGroup(points, slices, results);
    }

    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void SumGroup(ulong* points, int slices, ulong* results)
    {
        var names = _names.As<int>();
        var left = names + GroupPoints + Slack;
        var right = left + GroupPoints + Slack;
        var made = 0;
        _adder.Start();
        while (true)
        {
            var pairs = 0;
            int* read = names, write = names;
            for (var slice = 0; slice < slices; slice++)
            {
                var count = _counts[slice];
                for (var i = 0; i + 1 < count; i += 2)
                {
                    (left[pairs], right[pairs]) = (read[i], read[i + 1]);
                    *write++ = ((made + pairs) << BatchAffine<TLanes, TField>.IndexShift)
                        | BatchAffine<TLanes, TField>.InSums;
                    pairs++;
                }

                if ((count & 1) != 0)
                {
                    *write++ = read[count - 1];
                }

                read += count;
                _counts[slice] = (count + 1) / 2;
            }

            if (pairs == 0)
            {
                break;
            }

            AddPairs(left, right, pairs, points, made);
            made += pairs;
        }

        for (var slice = 0; slice < slices; slice++)
        {
            Put(names[slice], points, results + ((long)_buckets[slice] * TLanes.PointWords));
        }
    }

    private void AddPairs(int* left, int* right, int pairs, ulong* points, int made)
    {
        for (var done = 0; done < pairs; done += BatchAffine<TLanes, TField>.MostPairs)
        {
            // Whole vectors but for the last batch, which fills up its last eight with pairs that nobody reads.
            var count = Math.Min(pairs - done, BatchAffine<TLanes, TField>.MostPairs);
            _adder.Add(
                left + done, right + done, count, points, _sums.Words,
                _sums.Words + ((long)(made + done) * TLanes.PointWords));
        }
    }

    /// <summary>Adds a slice's sum to what its bucket has.</summary>
    [SkipLocalsInit, MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Put(int name, ulong* points, ulong* result)
    {
        BatchAffine<TLanes, TField>.Read(name, points, _sums.Words, out var point);
        TLanes.Read(result, out var before);
        if (!before.IsInfinity)
        {
            JacobianPoint<TField>.Add(new JacobianPoint<TField>(before), point, out var sum);
            point = sum.ToAffine();
        }

        TLanes.Write(point, result);
    }
}
