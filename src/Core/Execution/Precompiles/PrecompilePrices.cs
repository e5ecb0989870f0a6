using System.Buffers.Binary;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Precompiles;

/// <summary>Prices that depend on the input.</summary>
internal static class PrecompilePrices
{
    /// <summary>Lengths beyond this saturate: no memory and no gas limit reaches them.</summary>
    private const ulong LengthCap = 1UL << 40;

    // EIP-2537: thousandths of the plain price a point, by the number of points; the last holds for all above.
    private static ReadOnlySpan<ushort> G1Discounts =>
    [
        1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677,
        673, 669, 665, 661, 658, 654, 651, 648, 645, 642, 640, 637, 635, 632, 630, 627,
        625, 623, 621, 619, 617, 615, 613, 611, 609, 608, 606, 604, 603, 601, 599, 598,
        596, 595, 593, 592, 591, 589, 588, 586, 585, 584, 582, 581, 580, 579, 577, 576,
        575, 574, 573, 572, 570, 569, 568, 567, 566, 565, 564, 563, 562, 561, 560, 559,
        558, 557, 556, 555, 554, 553, 552, 551, 550, 549, 548, 547, 547, 546, 545, 544,
        543, 542, 541, 540, 540, 539, 538, 537, 536, 536, 535, 534, 533, 532, 532, 531,
        530, 529, 528, 528, 527, 526, 525, 525, 524, 523, 522, 522, 521, 520, 520, 519,
    ];

    private static ReadOnlySpan<ushort> G2Discounts =>
    [
        1000, 1000, 923, 884, 855, 832, 812, 796, 782, 770, 759, 749, 740, 732, 724, 717,
        711, 704, 699, 693, 688, 683, 679, 674, 670, 666, 663, 659, 655, 652, 649, 646,
        643, 640, 637, 634, 632, 629, 627, 624, 622, 620, 618, 615, 613, 611, 609, 607,
        606, 604, 602, 600, 598, 597, 595, 593, 592, 590, 589, 587, 586, 584, 583, 582,
        580, 579, 578, 576, 575, 574, 573, 571, 570, 569, 568, 567, 566, 565, 563, 562,
        561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 552, 551, 550, 549, 548, 547,
        546, 545, 545, 544, 543, 542, 541, 541, 540, 539, 538, 537, 537, 536, 535, 535,
        534, 533, 532, 532, 531, 530, 530, 529, 528, 528, 527, 526, 526, 525, 524, 524,
    ];

    internal static ulong ByWord(ReadOnlySpan<byte> input, ulong fixedPart, ulong word) =>
        fixedPart + (word * (((ulong)input.Length + 31) / 32));

    /// <summary>One gas a round (EIP-152); an input of another length is refused without a price.</summary>
    internal static ulong Blake2f(ReadOnlySpan<byte> input) =>
        input.Length == HashPrecompiles.Blake2fBytes ? BinaryPrimitives.ReadUInt32BigEndian(input) : 0;

    internal static ulong G1Msm(ReadOnlySpan<byte> input) =>
        Msm((ulong)input.Length / BlsPrecompiles.G1MsmBytes, 12_000, G1Discounts);

    internal static ulong G2Msm(ReadOnlySpan<byte> input) =>
        Msm((ulong)input.Length / BlsPrecompiles.G2MsmBytes, 22_500, G2Discounts);

    /// <summary>EIP-198: squares priced by a curve of three pieces, over 20.</summary>
    internal static ulong ModexpByzantium(ReadOnlySpan<byte> input)
    {
        var call = ModexpPrecompile.Read(input);
        UInt128 x = Longest(call);
        var complexity = x <= 64 ? x * x
            : x <= 1024 ? (x * x / 4) + (96 * x) - 3_072
            : (x * x / 16) + (480 * x) - 199_680;
        return Saturate(complexity * UInt128.Max(Iterations(call, 8), 1) / 20);
    }

    /// <summary>EIP-2565: words squared, over 3, at least 200.</summary>
    internal static ulong ModexpBerlin(ReadOnlySpan<byte> input)
    {
        var call = ModexpPrecompile.Read(input);
        UInt128 words = (Longest(call) + 7) / 8;
        return Saturate(UInt128.Max(words * words * UInt128.Max(Iterations(call, 8), 1) / 3, 200));
    }

    /// <summary>EIP-7883: twice the words squared, 16 up to 32 bytes, long exponents dearer, at least 500.</summary>
    internal static ulong ModexpOsaka(ReadOnlySpan<byte> input)
    {
        var call = ModexpPrecompile.Read(input);
        var longest = Longest(call);
        UInt128 words = (longest + 7) / 8;
        var complexity = longest <= 32 ? 16 : 2 * words * words;
        return Saturate(UInt128.Max(complexity * UInt128.Max(Iterations(call, 16), 1), 500));
    }

    private static ulong Msm(ulong points, ulong pricePerPoint, ReadOnlySpan<ushort> discounts)
    {
        if (points == 0)
        {
            return 0;
        }

        var discount = discounts[(int)Math.Min(points, (ulong)discounts.Length) - 1];
        return points * pricePerPoint * discount / 1_000;
    }

    private static ulong Longest(in ModexpCall call) =>
        Math.Min(Math.Max(call.BaseLength.ToUInt64Saturating(), call.ModulusLength.ToUInt64Saturating()), LengthCap);

    /// <summary>Bits of the exponent below its highest; bytes behind the first 32 count a fixed number each.</summary>
    private static UInt128 Iterations(in ModexpCall call, uint countOfByte)
    {
        UInt128 head = (uint)Math.Max(0, call.ExponentHead.BitLength - 1);
        var length = Math.Min(call.ExponentLength.ToUInt64Saturating(), LengthCap);
        return length <= 32 ? head : ((UInt128)countOfByte * (length - 32)) + head;
    }

    private static ulong Saturate(UInt128 price) => price > ulong.MaxValue ? ulong.MaxValue : (ulong)price;
}
