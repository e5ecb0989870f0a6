using System.Numerics;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Primitives;

public sealed class WideDivisionTests
{
    private static readonly ulong[] Limbs = [0, 1, 2, 1UL << 63, (1UL << 63) - 1, ulong.MaxValue, ulong.MaxValue - 1];

    [Fact]
    public void Quotients_and_remainders_of_awkward_limbs_agree_with_big_integers()
    {
        var random = new Random(7);
        for (var i = 0; i < 60_000; i++)
        {
            var divisor = Draw(random);
            var dividend = i % 3 == 0 ? (divisor * Draw(random).U0) - (ulong)random.Next(3) : Draw(random);
            if (divisor.IsZero)
            {
                continue;
            }

            UInt256.DivRem(dividend, divisor, out var quotient, out var remainder);
            var expected = BigInteger.DivRem((BigInteger)dividend, (BigInteger)divisor, out var rest);
            Assert.Equal(expected, (BigInteger)quotient);
            Assert.Equal(rest, (BigInteger)remainder);
        }
    }

    private static UInt256 Draw(Random random)
    {
        var width = random.Next(1, 5);
        return new UInt256(
            Limb(random), width > 1 ? Limb(random) : 0, width > 2 ? Limb(random) : 0, width > 3 ? Limb(random) : 0);
    }

    private static ulong Limb(Random random) => random.Next(2) == 0
        ? Limbs[random.Next(Limbs.Length)]
        : (ulong)random.NextInt64(long.MinValue, long.MaxValue) >> random.Next(63);
}
