using SuperVm.Core.Consensus;
using SuperVm.Core.Primitives;

namespace SuperVm.Simulation;

/// <summary>
/// Watches the validator registry and the epochs that follow from it: only liars lose stake, and every epoch's set,
/// quorums and leaders are those that the registry named at the border before.
/// </summary>
internal sealed class SimStakeChecker(
    SimPlan plan, IReadOnlyList<Address> addresses, Epoch genesis, SimRegistry founders)
{
    private readonly List<Epoch> _epochs = [genesis];
    private SimRegistry _registry = founders;
    private ulong _height;

    internal SimStakes Counts { get; private set; } = SimStakes.None;

    /// <summary>The epoch of a place; null where no honest replica executed the border before it.</summary>
    internal Epoch? EpochOf(ulong sequence) => EpochNumber(
        plan.Parameters.EpochLength == 0 ? 0 : (sequence - 1) / plan.Parameters.EpochLength);

    internal Epoch? EpochNumber(ulong number) => number < (ulong)_epochs.Count ? _epochs[(int)number] : null;

    /// <summary>An honest replica executed a block for the first time; answers what is wrong, or null.</summary>
    internal string? Executed(SimBlock block)
    {
        if (plan.Parameters.EpochLength == 0 || block.Number != _height + 1)
        {
            return null;
        }

        var (before, after) = (_registry, block.Registry);
        (_registry, _height) = (after, block.Number);
        for (var node = 0; node < after.Count; node++)
        {
            var (was, becomes) = (before[node], after[node]);
            switch (was.Standing, becomes.Standing)
            {
                case (not SimStanding.Slashed, SimStanding.Slashed) when plan.Lies[node].Count == 0:
                    return $"stake: replica {node} never lied and is slashed in block {block.Number}";
                case (not SimStanding.Slashed, SimStanding.Slashed):
                    Counts = Counts with { Slashed = Counts.Slashed + 1 };
                    break;
                case (not SimStanding.Active, SimStanding.Active):
                    Counts = Counts with { Joined = Counts.Joined + 1 };
                    break;
                case (SimStanding.Active, SimStanding.Leaving):
                    Counts = Counts with { Resigned = Counts.Resigned + 1 };
                    break;
                case (SimStanding.Active, SimStanding.Active) when was.Stake < becomes.Stake:
                    Counts = Counts with { Raised = Counts.Raised + 1 };
                    break;
                default:
                    break;
            }
        }

        if (block.Number == _epochs[^1].Last)
        {
            Begin(_epochs[^1].Next(after.NextSet(), block.Hash, plan.Parameters.EpochLength));
        }

        return null;
    }

    /// <summary>
    /// At an epoch's last block the step to the next one: provable from the epoch before, and to the registry's set.
    /// </summary>
    internal string? CheckBorder(BlockFinalized finalized, ISignatureVerifier verifier)
    {
        var sequence = finalized.Certificate.Statement.Sequence;
        if (EpochOf(sequence) is not { } epoch || sequence != epoch.Last)
        {
            return finalized.Border is null ? null : $"epochs: block {sequence} is no border";
        }

        var next = finalized.Border?.Apply(epoch, plan.Parameters.ChainId, plan.Parameters.EpochLength, verifier);
        var wanted = EpochNumber(epoch.Number + 1);
        return next is not null && wanted is not null && next.Validators.Hash == wanted.Validators.Hash
            && next.Seed == wanted.Seed
                ? null
                : $"epochs: the step after border {sequence} does not hold, or leads to another set than registered";
    }

    private void Begin(Epoch next)
    {
        var last = _epochs[^1].Validators;
        for (var node = 0; node < _registry.Count; node++)
        {
            var isLeftOut = _registry[node].Standing == SimStanding.Slashed
                && last.IndexOf(addresses[node]) >= 0 && next.Validators.IndexOf(addresses[node]) < 0;
            Counts = Counts with { LeftOut = Counts.LeftOut + (isLeftOut ? 1 : 0) };
        }

        Counts = Counts with { NewSets = Counts.NewSets + (last.Hash == next.Validators.Hash ? 0 : 1) };
        _epochs.Add(next);
    }
}
