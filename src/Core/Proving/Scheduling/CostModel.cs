using System.Numerics;

namespace SuperVm.Core.Proving.Scheduling;

/// <summary>What slices of one kind have cost on one sort of lane, by the slices' size.</summary>
/// <remarks>
/// An accelerator's fixed cost makes small slices dear, so costs are kept apart by powers of two of the size. A size
/// that was not seen takes the nearest that was: its cost an element, or, where a fixed cost is to be expected and the
/// nearest is larger, its whole time.
/// </remarks>
internal sealed class CostModel(bool hasFixedCost)
{
    /// <summary>Weight of a new observation.</summary>
    private const double Smoothing = 0.25;

    private readonly double[] _secondsPerElement = new double[32];

    internal bool IsKnown { get; private set; }

    internal void Observe(int size, double seconds)
    {
        ref var cost = ref _secondsPerElement[BitOperations.Log2((uint)size)];
        var seen = Math.Max(seconds, 1e-9) / size;
        cost = cost == 0 ? seen : cost + (Smoothing * (seen - cost));
        IsKnown = true;
    }

    /// <summary>What a slice of this size is expected to take; 0 where nothing is known.</summary>
    internal double Seconds(int size)
    {
        var own = BitOperations.Log2((uint)size);
        for (var distance = 0; distance < _secondsPerElement.Length; distance++)
        {
            var (below, above) = (own - distance, own + distance);
            if (below >= 0 && _secondsPerElement[below] > 0)
            {
                return _secondsPerElement[below] * size;
            }

            if (above < _secondsPerElement.Length && _secondsPerElement[above] > 0)
            {
                // A smaller slice pays the fixed cost too: as if the larger one's time were nothing else.
                return _secondsPerElement[above] * (hasFixedCost ? 1L << above : size);
            }
        }

        return 0;
    }

    /// <summary>The size of a slice that takes about so long, 1 where nothing is known.</summary>
    internal int SizeFor(double seconds, int most)
    {
        if (!IsKnown)
        {
            return 1;
        }

        var size = 1;
        while (size < most && Seconds(Math.Min(2 * size, most)) <= seconds)
        {
            size = Math.Min(2 * size, most);
        }

        return size;
    }
}
