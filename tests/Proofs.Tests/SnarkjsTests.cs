using SuperVm.Core.Cryptography.Bn254;
using SuperVm.Core.Primitives;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;
using SuperVm.Hosting.Proving;
using SuperVm.Local.Proofs;
using SuperVm.Ports.Tests;

namespace SuperVm.Proofs.Tests;

/// <summary>Proofs of this code and of snarkjs, each judged by the other, over circuits of different shapes.</summary>
[Collection(SnarkjsCollection.Name)]
[NeedsCommand("npm", "Node 20 or newer is not installed: circom and snarkjs run on it")]
public sealed class SnarkjsTests(SnarkjsFixture fixture)
{
    private const int LeastCircuits = 18;

    [PortFact]
    public void Snarkjs_accepts_every_proof_made_here()
    {
        Assert.True(fixture.Circuits.Count >= LeastCircuits);
        Assert.All(fixture.Circuits, circuit => Assert.True(Judged(circuit, "proof"), circuit.Name));
    }

    [PortFact]
    public void Proofs_of_snarkjs_are_accepted_here() => Assert.All(fixture.Circuits, circuit =>
    {
        var (key, proof, publics) = OfSnarkjs(circuit);
        Assert.Equal(Verdict.Valid, Verifier.Verify(key, proof, publics));
        Assert.Equal(circuit.Publics, publics);
    });

    [PortFact]
    public void Snarkjs_proves_with_development_keys() => Assert.All(
        fixture.Circuits.Where(circuit => !circuit.Ceremony),
        circuit => Assert.True(Judged(circuit, "developmentKey"), circuit.Name));

    [PortFact]
    public void Verification_keys_and_calldata_are_those_of_snarkjs() => Assert.All(fixture.Circuits, circuit =>
    {
        Assert.True(Judged(circuit, "ownKey"), circuit.Name);
        Assert.True(Judged(circuit, "calldata"), circuit.Name);
    });

    [PortFact]
    public void The_exported_contract_accepts_proofs_on_our_EVM_and_refuses_tampered_ones() =>
        Assert.All(fixture.Circuits, circuit =>
        {
            var contract = new VerifierContract(circuit.Judgement);
            Assert.True(contract.Accepts(circuit.Proof, circuit.Publics), circuit.Name);
            var (_, proof, publics) = OfSnarkjs(circuit);
            Assert.True(contract.Accepts(proof, publics), circuit.Name);

            Assert.False(contract.Accepts(circuit.Proof with { A = -circuit.Proof.A }, circuit.Publics));
            Assert.False(contract.Accepts(circuit.Proof with { C = G1.Generator }, circuit.Publics));
            Assert.False(contract.Accepts(circuit.Proof with { B = -circuit.Proof.B }, circuit.Publics));
            if (circuit.Publics.Length > 0)
            {
                Assert.False(contract.Accepts(circuit.Proof, Changed(circuit.Publics, value => value ^ 1)));
                Assert.False(contract.Accepts(circuit.Proof, Changed(circuit.Publics, value => value + Fr.Modulus)));
            }
        });

    [PortFact]
    public void Tampered_proofs_publics_and_keys_are_refused_here() => Assert.All(fixture.Circuits, circuit =>
    {
        var (key, proof, publics) = OfSnarkjs(circuit);
        Assert.Equal(Verdict.Invalid, Verifier.Verify(key, proof with { A = -proof.A }, publics));
        Assert.Equal(Verdict.Invalid, Verifier.Verify(key, proof with { B = G2.Generator }, publics));
        Assert.Equal(Verdict.Invalid, Verifier.Verify(key, proof with { C = -proof.C }, publics));
        var other = new VerificationKey(-key.Alpha1, key.Beta2, key.Gamma2, key.Delta2, key.Ic);
        Assert.Equal(Verdict.Invalid, Verifier.Verify(other, proof, publics));
        if (publics.Length > 0)
        {
            Assert.Equal(Verdict.Invalid, Verifier.Verify(key, proof, Changed(publics, value => value ^ 1)));
        }
    });

    [PortFact]
    public void Keys_of_a_ceremony_pass_the_long_check() => Assert.All(
        fixture.Circuits.Where(circuit => circuit.Ceremony), circuit =>
        {
            using var file = MappedFile.Open(fixture.FileOf($"{circuit.Name}.zkey"));
            KeyCheck.Run(new ProvingKey(file), new CpuProofBackend(), new SystemRandomSource());
        });

    [PortFact]
    public void Witnesses_of_circom_satisfy_the_circuits_as_read_here() => Assert.All(fixture.Circuits, circuit =>
    {
        using var r1cs = MappedFile.Open(fixture.FileOf($"{circuit.Name}.r1cs"));
        using var witness = MappedFile.Open(fixture.FileOf($"{circuit.Name}.wtns"));
        var read = new R1cs(r1cs);
        Assert.Equal(circuit.Constraints, read.Constraints);
        Assert.Equal(-1, read.FindUnsatisfied(new Witness(witness)));
    });

    [PortFact]
    public void A_key_of_one_circuit_refuses_the_witness_of_another()
    {
        using var key = MappedFile.Open(fixture.FileOf("cipher.zkey"));
        using var witness = MappedFile.Open(fixture.FileOf("matrices.wtns"));
        Assert.Throws<ProofException>(() => new Prover(new CpuProofBackend(), new SystemRandomSource())
            .Prove(new ProvingKey(key), new Witness(witness)));
    }

    private static bool Judged(CheckedCircuit circuit, string what) =>
        circuit.Judgement.GetProperty(what).GetBoolean();

    private static UInt256[] Changed(UInt256[] publics, Func<UInt256, UInt256> change) =>
        [change(publics[0]), .. publics[1..]];

    private (VerificationKey Key, Proof Proof, UInt256[] Publics) OfSnarkjs(CheckedCircuit circuit)
    {
        ReadOnlyMemory<byte> File(string name) => System.IO.File.ReadAllBytes(fixture.FileOf(name));
        return (
            SnarkJson.ReadVerificationKey(
                File(circuit.Name + (circuit.Ceremony ? ".vkey.json" : ".own.vkey.json"))),
            SnarkJson.ReadProof(File($"{circuit.Name}.snarkjs.proof.json")),
            SnarkJson.ReadPublics(File($"{circuit.Name}.snarkjs.public.json")));
    }
}
