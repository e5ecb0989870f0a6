using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Sending in the name of accounts whose keys a development node does not have, contracts too.</summary>
internal sealed class ImpersonationMethods(Node node) : IRpcModule
{
    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("anvil_impersonateAccount", Begin),
        ("hardhat_impersonateAccount", Begin),
        ("anvil_stopImpersonatingAccount", End),
        ("hardhat_stopImpersonatingAccount", End),
        ("anvil_autoImpersonateAccount", SetEverybody),
    ];

    private RpcError? Begin(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Address(out var account) || !parameters.End())
        {
            return parameters.Error;
        }

        if (!node.Impersonations.Add(account))
        {
            return RpcError.Server("too many accounts are impersonated");
        }

        reply.Json.WriteBooleanValue(true);
        return null;
    }

    private RpcError? End(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Address(out var account) || !parameters.End())
        {
            return parameters.Error;
        }

        reply.Json.WriteBooleanValue(node.Impersonations.Remove(account));
        return null;
    }

    private RpcError? SetEverybody(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Flag(out var isOn) || !parameters.End())
        {
            return parameters.Error;
        }

        node.Impersonations.IsEverybody = isOn;
        reply.Json.WriteNullValue();
        return null;
    }
}
