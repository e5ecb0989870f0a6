using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;

namespace SuperVm.Core.Tests.Proving;

/// <summary>Damaged files of every kind are refused with a reason, and never in another way.</summary>
public sealed class ProofFileTests
{
    private static readonly byte[] Key = SquaringCircuit.Key(20, new ProvingRandom(20), isInputPublic: true);
    private static readonly byte[] Circuit = SquaringCircuit.Circuit(20, isInputPublic: true);
    private static readonly byte[] Witness = SquaringCircuit.Witness(20, 3);

    [Theory]
    [InlineData(0, "does not begin with this word")]
    [InlineData(4, "version")]
    [InlineData(8, "sections")]
    public void A_container_with_a_wrong_head_is_refused(int at, string reason)
    {
        foreach (var (bytes, read) in Kinds())
        {
            var damaged = bytes.ToArray();
            damaged[at] ^= 0xFF;
            Assert.Contains(reason, Groth16Tests.Refusal(() => read(damaged)), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void A_file_that_is_cut_off_anywhere_is_refused()
    {
        foreach (var (bytes, read) in Kinds())
        {
            for (var length = 0; length < bytes.Length; length += 1 + (length / 9))
            {
                Assert.NotEmpty(Groth16Tests.Refusal(() => read(bytes[..length])));
            }
        }
    }

    [Fact]
    public void A_section_that_stands_twice_is_refused()
    {
        using var twice = new MemoryStream();
        SectionedFile.WriteHead(twice, "zkey"u8, version: 1, sections: 2);
        SectionedFile.WriteSection(twice, 1, [1, 0, 0, 0]);
        SectionedFile.WriteSection(twice, 1, [1, 0, 0, 0]);
        Assert.Contains("stands twice", Groth16Tests.Refusal(() => ReadKey(twice.ToArray())), StringComparison.Ordinal);
    }

    [Fact]
    public void Flipped_bytes_are_refused_with_a_reason_or_end_in_no_proof()
    {
        var random = new ProvingRandom(77);
        var witness = new Witness(new MemorySource(Witness));
        var refused = 0;
        for (var round = 0; round < 300; round++)
        {
            var damaged = Key.ToArray();
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                var key = new ProvingKey(new MemorySource(damaged));
                new Prover(new CpuProofBackend(), random).Prove(key, witness);
            }
            catch (ProofException refusal)
            {
                Assert.NotEmpty(refusal.Message);
                refused++;
            }
        }

        Assert.InRange(refused, 1, 300);
    }

    [Fact]
    public void Flipped_bytes_in_circuits_and_witnesses_are_refused_or_read()
    {
        var random = new ProvingRandom(78);
        foreach (var (bytes, read) in Kinds())
        {
            var refused = 0;
            for (var round = 0; round < 300; round++)
            {
                var damaged = bytes.ToArray();
                for (var flips = random.Next(4); flips >= 0; flips--)
                {
                    damaged[random.Next(Math.Min(damaged.Length, 300))] ^= (byte)(1 << random.Next(8));
                }

                try
                {
                    read(damaged);
                }
                catch (ProofException refusal)
                {
                    Assert.NotEmpty(refusal.Message);
                    refused++;
                }
            }

            Assert.InRange(refused, 1, 300);
        }
    }

    [Fact]
    public void A_key_of_another_curve_or_with_a_header_off_the_curve_is_refused()
    {
        // Container 12, section head 12, protocol 4, section head 12, size 4: the prime p starts at byte 44.
        Assert.Contains("another curve", Damaged(44), StringComparison.Ordinal);
        Assert.Contains("another curve", Damaged(44 + 36), StringComparison.Ordinal);
        Assert.Contains("alpha1", Damaged(44 + 32 + 36 + 12), StringComparison.Ordinal);
        Assert.Contains("beta2", Damaged(44 + 32 + 36 + 12 + 128), StringComparison.Ordinal);

        static string Damaged(int at)
        {
            var bytes = Key.ToArray();
            bytes[at] ^= 1;
            return Groth16Tests.Refusal(() => ReadKey(bytes));
        }
    }

    [Fact]
    public void A_witness_value_that_is_not_below_the_modulus_is_refused()
    {
        var bytes = Witness.ToArray();
        SnarkPoints.WriteNumber(Fr.Modulus, bytes.AsSpan(bytes.Length - 32));
        Assert.Contains("not below r", Groth16Tests.Refusal(() => ReadWitness(bytes)), StringComparison.Ordinal);
        bytes = Witness.ToArray();
        bytes[12 + 12 + 40 + 12] = 2;
        Assert.Contains("not one", Groth16Tests.Refusal(() => ReadWitness(bytes)), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_written_as_JSON_is_read_back()
    {
        var key = new ProvingKey(new MemorySource(Key));
        var witness = new Witness(new MemorySource(Witness));
        var proof = new Prover(new CpuProofBackend(), new ProvingRandom(1)).Prove(key, witness);
        var publics = Prover.PublicsOf(key, witness);
        Assert.Equal(proof, SnarkJson.ReadProof(Bytes(SnarkJson.Write(proof))));
        Assert.Equal(publics, SnarkJson.ReadPublics(Bytes(SnarkJson.Write(publics))));
        var back = SnarkJson.ReadVerificationKey(Bytes(SnarkJson.Write(key.VerificationKey)));
        Assert.Equal(key.VerificationKey.Ic, back.Ic);
        Assert.Equal(Verdict.Valid, Verifier.Verify(back, proof, publics));
    }

    [Theory]
    [InlineData("\"groth16\"", "\"plonk\"", "protocol")]
    [InlineData("\"bn128\"", "\"bls12381\"", "curve")]
    [InlineData("pi_a", "pi_x", "pi_a is missing")]
    [InlineData("\"1\"", "\"2\"", "not on the curve")]
    [InlineData("\"1\"", "1", "not a decimal number")]
    [InlineData("\"1\"", "\"0x1\"", "not a decimal number")]
    [InlineData("{", "", "not JSON")]
    public void A_proof_with_a_wrong_field_is_refused(string old, string fresh, string reason)
    {
        var key = new ProvingKey(new MemorySource(Key));
        var witness = new Witness(new MemorySource(Witness));
        var text = SnarkJson.Write(new Prover(new CpuProofBackend(), new ProvingRandom(1)).Prove(key, witness));
        var at = text.IndexOf(old, StringComparison.Ordinal);
        var damaged = text[..at] + fresh + text[(at + old.Length)..];
        Assert.Contains(
            reason, Groth16Tests.Refusal(() => SnarkJson.ReadProof(Bytes(damaged))), StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_not_below_their_modulus_and_points_outside_of_the_subgroup_are_refused()
    {
        Assert.Contains("not below r", Groth16Tests.Refusal(
            () => SnarkJson.ReadPublics(Bytes($"[\"{Fr.Modulus}\"]"))), StringComparison.Ordinal);
        var key = new ProvingKey(new MemorySource(Key));
        var witness = new Witness(new MemorySource(Witness));
        var proof = new Prover(new CpuProofBackend(), new ProvingRandom(1)).Prove(key, witness);
        var high = SnarkJson.Write(proof).Replace(
            proof.A.X.ToString(), (proof.A.X.ToUInt256() + Fq.Modulus).ToString(), StringComparison.Ordinal);
        Assert.Contains("not below p", Groth16Tests.Refusal(
            () => SnarkJson.ReadProof(Bytes(high))), StringComparison.Ordinal);
        var outside = SnarkJson.Write(proof with { B = Groth16Tests.OutsideOfSubgroup() });
        Assert.Contains("not in the subgroup", Groth16Tests.Refusal(
            () => SnarkJson.ReadProof(Bytes(outside))), StringComparison.Ordinal);
    }

    private static ReadOnlyMemory<byte> Bytes(string text) => System.Text.Encoding.UTF8.GetBytes(text);

    private static (byte[] Bytes, Action<byte[]> Read)[] Kinds() =>
    [
        (Key, ReadKey), (Circuit, bytes => _ = new R1cs(new MemorySource(bytes))), (Witness, ReadWitness),
    ];

    private static void ReadKey(byte[] bytes) => _ = new ProvingKey(new MemorySource(bytes));

    private static void ReadWitness(byte[] bytes) => _ = new Witness(new MemorySource(bytes));
}
