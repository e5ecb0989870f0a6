using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>A node's JSON-RPC without a network: for tools that compare answers.</summary>
public sealed class LocalRpc(Node node, RpcLimits? limits = null)
{
    private readonly RpcDispatcher _dispatcher = RpcServices.DispatcherOf(node, limits ?? new RpcLimits());

    /// <summary>The answer to a body; empty where none is due.</summary>
    public byte[] Answer(ReadOnlySpan<byte> body)
    {
        using var answer = _dispatcher.Answer(body);
        return answer.Bytes.ToArray();
    }
}
