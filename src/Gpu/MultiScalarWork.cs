using SuperVm.Gpu.OpenCl;

namespace SuperVm.Gpu;

/// <summary>Some windows of one multi-scalar multiplication on the device (Kernels/msm.cl draws the steps).</summary>
internal sealed class MultiScalarWork : IDisposable
{
    /// <summary>Points of a bucket that one work-item adds up.</summary>
    private const int SegmentLength = 64;

    private const int ScanGroup = 64;

    /// <summary>Rounds of segment sums: 64^5 points are more than a batch has.</summary>
    private const int MostRounds = 5;

    private readonly ClContext _context;
    private readonly ClProgram _program;
    private readonly string _group;
    private readonly int _sumBytes;
    private readonly int _count;
    private readonly int _bits;
    private readonly int _rows;
    private readonly int _buckets;
    private readonly int _stride;
    private readonly ClBuffer<uint> _digits;
    private readonly ClBuffer<uint> _entries;
    private readonly ClBuffer<uint> _most;
    private ClBuffer<uint> _counts;
    private ClBuffer<uint> _starts;
    private ClBuffer<byte>? _sums;

    internal MultiScalarWork(
        ClContext context, ClProgram program, string group, int sumBytes, int count, int bits, int rows)
    {
        (_context, _program, _group, _sumBytes) = (context, program, group, sumBytes);
        (_count, _bits, _rows) = (count, bits, rows);
        _buckets = 1 << (bits - 1);
        _stride = Stride(count, bits);
        _digits = context.Allocate<uint>((long)rows * count);
        _entries = context.Allocate<uint>((long)rows * count);
        _most = context.Allocate<uint>(1);
        _counts = context.Allocate<uint>((long)rows * _buckets);
        _starts = context.Allocate<uint>((long)rows * _buckets);
    }

    /// <summary>Bytes that a window takes: lists, two generations of segments and of sums.</summary>
    internal static ulong BytesPerRow(int count, int bits, int sumBytes) =>
        (8UL * (ulong)count) + (24UL << (bits - 1))
        + ((16UL + (2UL * (ulong)sumBytes)) * (ulong)Stride(count, bits));

    /// <summary>The largest buffer's part of a window.</summary>
    internal static ulong LargestPerRow(int count, int bits, int sumBytes) =>
        Math.Max(4UL * (ulong)count, (ulong)sumBytes * (ulong)Stride(count, bits));

    /// <summary>Segments of a window at most: a full and a started one for every bucket that has points.</summary>
    private static int Stride(int count, int bits) => (count / SegmentLength) + Math.Min(count, 1 << (bits - 1));

    /// <summary>Digits of the windows from <paramref name="firstWindow"/>, point numbers sorted by bucket.</summary>
    internal void Sort(ClBuffer scalars, int firstWindow)
    {
        _counts.Clear();
        _program["msm_digits"].Run(
            _context, _count, 0,
            [scalars, _digits, _counts, (uint)_count, (uint)firstWindow, (uint)_rows, (uint)_bits]);
        using var totals = _context.Allocate<uint>(_rows);
        Scan(_counts, _starts, totals, 1, _count);
        using var cursors = _context.Allocate<uint>(_starts.Count);
        _starts.CopyTo(cursors);
        _program["msm_scatter"].Run(
            _context, _count, 0, [_digits, cursors, _entries, (uint)_count, (uint)_buckets], _rows);
        _context.Finish();
    }

    /// <summary>Adds each bucket's points up, in rounds until every bucket is one sum.</summary>
    internal void SumBuckets(ClBuffer points)
    {
        for (var round = 0; round < MostRounds; round++)
        {
            using var totals = _context.Allocate<uint>(_rows);
            using var segments = _context.Allocate<ulong>((long)_rows * _stride);
            var segmentStarts = _context.Allocate<uint>(_starts.Count);
            var segmentCounts = _context.Allocate<uint>(_counts.Count);
            var sums = _context.Allocate<byte>((long)_rows * _stride * _sumBytes);
            try
            {
                Scan(_counts, segmentStarts, totals, SegmentLength, _stride);
                _most.Clear();
                _program["msm_segments"].Run(
                    _context, (long)_rows * _buckets, 0,
                    [_counts, _starts, segmentStarts, segments, segmentCounts, _most, SegmentLength]);
                if (_sums is null)
                {
                    _program[_group + "_sum_points"].Run(
                        _context, _stride, 0, [points, _entries, segments, totals, sums, (uint)_stride], _rows);
                }
                else
                {
                    _program[_group + "_sum_sums"].Run(
                        _context, _stride, 0, [_sums, segments, totals, sums, (uint)_stride], _rows);
                }

                var most = new uint[1];
                _most.Read(most);
                (_starts, segmentStarts) = (segmentStarts, _starts);
                (_counts, segmentCounts) = (segmentCounts, _counts);
                (_sums, sums) = (sums, _sums);
                if (most[0] == 0)
                {
                    return;
                }
            }
            finally
            {
                segmentStarts.Dispose();
                segmentCounts.Dispose();
                sums?.Dispose();
            }
        }
    }

    /// <summary>The sums of bucket times its number, by stretches of each window.</summary>
    internal void Reduce(Span<byte> parts, int stretches)
    {
        using var results = _context.Allocate<byte>(parts.Length);
        _program[_group + "_reduce"].Run(
            _context, stretches, 0,
            [_sums!, _counts, _starts, results, (uint)_buckets, (uint)(_buckets / stretches)], _rows);
        results.Read(parts);
    }

    private void Scan(ClBuffer counts, ClBuffer starts, ClBuffer totals, int divisor, int rowStride) =>
        _program["msm_scan"].Run(
            _context, (long)_rows * ScanGroup, ScanGroup,
            [counts, starts, totals, (uint)_buckets, (uint)divisor, (uint)rowStride, ClArgument.Local(4 * ScanGroup)]);

    public void Dispose()
    {
        _digits.Dispose();
        _entries.Dispose();
        _most.Dispose();
        _counts.Dispose();
        _starts.Dispose();
        _sums?.Dispose();
    }
}
