using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Consensus;

/// <summary>Where validators are reached: as the configuration says; else as the registry says.</summary>
/// <remarks>
/// Listed are the configured ones, the validators of the epochs under way, and everybody who is registered: a new one
/// is heard before its first epoch, so that it can catch up.
/// </remarks>
internal sealed class PeerDirectory(IChain chain, IReadOnlyList<ValidatorPeer> configured, bool hasRegistry)
{
    internal IReadOnlyList<ValidatorPeer> With(IEnumerable<Address> validators)
    {
        var peers = configured.ToDictionary(peer => peer.Address);
        if (!hasRegistry || chain.StateAt(chain.Head.Number).State is not { } state
            || ValidatorRegistry.Read(state) is not { } registry)
        {
            return [.. peers.Values];
        }

        var known = registry.Validators.ToDictionary(one => one.Key);
        foreach (var address in known.Keys.Concat(validators))
        {
            var registered = known.GetValueOrDefault(address) ?? ValidatorRegistry.Find(state, address);
            if (registered is not null && ValidatorRegistry.TryEndpoint(registered, out var url))
            {
                peers.TryAdd(address, new ValidatorPeer(address, 0, url));
            }
        }

        return [.. peers.Values];
    }
}
