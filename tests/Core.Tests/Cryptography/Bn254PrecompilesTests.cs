using FsCheck;
using FsCheck.Fluent;
using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Cryptography;

public sealed class Bn254PrecompilesTests
{
    private delegate bool Precompile(ReadOnlySpan<byte> input, Span<byte> output);

    [FixtureFact("precompiles")]
    public void The_public_addition_vectors_hold() => AssertVectors("bn256Add", Bn254Precompiles.Add, 64);

    [FixtureFact("precompiles")]
    public void The_public_multiplication_vectors_hold() =>
        AssertVectors("bn256ScalarMul", Bn254Precompiles.Multiply, 64);

    [FixtureFact("precompiles")]
    public void The_public_pairing_vectors_hold() => AssertVectors("bn256Pairing", Bn254Precompiles.PairingCheck, 32);

    [Fact]
    public void Missing_bytes_are_zero_and_surplus_ones_ignored()
    {
        var output = new byte[64];
        Assert.True(Bn254Precompiles.Add([], output));
        Assert.Equal(new byte[64], output);
        Assert.True(Bn254Precompiles.Multiply([], output));
        Assert.Equal(new byte[64], output);

        var generator = new byte[200];
        G1.Write(G1.Generator, generator);
        Assert.True(Bn254Precompiles.Add(generator.AsSpan(0, 64), output));
        Assert.Equal(generator[..64], output);
        generator.AsSpan(128).Fill(0xFF);
        Assert.True(Bn254Precompiles.Add(generator, output));
        Assert.Equal(generator[..64], output);
        generator[95] = 1;
        Assert.True(Bn254Precompiles.Multiply(generator, output));
        Assert.Equal(generator[..64], output);
    }

    [Fact]
    public void Coordinates_of_p_and_more_are_refused()
    {
        var point = new byte[64];
        Fq.Modulus.WriteBigEndian(point);
        Assert.False(Bn254Precompiles.Add(point, new byte[64]));
        Assert.False(Bn254Precompiles.Multiply(point, new byte[64]));

        // The generator with x = 1 + p.
        (Fq.Modulus + 1).WriteBigEndian(point);
        point[63] = 2;
        Assert.False(Bn254Precompiles.Add(point, new byte[64]));
        point.AsSpan(0, 32).Clear();
        point[31] = 1;
        Assert.True(Bn254Precompiles.Add(point, new byte[64]));
        point[63] = 3;
        Assert.False(Bn254Precompiles.Add(point, new byte[64]));
    }

    [Fact]
    public void Only_whole_pairs_are_taken_and_none_is_one()
    {
        var output = new byte[32];
        Assert.True(Bn254Precompiles.PairingCheck([], output));
        Assert.Equal(1, output[31]);
        Assert.False(Bn254Precompiles.PairingCheck(new byte[191], output));
        Assert.False(Bn254Precompiles.PairingCheck(new byte[193], output));
        Assert.True(Bn254Precompiles.PairingCheck(new byte[192 * 40], output));
        Assert.Equal(1, output[31]);
    }

    [Fact]
    public void A_point_of_the_twist_outside_the_subgroup_is_refused()
    {
        var input = new byte[192];
        G1.Write(G1.Generator, input);
        G2.Write(G2.Generator, input.AsSpan(64));
        Assert.True(Bn254Precompiles.PairingCheck(input, new byte[32]));
        G2.Write(OutsidePoint(), input.AsSpan(64));
        Assert.False(Bn254Precompiles.PairingCheck(input, new byte[32]));
        input.AsSpan(0, 64).Clear();
        Assert.False(Bn254Precompiles.PairingCheck(input, new byte[32]));
    }

    [Fact]
    public void Garbage_never_throws() => Check.QuickThrowOnFailure(Prop.ForAll<byte[], byte>((bytes, kind) =>
    {
        // Half of the inputs are close to valid: generators with single bytes changed.
        var input = bytes;
        if (kind % 2 == 0)
        {
            input = new byte[192];
            G1.Write(G1.Generator, input);
            G2.Write(G2.Generator, input.AsSpan(64));
            foreach (var value in bytes)
            {
                input[(value * 31) % input.Length] ^= (byte)(1 << (value % 8));
            }
        }

        var output = new byte[64];
        Bn254Precompiles.Add(input, output);
        Bn254Precompiles.Multiply(input, output);
        Bn254Precompiles.PairingCheck(input, output);
        Assert.False(Bn254Precompiles.Add(input, output.AsSpan(1)));
        Assert.False(Bn254Precompiles.Multiply(input, output.AsSpan(1)));
        Assert.False(Bn254Precompiles.PairingCheck(input, output.AsSpan(33)));
    }));

    private static AffinePoint<Fq2> OutsidePoint()
    {
        // A point by a chosen x: the cofactor has 254 bits, so that such a point is never in the subgroup.
        for (ulong x = 1; ; x++)
        {
            for (ulong u = 0; u < 8; u++)
            {
                var candidate = new Fq2(Fq.FromUInt64(x), Fq.FromUInt64(u));
                var right = (candidate * candidate * candidate) + G2.CurveB;
                if (Fq2Root(right) is { } y)
                {
                    return new AffinePoint<Fq2>(candidate, y);
                }
            }
        }
    }

    /// <summary>A root of about every fourth element: (x + y u)^2 with x^2 = (a + norm) / 2.</summary>
    private static Fq2? Fq2Root(in Fq2 value)
    {
        Fq.Invert(Fq.FromUInt64(2), out var half);
        if (!Fq.TrySquareRoot((value.C0 * value.C0) + (value.C1 * value.C1), out var norm)
            || !Fq.TrySquareRoot((value.C0 + norm) * half, out var x))
        {
            return null;
        }

        Fq.Invert(x + x, out var inverse);
        return new Fq2(x, value.C1 * inverse);
    }

    private static void AssertVectors(string file, Precompile precompile, int outputSize)
    {
        foreach (var vector in PrecompileVectors.Read(file))
        {
            var output = new byte[outputSize];
            Assert.True(precompile(vector.Input, output), vector.Name);
            Assert.Equal(vector.Expected, output);
        }
    }
}
