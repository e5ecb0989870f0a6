using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;

namespace SuperVm.Core.Tests.Proving;

public sealed class Groth16Tests
{
    private static readonly byte[] Circuit100 = SquaringCircuit.Circuit(100, isInputPublic: true);
    private static readonly byte[] Key100 = SquaringCircuit.Key(100, new ProvingRandom(100), isInputPublic: true);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(61)]
    [InlineData(100)]
    [InlineData(253)]
    public void A_proof_of_a_satisfied_circuit_is_valid_with_and_without_lanes(int squarings)
    {
        var bytes = SquaringCircuit.Key(squarings, new ProvingRandom(squarings), isInputPublic: true);
        var key = new ProvingKey(new MemorySource(bytes));
        var witness = new Witness(new MemorySource(SquaringCircuit.Witness(squarings, 7)));
        foreach (var lanes in (bool[])[true, false])
        {
            var proof = Prover(lanes).Prove(key, witness);
            var publics = Core.Proving.Groth16.Prover.PublicsOf(key, witness);
            Assert.Equal(Verdict.Valid, Verifier.Verify(key.VerificationKey, proof, publics));
            publics[0] ^= UInt256.One;
            Assert.Equal(Verdict.Invalid, Verifier.Verify(key.VerificationKey, proof, publics));
        }
    }

    [Fact]
    public void Two_proofs_of_the_same_differ_and_lanes_make_the_same_one()
    {
        var key = new ProvingKey(new MemorySource(Key100));
        var witness = new Witness(new MemorySource(SquaringCircuit.Witness(100, 3)));
        var prover = new Prover(new CpuProofBackend(), new ProvingRandom(1));
        var proof = prover.Prove(key, witness);
        Assert.NotEqual(proof, prover.Prove(key, witness));
        Assert.Equal(proof, new Prover(new CpuProofBackend(), new ProvingRandom(1)).Prove(key, witness));
        Assert.Equal(proof, new Prover(new CpuProofBackend(false), new ProvingRandom(1)).Prove(key, witness));
    }

    [Fact]
    public void A_witness_that_does_not_satisfy_the_circuit_gives_no_proof()
    {
        var key = new ProvingKey(new MemorySource(Key100));
        var bytes = SquaringCircuit.Witness(100, 3);
        bytes[^32] ^= 1;
        var witness = new Witness(new MemorySource(bytes));
        Assert.Contains("not satisfy", Refusal(() => Prover(true).Prove(key, witness)), StringComparison.Ordinal);
        Assert.Equal(98, new R1cs(new MemorySource(Circuit100)).FindUnsatisfied(witness));
        Assert.Equal(-1, new R1cs(new MemorySource(Circuit100))
            .FindUnsatisfied(new Witness(new MemorySource(SquaringCircuit.Witness(100, 3)))));
    }

    [Fact]
    public void A_witness_of_another_circuit_is_refused()
    {
        var key = new ProvingKey(new MemorySource(Key100));
        var witness = new Witness(new MemorySource(SquaringCircuit.Witness(99, 3)));
        Assert.Contains(
            "not of one circuit", Refusal(() => Prover(true).Prove(key, witness)), StringComparison.Ordinal);
    }

    [Fact]
    public void Cancelling_ends_a_proof()
    {
        var key = new ProvingKey(new MemorySource(Key100));
        var witness = new Witness(new MemorySource(SquaringCircuit.Witness(100, 3)));
        using var source = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => Prover(true).Prove(
            key, witness, (stage, _) => { if (stage == ProofStage.Quotient) { source.Cancel(); } }, source.Token));
    }

    [Fact]
    public void Progress_goes_through_all_stages_in_order()
    {
        var key = new ProvingKey(new MemorySource(Key100));
        var witness = new Witness(new MemorySource(SquaringCircuit.Witness(100, 3)));
        var stages = new List<ProofStage>();
        Prover(true).Prove(key, witness, (stage, part) =>
        {
            Assert.InRange(part, 0, 1);
            lock (stages)
            {
                stages.Add(stage);
            }
        });
        Assert.Equal(Enum.GetValues<ProofStage>(), stages.Distinct());
        Assert.Equal(stages.Order(), stages);
    }

    [Fact]
    public void A_batch_is_valid_only_if_every_proof_is()
    {
        var key = new ProvingKey(new MemorySource(Key100));
        var proofs = new List<Proof>();
        var publics = new List<UInt256[]>();
        for (ulong x = 2; x < 6; x++)
        {
            var witness = new Witness(new MemorySource(SquaringCircuit.Witness(100, x)));
            proofs.Add(Prover(true).Prove(key, witness));
            publics.Add(Core.Proving.Groth16.Prover.PublicsOf(key, witness));
        }

        Assert.Equal(Verdict.Valid, Batch());
        (publics[1], publics[2]) = (publics[2], publics[1]);
        Assert.Equal(Verdict.Invalid, Batch());
        (publics[1], publics[2]) = (publics[2], publics[1]);
        proofs[3] = proofs[3] with { C = -proofs[3].C };
        Assert.Equal(Verdict.Invalid, Batch());

        Verdict Batch() => Verifier.VerifyBatch(key.VerificationKey, proofs, publics, new ProvingRandom(8));
    }

    [Fact]
    public void Public_values_in_another_number_or_not_below_the_modulus_are_refused()
    {
        var key = new ProvingKey(new MemorySource(Key100));
        var witness = new Witness(new MemorySource(SquaringCircuit.Witness(100, 3)));
        var proof = Prover(true).Prove(key, witness);
        var publics = Core.Proving.Groth16.Prover.PublicsOf(key, witness);
        Assert.Equal(Verdict.WrongCount, Verifier.Verify(key.VerificationKey, proof, publics.AsSpan(1)));
        publics[1] += Fr.Modulus;
        Assert.Equal(Verdict.NotBelowModulus, Verifier.Verify(key.VerificationKey, proof, publics));
        publics[1] -= Fr.Modulus;
        var off = proof with { A = new AffinePoint<Fq>(proof.A.X, proof.A.X) };
        Assert.Equal(Verdict.NotInGroup, Verifier.Verify(key.VerificationKey, off, publics));
    }

    [Fact]
    public void A_development_key_says_so_and_its_points_are_sound()
    {
        var key = new ProvingKey(new MemorySource(Key100));
        Assert.Equal(DevelopmentSetup.Note, key.DevelopmentNote);
        KeyCheck.Run(key, new CpuProofBackend(), new ProvingRandom(1));
    }

    [Fact]
    public void A_point_outside_of_the_subgroup_is_found_by_the_long_check()
    {
        var bytes = Key100.ToArray();
        var key = new ProvingKey(new MemorySource(bytes));
        var point = OutsideOfSubgroup();
        var at = bytes.AsSpan().IndexOf(key.B2.Span[256..384]);
        SnarkPoints.Write(point, bytes.AsSpan(at));
        Assert.Contains("outside of the subgroup", Refusal(() => KeyCheck.Run(
            new ProvingKey(new MemorySource(bytes)), new CpuProofBackend(), new ProvingRandom(2))),
            StringComparison.Ordinal);
    }

    internal static AffinePoint<Fq2> OutsideOfSubgroup()
    {
        for (ulong i = 1; ; i++)
        {
            var x = new Fq2(Fq.FromUInt64(i), Fq.One);
            var right = (x * x * x) + G2.CurveB;
            if (TryRoot(right, out var y) && !G2.IsInSubgroup(new AffinePoint<Fq2>(x, y)))
            {
                return new AffinePoint<Fq2>(x, y);
            }
        }
    }

    internal static string Refusal(Action action) => Assert.Throws<ProofException>(action).Message;

    /// <summary>A square root of c0 + c1 u by that of its norm.</summary>
    private static bool TryRoot(in Fq2 value, out Fq2 root)
    {
        root = default;
        if (!Fq.TrySquareRoot((value.C0 * value.C0) + (value.C1 * value.C1), out var norm))
        {
            return false;
        }

        Fq.Invert(Fq.FromUInt64(2), out var half);
        if (!Fq.TrySquareRoot((value.C0 + norm) * half, out var real)
            && !Fq.TrySquareRoot((value.C0 - norm) * half, out real))
        {
            return false;
        }

        Fq.Invert(real + real, out var inverse);
        root = new Fq2(real, value.C1 * inverse);
        return root * root == value;
    }

    private static Prover Prover(bool lanes) => new(new CpuProofBackend(lanes), new ProvingRandom(42));
}
