using System.Text.Json;
using SuperVm.Core.Consensus;
using SuperVm.Core.Encoding;
using SuperVm.Hosting.Consensus;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>supervm_*: who decides, and the proof that a block is final.</summary>
internal sealed class ConsensusMethods(ConsensusView consensus) : IRpcModule
{
    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("supervm_getValidators", Validators),
        ("supervm_getCertificate", Certificate),
        ("supervm_peers", Peers),
    ];

    /// <summary>The newest epoch's number, first block and validators in the order of their indexes.</summary>
    private RpcError? Validators(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.End())
        {
            return parameters.Error;
        }

        if (consensus.Epoch is not { } epoch)
        {
            return RpcError.Server("consensus has not begun");
        }

        var json = reply.Json;
        json.WriteStartObject();
        json.WriteQuantity("epoch"u8, epoch.Number);
        json.WriteQuantity("firstBlock"u8, epoch.First);
        json.WriteQuantity("totalPower"u8, epoch.Validators.TotalPower);
        json.WriteHash("setHash"u8, epoch.Validators.Hash);
        json.WriteStartArray("validators"u8);
        foreach (var (address, power) in epoch.Validators.Validators)
        {
            json.WriteStartObject();
            json.WriteAddress("address"u8, address);
            json.WriteQuantity("power"u8, power);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        return null;
    }

    /// <summary>A quorum's attestation of a block; null where it is not final, or only by a later block's.</summary>
    private RpcError? Certificate(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Quantity64(out var number) || !parameters.End())
        {
            return parameters.Error;
        }

        var json = reply.Json;
        if (consensus.Archive.Attestation(number) is not { } certificate)
        {
            json.WriteNullValue();
            return null;
        }

        json.WriteStartObject();
        json.WriteQuantity("number"u8, certificate.Statement.Sequence);
        json.WriteHash("blockHash"u8, certificate.Statement.BlockHash);
        json.WriteHash("batchDigest"u8, certificate.Statement.BatchDigest);
        json.WriteQuantity("chainId"u8, consensus.ChainId);
        json.WriteStartArray("signatures"u8);
        foreach (var (validator, signature) in certificate.Shares)
        {
            json.WriteStartObject();
            json.WriteQuantity("validator"u8, (ulong)validator);
            json.WriteHex("signature"u8, signature);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        var writer = new RlpWriter(1024);
        certificate.Write(writer);
        json.WriteHex("raw"u8, writer.Written);
        json.WriteEndObject();
        return null;
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
        foreach (var peer in consensus.Peers())
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
