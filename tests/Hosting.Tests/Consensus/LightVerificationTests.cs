using System.Text.Json;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Encoding;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc;

namespace SuperVm.Hosting.Tests.Consensus;

public sealed class LightVerificationTests
{
    private static readonly RegistryParameters Short = new() { EpochLength = 4, UnbondingSeconds = 0 };

    [Fact]
    public async Task Who_knows_the_genesis_checks_blocks_over_epochs_and_sees_what_is_tampered_with()
    {
        await using var cluster = await ValidatorCluster.StartAsync(4, Short);
        await cluster.IncludedAsync(cluster.Send(
            ValidatorCluster.KeyOf(3), ValidatorRegistry.Address, RegistryCalls.Resign(ValidatorCluster.AddressOf(3))));
        await cluster.AdvanceToAsync(10);
        var rpc = RpcServices.DispatcherOf(cluster.Nodes[0].Node, new RpcLimits());
        var steps = Enumerable.Range(1, 2).Select(epoch => Bytes(
            Call(rpc, "supervm_getValidators", epoch), "proof")!).ToList();
        var blocks = Enumerable.Range(1, 10).Select(number => ProofOf(
            Call(rpc, "supervm_getCertificate", number))).ToList();
        Assert.Equal(3, Call(rpc, "supervm_getValidators", 1).GetProperty("validators").GetArrayLength());
        Assert.Equal(4, Call(rpc, "supervm_getValidators", 0).GetProperty("validators").GetArrayLength());
        Assert.Equal(JsonValueKind.Null, Call(rpc, "supervm_getValidators", 1000).ValueKind);
        Assert.Equal(JsonValueKind.Null, Call(rpc, "supervm_getCertificate", 1000).ValueKind);

        // All of them, one after another.
        var verifier = Verifier();
        for (var number = 1; number <= 10; number++)
        {
            if (verifier.EpochOf((ulong)number) > verifier.Epoch.Number)
            {
                Assert.Null(verifier.TakeEpoch(steps[(int)verifier.Epoch.Number]));
            }

            var answer = verifier.Take(blocks[number - 1]);
            Assert.Null(answer.Error);
            Assert.Equal(cluster.Chain.GetHeader((ulong)number)!.Hash, answer.Header!.Hash);
        }

        // One alone; and without its own attestation, vouched for by the next.
        Assert.True(At(2, steps).Take(blocks[8]).Holds);
        var later = At(2, steps);
        Assert.True(later.Take(blocks[8] with { Attestation = null }).Holds);
        Assert.False(later.IsComplete);
        Assert.True(later.Take(blocks[9]).Holds);
        Assert.True(later.IsComplete);

        Tampered(blocks, steps);
        Steps(steps);
    }

    private static void Tampered(List<BlockProof> blocks, List<byte[]> steps)
    {
        var block = BlockCodec.Decode(blocks[8].Block).Value!;
        var richer = BlockCodec.Encode(block with { Header = block.Header with { GasUsed = 1 } });
        Refuses("the attestation is of block", At(2, steps), blocks[8] with { Block = richer });
        var emptied = BlockCodec.Encode(block with { Transactions = [] });
        Refuses("its transactions are not", At(2, steps), blocks[8] with { Block = emptied });
        Refuses("the block is malformed", At(2, steps), blocks[8] with { Block = blocks[8].Block[..^1] });
        Refuses("malformed", At(2, steps), blocks[8] with { Attestation = blocks[8].Attestation![..^1] });
        Refuses("the attestation is of block 10", At(2, steps), blocks[8] with { Attestation = blocks[9].Attestation });
        Refuses("of another batch", At(2, steps), blocks[8] with { Commit = blocks[9].Commit });
        Refuses("whose validators are not known", At(0, steps), blocks[8]);
        var unlinked = At(2, steps);
        Assert.True(unlinked.Take(blocks[8]).Holds);
        Refuses("does not follow", unlinked, blocks[8]);

        var reader = new RlpReader(blocks[8].Attestation);
        var certificate = CheckpointCertificate.Read(ref reader);
        Refuses("not signed by a quorum", At(2, steps), blocks[8] with
        {
            Attestation = Written(certificate with { Shares = [.. certificate.Shares.Take(2)] }),
        });
        var forged = certificate.Shares[0] with { Signature = certificate.Shares[1].Signature };
        Refuses("not signed by a quorum", At(2, steps), blocks[8] with
        {
            Attestation = Written(certificate with { Shares = [forged, .. certificate.Shares.Skip(1)] }),
        });
        var renamed = certificate with
        {
            Statement = certificate.Statement with { NextSet = certificate.Statement.BlockHash },
        };
        Refuses("names a next set", At(2, steps), blocks[8] with { Attestation = Written(renamed) });
    }

    private static void Steps(List<byte[]> steps)
    {
        Assert.Contains("malformed", Verifier().TakeEpoch(steps[0][..^1]));
        Assert.Contains("epoch 0 ends at block 4", Verifier().TakeEpoch(steps[1]));
        var reader = new RlpReader(steps[0]);
        var step = EpochProof.Read(ref reader);
        var stolen = new ValidatorSet([.. step.Validators.Validators.Select(one => one with { Power = 1 })]);
        Assert.Contains("not the one that epoch 0 attested", Verifier().TakeEpoch(
            Written(step with { Validators = stolen })));
        var moved = step.Border with { Statement = step.Border.Statement with { NextSet = stolen.Hash } };
        Assert.Contains("no quorum of epoch 0", Verifier().TakeEpoch(
            Written(new EpochProof(moved, stolen))));
    }

    private static LightVerifier Verifier() =>
        LightVerifier.Of(ValidatorCluster.Genesis(Short), null, new Secp256k1Verifier());

    private static LightVerifier At(int epoch, List<byte[]> steps)
    {
        var verifier = Verifier();
        foreach (var step in steps.Take(epoch))
        {
            Assert.Null(verifier.TakeEpoch(step));
        }

        return verifier;
    }

    private static void Refuses(string reason, LightVerifier verifier, BlockProof proof) =>
        Assert.Contains(reason, verifier.Take(proof).Error);

    private static byte[] Written(CheckpointCertificate certificate)
    {
        var writer = new RlpWriter(512);
        certificate.Write(writer);
        return writer.ToArray();
    }

    private static byte[] Written(EpochProof proof)
    {
        var writer = new RlpWriter(512);
        proof.Write(writer);
        return writer.ToArray();
    }

    private static JsonElement Call(RpcDispatcher rpc, string method, int number)
    {
        var body = $$"""{"jsonrpc":"2.0","id":1,"method":"{{method}}","params":["0x{{number:x}}"]}""";
        using var answer = rpc.Answer(System.Text.Encoding.UTF8.GetBytes(body));
        return JsonDocument.Parse(answer.Bytes.ToArray()).RootElement.GetProperty("result");
    }

    private static BlockProof ProofOf(JsonElement answer) =>
        new(Bytes(answer, "block")!, Bytes(answer, "raw"), Bytes(answer, "commit"));

    private static byte[]? Bytes(JsonElement answer, string name) =>
        answer.GetProperty(name).GetString() is { } text && Hex.TryDecode(text, out var bytes) ? bytes : null;
}
