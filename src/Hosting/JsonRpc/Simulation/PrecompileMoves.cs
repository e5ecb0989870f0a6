using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Simulation;

/// <summary>What state overrides make of the precompiled contracts.</summary>
internal static class PrecompileMoves
{
    /// <summary>
    /// An override of a precompiled contract's address puts an account in its place; it may name another address where
    /// the contract answers then. Null where no precompiled contract is concerned.
    /// </summary>
    internal static RpcError? TryOf(
        IReadOnlyDictionary<Address, AccountOverride>? overrides, ForkRules rules,
        out Dictionary<Address, Address?>? moves)
    {
        moves = null;
        foreach (var (address, change) in overrides ?? new Dictionary<Address, AccountOverride>())
        {
            var isPrecompile = rules.IsPrecompile(address);
            if (change.MovePrecompileTo is { } target)
            {
                if (!isPrecompile)
                {
                    return RpcError.Server($"account {address} is not a precompile");
                }

                if (overrides!.ContainsKey(target) || moves?.GetValueOrDefault(target) is not null)
                {
                    return RpcError.Server($"account {target} is already overridden");
                }

                (moves ??= [])[target] = address;
            }

            if (isPrecompile)
            {
                (moves ??= [])[address] = null;
            }
        }

        return null;
    }
}
