namespace SuperVm.Core.Consensus;

/// <summary>How much a replica holds, for metrics and for the check that it is bounded.</summary>
/// <param name="Slots">Places above the last attested one.</param>
/// <param name="Checkpoints">Places with attestations.</param>
/// <param name="Bodies">Batches with bodies.</param>
/// <param name="Deferred">Messages kept for later.</param>
/// <param name="Pending">Transactions in the pool.</param>
/// <param name="Recent">Hashes of ordered transactions.</param>
/// <param name="Effects">Effects of the last step.</param>
public readonly record struct ReplicaFootprint(
    int Slots, int Checkpoints, int Bodies, int Deferred, int Pending, int Recent, int Effects);

public sealed partial class Replica
{
    public ReplicaFootprint Footprint => new(
        _slots.Count, _checkpoints.Count, _bodies.Count, _deferred.Count, _pool.Count, _pool.Recent, _effects.Count);
}
