using SuperVm.Hosting.JsonRpc.Methods;
using SuperVm.Hosting.JsonRpc.Subscriptions;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>Puts the families of methods together.</summary>
internal static class RpcServices
{
    internal static RpcDispatcher DispatcherOf(Node node, RpcLimits limits, Security.RpcGate? gate = null)
    {
        var blocks = new BlockResolver(node);
        var calls = new CallMethods(node, blocks);
        var sends = new SendMethods(node, blocks, calls);
        var logs = new LogMethods(node, blocks);
        IFilterTable filters = node.Options.SharedFilters is { } shared
            ? new SharedFilterTable(node, shared, limits)
            : new FilterTable(node, limits, node.WallClock);
        var modules = new List<IRpcModule>
        {
            new Web3Methods(node),
            new ChainMethods(node, blocks),
            new StateMethods(node, blocks),
            calls,
            new SimulateMethods(node, blocks),
            new DebugMethods(node, blocks),
            new TraceMethods(node, blocks, calls),
            new ConfigMethods(node),
            new TransactionMethods(node, blocks),
            sends,
            logs,
            new FilterMethods(node, logs, filters),
            new FeeMethods(node, blocks),
        };
        if (node.Finality is { } consensus)
        {
            modules.Add(new ConsensusMethods(consensus, node.Chain));
        }

        if (node.Options.AllowDevelopmentMethods || node.Options.AllowTestingMethods)
        {
            modules.Add(new TestingMethods(node));
        }

        if (node.Options.AllowDevelopmentMethods)
        {
            modules.Add(new DevMethods(node));
            modules.Add(new StateEditMethods(node));
            modules.Add(new ImpersonationMethods(node));
            modules.Add(new NodeSettingMethods(node));
        }

        return new RpcDispatcher(new RpcMethodTable(modules), limits, sends, node.Log, gate) { Filters = filters };
    }
}
