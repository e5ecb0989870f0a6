using System.Buffers.Binary;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>eth_config (EIP-7910) and eth_capabilities: what the node is set up for and what it can answer.</summary>
internal sealed class ConfigMethods(Node node) : IRpcModule
{
    private static readonly (ulong Number, string Name)[] Precompiles =
    [
        (0x01, "ECREC"), (0x02, "SHA256"), (0x03, "RIPEMD160"), (0x04, "ID"), (0x05, "MODEXP"), (0x06, "BN254_ADD"),
        (0x07, "BN254_MUL"), (0x08, "BN254_PAIRING"), (0x09, "BLAKE2F"), (0x0A, "KZG_POINT_EVALUATION"),
        (0x0B, "BLS12_G1ADD"), (0x0C, "BLS12_G1MSM"), (0x0D, "BLS12_G2ADD"), (0x0E, "BLS12_G2MSM"),
        (0x0F, "BLS12_PAIRING_CHECK"), (0x10, "BLS12_MAP_FP_TO_G1"), (0x11, "BLS12_MAP_FP2_TO_G2"),
        (0x100, "P256VERIFY"),
    ];

    private readonly IChain _chain = node.Chain;
    private readonly ChainSpec _spec = node.Spec;

    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
        [("eth_config", GetConfig), ("eth_capabilities", GetCapabilities)];

    private RpcError? GetConfig(ref RpcParams parameters, RpcReply reply)
    {
        var now = _chain.Head.Header.Timestamp;
        var times = _spec.Forks.Where(fork => fork.Fork > Fork.Paris).Select(fork => fork.At).Distinct().Order()
            .ToList();
        reply.Json.WriteStartObject();
        Write(reply, "current", times.Where(at => at <= now).Cast<ulong?>().LastOrDefault());
        Write(reply, "next", times.Where(at => at > now).Cast<ulong?>().FirstOrDefault());
        Write(reply, "last", times.Where(at => at > now).Cast<ulong?>().LastOrDefault());
        reply.Json.WriteEndObject();
        return parameters.End() ? null : parameters.Error;
    }

    /// <summary>The fork that begins at the time; null where there is none.</summary>
    private void Write(RpcReply reply, string name, ulong? activation)
    {
        if (activation is not { } at)
        {
            reply.Json.WriteNull(name);
            return;
        }

        var rules = _spec.RulesAt(ulong.MaxValue, at, UInt256.MaxValue);
        reply.Json.WriteStartObject(name);
        reply.Json.WriteNumber("activationTime"u8, at);
        if (rules.Blobs is { } blobs)
        {
            reply.Json.WriteStartObject("blobSchedule"u8);
            reply.Json.WriteNumber("target"u8, blobs.Target);
            reply.Json.WriteNumber("max"u8, blobs.Max);
            reply.Json.WriteNumber("baseFeeUpdateFraction"u8, blobs.BaseFeeUpdateFraction);
            reply.Json.WriteEndObject();
        }
        else
        {
            reply.Json.WriteNull("blobSchedule"u8);
        }

        reply.Json.WriteQuantity("chainId"u8, _chain.ChainId);
        Span<byte> id = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(id, ForkId(at));
        reply.Json.WriteHex("forkId"u8, id);
        reply.Json.WriteStartObject("precompiles"u8);
        foreach (var (number, precompile) in Precompiles.OrderBy(entry => entry.Name, StringComparer.Ordinal))
        {
            var address = Address.FromNumber(number);
            if (rules.IsPrecompile(address))
            {
                reply.Json.WriteAddress(System.Text.Encoding.ASCII.GetBytes(precompile), address);
            }
        }

        reply.Json.WriteEndObject();
        WriteSystemContracts(reply, rules);
        reply.Json.WriteEndObject();
    }

    private void WriteSystemContracts(RpcReply reply, ForkRules rules)
    {
        reply.Json.WriteStartObject("systemContracts"u8);
        if (rules.Eip4788)
        {
            reply.Json.WriteAddress(
                "BEACON_ROOTS_ADDRESS"u8, Address.Parse("0x000f3df6d732807ef1319fb7b8bb8522d0beac02"));
        }

        if (rules.Eip7685)
        {
            reply.Json.WriteAddress(
                "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS"u8,
                Address.Parse("0x0000bbddc7ce488642fb579f8b00f3a590007251"));
            reply.Json.WriteAddress("DEPOSIT_CONTRACT_ADDRESS"u8, _spec.DepositContract);
            reply.Json.WriteAddress(
                "HISTORY_STORAGE_ADDRESS"u8, Address.Parse("0x0000f90827f1c53a10cb7a02335b175320002935"));
            reply.Json.WriteAddress(
                "WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS"u8,
                Address.Parse("0x00000961ef480eb55e80d19ad83579a64c007002"));
        }

        reply.Json.WriteEndObject();
    }

    /// <summary>
    /// The CRC-32 of the genesis hash and all activations up to the time, blocks before times (EIP-2124, EIP-6122).
    /// </summary>
    private uint ForkId(ulong time)
    {
        var byBlock = _spec.Forks.Where(fork => fork.Fork < Fork.Paris).Select(fork => fork.At);
        if (_spec.MergeBlock is { } merge)
        {
            byBlock = byBlock.Append(merge);
        }

        if (_spec.DaoForkBlock is { } dao)
        {
            byBlock = byBlock.Append(dao);
        }

        var byTime = _spec.Forks.Where(fork => fork.Fork > Fork.Paris).Select(fork => fork.At)
            .Where(at => at > _chain.Genesis.Header.Timestamp && at <= time);
        var crc = Crc32(uint.MaxValue, _chain.Genesis.Hash.Bytes);
        Span<byte> bytes = stackalloc byte[8];
        foreach (var at in byBlock.Where(at => at > 0).Distinct().Order().Concat(byTime.Distinct().Order()))
        {
            BinaryPrimitives.WriteUInt64BigEndian(bytes, at);
            crc = Crc32(crc, bytes);
        }

        return ~crc;
    }

    /// <summary>The checksum of IEEE 802.3, bit by bit: it is asked for rarely.</summary>
    private static uint Crc32(uint crc, ReadOnlySpan<byte> bytes)
    {
        const uint Polynomial = 0xEDB88320;
        foreach (var value in bytes)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ (Polynomial & (uint)-(int)(crc & 1));
            }
        }

        return crc;
    }

    private RpcError? GetCapabilities(ref RpcParams parameters, RpcReply reply)
    {
        var head = _chain.Head;
        var kept = head.Number - Math.Min(head.Number, _chain.OldestStateNumber) + 1;
        var json = reply.Json;
        json.WriteStartObject();
        json.WriteStartObject("head"u8);
        json.WriteQuantity("number"u8, head.Number);
        json.WriteHash("hash"u8, head.Hash);
        json.WriteEndObject();
        foreach (var resource in (ReadOnlySpan<string>)["state", "tx", "logs", "receipts", "blocks", "stateproofs"])
        {
            var isState = resource.StartsWith("state", StringComparison.Ordinal);
            json.WriteStartObject(resource);
            json.WriteBoolean("disabled"u8, false);
            json.WriteQuantity("oldestBlock"u8, isState ? _chain.OldestStateNumber : 0);
            if (isState && _chain.OldestStateNumber > 0)
            {
                json.WriteStartObject("deleteStrategy"u8);
                json.WriteString("type"u8, "window"u8);
                json.WriteQuantity("retentionBlocks"u8, kept);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
        return parameters.End() ? null : parameters.Error;
    }
}
