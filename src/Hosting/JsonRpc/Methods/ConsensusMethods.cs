using System.Text.Json;
using SuperVm.Core.Consensus;
using SuperVm.Core.Encoding;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>supervm_*: who decides, and the proof that a block is final.</summary>
internal sealed class ConsensusMethods(IFinalityProofs consensus, IChain chain) : IRpcModule
{
    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("supervm_getValidators", Validators),
        ("supervm_getCertificate", Certificate),
        ("supervm_peers", Peers),
    ];

    /// <summary>
    /// An epoch's number, blocks and validators in the order of their indexes, and the proof by which the epoch before
    /// named them (<see cref="EpochProof"/> as RLP; null for epoch 0). The newest where no number is given; null above.
    /// </summary>
    private RpcError? Validators(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.OptionalQuantity64(out var number) || !parameters.End())
        {
            return parameters.Error;
        }

        if (consensus.Newest is not { } newest)
        {
            return RpcError.Server("consensus has not begun");
        }

        var json = reply.Json;
        var wanted = number ?? newest.Number;
        var proof = wanted == 0 ? null : consensus.Step(wanted * consensus.Parameters.EpochLength);
        if (wanted > newest.Number || (wanted > 0 && proof is null))
        {
            json.WriteNullValue();
            return null;
        }

        // Kind and length are the chain's; the rest of an epoch follows from the step to it.
        var length = consensus.Parameters.EpochLength;
        var validators = wanted == newest.Number ? newest.Validators
            : wanted == 0 ? consensus.Genesis.Validators : proof!.Validators;
        json.WriteStartObject();
        json.WriteQuantity("epoch"u8, wanted);
        json.WriteQuantity("firstBlock"u8, (wanted * length) + 1);
        json.WriteQuantity("lastBlock"u8, length == 0 ? ulong.MaxValue : (wanted + 1) * length);
        json.WriteString("kind"u8, consensus.Parameters.Kind.ToString());
        json.WriteQuantity("totalPower"u8, validators.TotalPower);
        json.WriteHash("setHash"u8, validators.Hash);
        json.WriteStartArray("validators"u8);
        foreach (var (address, power) in validators.Validators)
        {
            json.WriteStartObject();
            json.WriteAddress("address"u8, address);
            json.WriteQuantity("power"u8, power);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        WriteRaw(json, "proof"u8, proof is null ? null : proof.Write);
        json.WriteEndObject();
        return null;
    }

    /// <summary>
    /// A final block as RLP with the proofs that it is: the batch's commit certificate and a quorum's attestation. Null
    /// where the block is not final; its attestation is null where only a later block's vouches for it.
    /// </summary>
    private RpcError? Certificate(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Quantity64(out var number) || !parameters.End())
        {
            return parameters.Error;
        }

        var json = reply.Json;
        if (number == 0 || number > chain.FinalizedNumber || chain.GetBlock(number) is not { } block)
        {
            json.WriteNullValue();
            return null;
        }

        var length = consensus.Parameters.EpochLength;
        var attestation = consensus.Attestation(number);
        var commit = consensus.Commit(number);
        json.WriteStartObject();
        json.WriteQuantity("number"u8, number);
        json.WriteQuantity("chainId"u8, consensus.Parameters.ChainId);
        json.WriteQuantity("epoch"u8, length == 0 ? 0 : (number - 1) / length);
        json.WriteHash("blockHash"u8, block.Hash);
        json.WriteHex("batchDigest"u8, block.Header.ExtraData.Span);
        json.WriteHex("block"u8, BlockCodec.Encode(block.Block));
        if (attestation is not null)
        {
            json.WriteHash("nextSet"u8, attestation.Statement.NextSet);
            WriteShares(json, attestation.Shares);
        }

        WriteRaw(json, "raw"u8, attestation is null ? null : attestation.Write);
        WriteRaw(json, "commit"u8, commit is null ? null : commit.Write);
        json.WriteEndObject();
        return null;
    }

    private static void WriteShares(Utf8JsonWriter json, IReadOnlyList<SignatureShare> shares)
    {
        json.WriteStartArray("signatures"u8);
        foreach (var (validator, signature) in shares)
        {
            json.WriteStartObject();
            json.WriteQuantity("validator"u8, (ulong)validator);
            json.WriteHex("signature"u8, signature);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteRaw(Utf8JsonWriter json, ReadOnlySpan<byte> name, Action<RlpWriter>? write)
    {
        if (write is null)
        {
            json.WriteNull(name);
            return;
        }

        var writer = new RlpWriter(1024);
        write(writer);
        json.WriteHex(name, writer.Written);
    }

    /// <summary>Every other validator as this one sees it: health, round trip, traffic, penalty points.</summary>
    private RpcError? Peers(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.End())
        {
            return parameters.Error;
        }

        var json = reply.Json;
        json.WriteStartArray();
        foreach (var peer in consensus.Peers)
        {
            json.WriteStartObject();
            json.WriteAddress("address"u8, peer.Address);
            json.WriteString("url"u8, peer.Url.ToString());
            json.WriteBoolean("reached"u8, peer.IsReached);
            json.WriteBoolean("heard"u8, peer.IsHeard);
            if (peer.RoundTripMs is { } milliseconds)
            {
                json.WriteNumber("roundTripMs"u8, Math.Round(milliseconds, 3));
            }

            json.WriteNumber("reconnects"u8, peer.Reconnects);
            json.WriteNumber("waiting"u8, peer.Waiting);
            json.WriteNumber("unsent"u8, peer.Unsent);
            WriteTraffic(json, "sent"u8, peer.Sent);
            WriteTraffic(json, "received"u8, peer.Received);
            json.WriteNumber("score"u8, peer.Score);
            json.WriteBoolean("muted"u8, peer.IsMuted);
            json.WriteStartObject("dropped"u8);
            for (var reason = 0; reason < peer.Dropped.Count; reason++)
            {
                if (peer.Dropped[reason] > 0)
                {
                    json.WriteNumber(PeerMetrics.NameOf((DropReason)reason), peer.Dropped[reason]);
                }
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        return null;
    }

    private static void WriteTraffic(Utf8JsonWriter json, ReadOnlySpan<byte> name, in PeerTraffic traffic)
    {
        json.WriteStartObject(name);
        json.WriteNumber("messages"u8, traffic.Messages);
        json.WriteNumber("frames"u8, traffic.Frames);
        json.WriteNumber("messageBytes"u8, traffic.MessageBytes);
        json.WriteNumber("frameBytes"u8, traffic.FrameBytes);
        json.WriteEndObject();
    }
}
