using SuperVm.Core.Cryptography;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>web3_*, net_* and what describes the node.</summary>
internal sealed class Web3Methods(Node node) : IRpcModule
{
    /// <summary>The name in the form clients take apart: name/version/system/runtime.</summary>
    internal static string ClientVersion { get; } =
        $"SuperVM/v{typeof(Web3Methods).Assembly.GetName().Version?.ToString(3)}/linux/dotnet{Environment.Version}";

    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("web3_clientVersion", GetClientVersion),
        ("web3_sha3", Sha3),
        ("net_version", NetVersion),
        ("net_listening", Listening),
        ("net_peerCount", PeerCount),
        ("rpc_modules", Modules),
    ];

    private static RpcError? GetClientVersion(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.End())
        {
            return parameters.Error;
        }

        reply.Json.WriteStringValue(ClientVersion);
        return null;
    }

    private static RpcError? Sha3(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Data(out var data) || !parameters.End())
        {
            return parameters.Error;
        }

        reply.Json.WriteHexValue(Keccak256.Hash(data).Bytes);
        return null;
    }

    private RpcError? NetVersion(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.End())
        {
            return parameters.Error;
        }

        reply.Json.WriteStringValue(node.Chain.ChainId.ToString(System.Globalization.CultureInfo.InvariantCulture));
        return null;
    }

    private static RpcError? Listening(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteBooleanValue(true);
        return parameters.End() ? null : parameters.Error;
    }

    private static RpcError? PeerCount(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteQuantityValue(0UL);
        return parameters.End() ? null : parameters.Error;
    }

    private static RpcError? Modules(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteStartObject();
        foreach (var name in (ReadOnlySpan<string>)["eth", "net", "web3", "txpool", "evm", "anvil", "hardhat"])
        {
            reply.Json.WriteString(name, "1.0");
        }

        reply.Json.WriteEndObject();
        return parameters.End() ? null : parameters.Error;
    }
}
