using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Proving.Msm;

namespace SuperVm.Core.Proving.Ntt;

using Lanes = FieldLanes<FrModulus>;

/// <summary>The twiddle factors of a size, and the powers of the coset's shift, in lanes.</summary>
/// <remarks>Three tables of 40 bytes an element; <see cref="Of"/> keeps the last one made.</remarks>
internal sealed unsafe class LaneDomain
{
    /// <summary>The smallest size: a tile of eight times eight elements.</summary>
    internal const int LeastLog = 6;

    private const int LaneCount = 8;

    private static LaneDomain? _last;

    private readonly AlignedMemory _forward, _inverse, _shifts;

    private LaneDomain(int logSize)
    {
        LogSize = logSize;
        Blocks = 1 << (logSize - 3);
        _forward = new AlignedMemory((long)Blocks * sizeof(Lanes));
        _inverse = new AlignedMemory((long)Blocks * sizeof(Lanes));
        _shifts = new AlignedMemory((long)Blocks * sizeof(Lanes));
        var root = ScalarTransform.Root(logSize);
        Fr.Invert(root, out var inverse);
        FillTwiddles(_forward, root);
        FillTwiddles(_inverse, inverse);
        FillShifts();
        var eighth = ScalarTransform.Root(3);
        Fr.Invert(eighth, out var inverseEighth);
        ForwardEighths = Eighths(eighth);
        InverseEighths = Eighths(inverseEighth);
    }

    internal int LogSize { get; }

    /// <summary>Vectors of eight elements.</summary>
    internal int Blocks { get; }

    /// <summary>w_2m^j for j below m at block m / 8 and on, for each half m from 8.</summary>
    internal Lanes* Forward => _forward.As<Lanes>();

    /// <summary>The same of 1 / w.</summary>
    internal Lanes* Inverse => _inverse.As<Lanes>();

    /// <summary>The shift to the power of each coefficient's index, over the size, where coefficients lie.</summary>
    internal Lanes* Shifts => _shifts.As<Lanes>();

    /// <summary>The first three powers of the eighth root of unity, in every lane.</summary>
    internal Lanes[] ForwardEighths { get; }

    internal Lanes[] InverseEighths { get; }

    /// <summary>The domain of 2^<paramref name="logSize"/> elements, at least 64.</summary>
    internal static LaneDomain Of(int logSize)
    {
        var last = Volatile.Read(ref _last);
        if (last?.LogSize != logSize)
        {
            last = new LaneDomain(logSize);
            Volatile.Write(ref _last, last);
        }

        return last;
    }

    ~LaneDomain()
    {
        _forward.Dispose();
        _inverse.Dispose();
        _shifts.Dispose();
    }

    /// <summary>Writes an element in the form of products with other forms: a 2^260.</summary>
    internal static void Put(Lanes* blocks, int index, in Fr value)
    {
        // a 2^256 times 16.
        Fr.Multiply(value, Sixteen, out var scaled);
        PutLimbs(blocks, index, scaled);
    }

    /// <summary>Writes an element's limbs as they are.</summary>
    internal static void PutLimbs(Lanes* blocks, int index, in Fr value)
    {
        var words = (ulong*)(blocks + (index / LaneCount)) + (index % LaneCount);
        words[0] = value.L0 & Lanes.LimbMask;
        words[LaneCount] = ((value.L0 >> 52) | (value.L1 << 12)) & Lanes.LimbMask;
        words[2 * LaneCount] = ((value.L1 >> 40) | (value.L2 << 24)) & Lanes.LimbMask;
        words[3 * LaneCount] = ((value.L2 >> 28) | (value.L3 << 36)) & Lanes.LimbMask;
        words[4 * LaneCount] = value.L3 >> 16;
    }

    private static Fr Sixteen => Fr.FromUInt64(16);

    private static Lanes[] Eighths(in Fr eighth)
    {
        var result = new Lanes[3];
        var power = Fr.One;
        fixed (Lanes* blocks = result)
        {
            for (var i = 0; i < result.Length; i++)
            {
                Fr.Multiply(power, eighth, out power);
                for (var lane = 0; lane < LaneCount; lane++)
                {
                    Put(blocks, (i * LaneCount) + lane, power);
                }
            }
        }

        return result;
    }

    private void FillTwiddles(AlignedMemory table, Fr root)
    {
        var blocks = table.As<Lanes>();
        table.Clear();
        for (var half = LaneCount * Blocks / 2; half >= LaneCount; half /= 2)
        {
            var power = Sixteen;
            for (var j = 0; j < half; j++)
            {
                PutLimbs(blocks, half + j, power);
                Fr.Multiply(power, root, out power);
            }

            Fr.Square(root, out root);
        }
    }

    /// <summary>
    /// After the tiles' last levels (see <see cref="LaneTransform"/>) vector k, lane b of tile t has the coefficient
    /// of the index whose bits are those of 64 t + 8 b + k in reverse.
    /// </summary>
    private void FillShifts()
    {
        var size = 1 << LogSize;
        var powers = new Fr[size];
        Fr.Invert(Fr.FromUInt64((ulong)size), out var power);
        power *= Sixteen;
        var shift = ScalarTransform.Root(LogSize + 1);
        for (var i = 0; i < size; i++)
        {
            powers[i] = power;
            Fr.Multiply(power, shift, out power);
        }

        for (var at = 0; at < size; at++)
        {
            var (tile, vector, lane) = (at & ~63, (at >> 3) & 7, at & 7);
            PutLimbs(Shifts, at, powers[ScalarTransform.Reverse(tile + (8 * lane) + vector, LogSize)]);
        }
    }
}
