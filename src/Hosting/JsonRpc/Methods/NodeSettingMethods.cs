using System.Security.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>What a development node says of itself, and what of it can be set while it runs.</summary>
internal sealed class NodeSettingMethods(Node node) : IRpcModule
{
    /// <summary>Tells one run of the node from another.</summary>
    private readonly Hash256 _instance = new(RandomNumberGenerator.GetBytes(Hash256.Size));

    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("anvil_metadata", GetMetadata),
        ("hardhat_metadata", GetMetadata),
        ("anvil_getIntervalMining", GetInterval),
        ("hardhat_setPrevRandao", SetRandao),
        ("anvil_setLoggingEnabled", SetLogging),
        ("hardhat_setLoggingEnabled", SetLogging),
        ("anvil_dropAllTransactions", DropAllTransactions),
    ];

    private RpcError? GetMetadata(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.End())
        {
            return parameters.Error;
        }

        var head = node.Chain.Head;
        reply.Json.WriteStartObject();
        reply.Json.WriteString("clientVersion"u8, Web3Methods.ClientVersion);
        reply.Json.WriteNumber("chainId"u8, node.Chain.ChainId);
        reply.Json.WriteHex("instanceId"u8, _instance.Bytes);
        reply.Json.WriteNumber("latestBlockNumber"u8, head.Number);
        reply.Json.WriteHex("latestBlockHash"u8, head.Hash.Bytes);
        reply.Json.WriteEndObject();
        return null;
    }

    /// <summary>Seconds; null where blocks are made as transactions come.</summary>
    private RpcError? GetInterval(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.End())
        {
            return parameters.Error;
        }

        if (node.Producer.Interval is { } interval)
        {
            reply.Json.WriteNumberValue((decimal)interval.TotalSeconds);
        }
        else
        {
            reply.Json.WriteNullValue();
        }

        return null;
    }

    private RpcError? SetRandao(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Hash(out var value) || !parameters.End())
        {
            return parameters.Error;
        }

        node.Producer.SetNextRandao(value);
        reply.Json.WriteBooleanValue(true);
        return null;
    }

    private RpcError? SetLogging(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Flag(out var isOn) || !parameters.End())
        {
            return parameters.Error;
        }

        node.Producer.IsQuiet = !isOn;
        reply.Json.WriteBooleanValue(true);
        return null;
    }

    private RpcError? DropAllTransactions(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.End())
        {
            return parameters.Error;
        }

        node.Pool.Clear("dropped on request");
        node.Journal?.Forget();
        reply.Json.WriteNullValue();
        return null;
    }
}
