using System.Security.Cryptography;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Cryptography.Bls12381;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Cryptography;

public sealed class KzgPointEvaluationTests
{
    [FixtureFact("precompiles")]
    public void The_vectors_of_the_specification_are_answered_rightly()
    {
        var folder = Path.Combine(Fixtures.Folder("precompiles"), "precompiles", "kzg", "verify_kzg_proof");
        var files = Directory.GetFiles(folder, "data.yaml", SearchOption.AllDirectories);
        Assert.True(files.Length > 50);
        foreach (var file in files)
        {
            var lines = File.ReadAllLines(file);
            byte[] Field(string name) => Hex.Decode(Value(lines, name).Trim('\''));
            var (commitment, proof) = (Field("commitment"), Field("proof"));
            var (z, y) = (Field("z"), Field("y"));
            var expected = Value(lines, "output") == "true";
            Assert.True(expected == KzgPointEvaluation.VerifyProof(commitment, z, y, proof), file);

            var hash = SHA256.HashData(commitment);
            hash[0] = 1;
            byte[] input = [.. hash, .. z, .. y, .. commitment, .. proof];
            Assert.True(expected == KzgPointEvaluation.Verify(input, new byte[64]), file);
        }
    }

    [FixtureFact("precompiles")]
    public void The_vectors_of_clients_give_the_expected_bytes()
    {
        foreach (var vector in PrecompileVectors.Read("pointEvaluation"))
        {
            var output = new byte[64];
            Assert.True(KzgPointEvaluation.Verify(vector.Input, output));
            Assert.Equal(vector.Expected, output);
            for (var i = 0; i < vector.Input.Length; i += 13)
            {
                vector.Input[i] ^= 1;
                Assert.False(KzgPointEvaluation.Verify(vector.Input, output));
                vector.Input[i] ^= 1;
            }
        }
    }

    [Fact]
    public void A_constant_polynomial_is_proven_by_infinity()
    {
        var (commitment, proof) = (new byte[48], new byte[48]);
        var y = new UInt256(987654321);
        G1Compression.Write(MultiScalar.SumG1([G1.Generator], [y]).ToAffine(), commitment);
        G1Compression.Write(default, proof);
        var z = new UInt256(5).ToBigEndian();
        Assert.True(KzgPointEvaluation.VerifyProof(commitment, z, y.ToBigEndian(), proof));
        Assert.False(KzgPointEvaluation.VerifyProof(commitment, z, z, proof));
        Assert.False(KzgPointEvaluation.VerifyProof(commitment, BlsCurve.Order.ToBigEndian(), y.ToBigEndian(), proof));
        Assert.False(KzgPointEvaluation.VerifyProof(commitment, z, (BlsCurve.Order + y).ToBigEndian(), proof));
    }

    [Fact]
    public void Compressed_points_read_back_and_wrong_flags_are_refused()
    {
        for (ulong i = 1; i < 12; i++)
        {
            var point = MultiScalar.SumG1([G1.Generator], [i * 77]).ToAffine();
            var bytes = new byte[48];
            G1Compression.Write(point, bytes);
            Assert.True(G1Compression.TryRead(bytes, out var back));
            Assert.True(Fq.AreEqual(point.X, back.X) && Fq.AreEqual(point.Y, back.Y));
            bytes[0] ^= 0x20;
            Assert.True(G1Compression.TryRead(bytes, out back));
            Assert.True(Fq.AreEqual(point.Y, -back.Y));
            bytes[0] ^= 0x40;
            Assert.False(G1Compression.TryRead(bytes, out _));
            bytes[0] ^= 0xC0;
            Assert.False(G1Compression.TryRead(bytes, out _));
        }

        byte[] infinity = [0xC0, .. new byte[47]];
        Assert.True(G1Compression.TryRead(infinity, out var none) && none.IsInfinity);
        infinity[0] = 0xE0;
        Assert.False(G1Compression.TryRead(infinity, out _));
        infinity[0] = 0x40;
        Assert.False(G1Compression.TryRead(infinity, out _));
    }

    [Fact]
    public void Garbage_of_any_length_is_refused_and_never_throws()
    {
        var random = new Random(4844);
        for (var length = 0; length < 300; length++)
        {
            var input = new byte[length];
            random.NextBytes(input);
            Assert.False(KzgPointEvaluation.Verify(input, new byte[64]));
            Assert.False(KzgPointEvaluation.VerifyProof(input, input, input, input));
        }

        // The right hash and canonical numbers, but points of chance.
        for (var i = 0; i < 50; i++)
        {
            var input = new byte[192];
            random.NextBytes(input);
            (input[32], input[64]) = (0, 0);
            input[96] = (byte)(0x80 | (input[96] & 0x1F));
            input[144] = (byte)(0x80 | (input[144] & 0x1F));
            SHA256.HashData(input.AsSpan(96, 48)).CopyTo(input, 0);
            input[0] = 1;
            Assert.False(KzgPointEvaluation.Verify(input, new byte[64]));
        }
    }

    private static string Value(string[] lines, string name)
    {
        var line = lines.Single(l => l.TrimStart().StartsWith(name + ":", StringComparison.Ordinal));
        return line[(line.IndexOf(':') + 1)..].Trim();
    }
}
