using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;
using SuperVm.Core.Tests.Proving;

namespace SuperVm.Gpu.Tests;

[Collection(DeviceCollection.Name)]
public sealed class ProofTests(DeviceFixture device)
{
    private const int Constraints = 300;

    [DeviceFact]
    public void The_quotient_equals_that_of_the_processor()
    {
        foreach (var logSize in new[] { 1, 5, 11 })
        {
            var a = Numbers.Scalars(new Random(logSize), 1 << logSize);
            var b = Numbers.Scalars(new Random(logSize + 100), 1 << logSize);
            var (expected, found) = (new byte[a.Length * 32], new byte[a.Length * 32]);
            Assert.Null(device.Accelerator.Quotient(a, b, found));
            new CpuProofBackend().Quotient(a, b, expected);
            Assert.Equal(expected, found);
        }
    }

    [DeviceFact]
    public void A_proof_made_on_the_device_verifies_and_none_of_it_falls_back()
    {
        var lines = new List<string>();
        var backend = new GpuProofBackend(device.Accelerator, new CpuProofBackend(), lines.Add);
        Prove(backend, 7);
        Assert.Empty(lines);
        Assert.Equal((6, 0), (backend.Done, backend.FellBack));
    }

    [DeviceFact]
    public void What_does_not_fit_into_the_device_is_done_by_the_processor_and_said()
    {
        Assert.True(GpuAccelerator.TryOpen(
            device.Accelerator.Device, new GpuOptions { MostMemoryBytes = 50_000 }, out var small, out _));
        using (small)
        {
            var lines = new List<string>();
            var backend = new GpuProofBackend(small!, new CpuProofBackend(), lines.Add);
            Prove(backend, 8);
            Assert.NotEmpty(lines);
            Assert.All(lines, line => Assert.Contains("OutOfMemory", line, StringComparison.Ordinal));
            Assert.Equal(lines.Count, backend.FellBack);
        }
    }

    [DeviceFact]
    public void A_key_with_a_point_off_the_curve_is_refused_with_its_section()
    {
        var bytes = SquaringCircuit.Key(Constraints, new ProvingRandom(0));
        using var good = new MemorySource(bytes.ToArray());
        var section = new ProvingKey(good).A.ToArray();
        bytes[bytes.AsSpan().IndexOf(section.AsSpan(128, 64))] ^= 1;
        var wrong = Assert.Throws<ProofException>(() => Prove(
            new GpuProofBackend(device.Accelerator, new CpuProofBackend(), _ => { }), 7, bytes));
        Assert.Contains("section 5", wrong.Message, StringComparison.Ordinal);
    }

    private static void Prove(IProofBackend backend, ulong number, byte[]? keyBytes = null)
    {
        using var keySource = new MemorySource(keyBytes ?? SquaringCircuit.Key(Constraints, new ProvingRandom(0)));
        using var witnessSource = new MemorySource(SquaringCircuit.Witness(Constraints, number));
        var (key, witness) = (new ProvingKey(keySource), new Witness(witnessSource));
        var proof = new Prover(backend, new ProvingRandom(1)).Prove(key, witness);
        Assert.Equal(
            Verdict.Valid, Verifier.Verify(key.VerificationKey, proof, Prover.PublicsOf(key, witness)));
    }
}
