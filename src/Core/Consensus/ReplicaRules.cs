namespace SuperVm.Core.Consensus;

/// <summary>
/// Deliberate bugs for the mutation check: each flag breaks one rule of the production Step, and the simulator must
/// find it. Only tests and the simulator can set one; <see cref="Correct"/> breaks nothing.
/// </summary>
internal sealed record ReplicaRules
{
    internal static ReplicaRules Correct { get; } = new();

    /// <summary>A quorum is one validator short: 2f of 3f+1.</summary>
    internal bool SmallQuorum { get; init; }

    /// <summary>Votes are counted whatever digest they name.</summary>
    internal bool NoDigestCheck { get; init; }

    /// <summary>Commit is sent as soon as the proposal is accepted.</summary>
    internal bool CommitBeforePrepared { get; init; }

    /// <summary>A restart forgets votes and certificates.</summary>
    internal bool LostDurableState { get; init; }

    /// <summary>View changes leave out what was prepared.</summary>
    internal bool NoPreparedProofs { get; init; }

    /// <summary>A new view takes the oldest certificate of a sequence number instead of the newest.</summary>
    internal bool OldestCertificateWins { get; init; }

    /// <summary>A second proposal for the same place replaces the first and is voted for too.</summary>
    internal bool AcceptSecondProposal { get; init; }

    /// <summary>Certificates are not checked.</summary>
    internal bool TrustCertificates { get; init; }

    /// <summary>A batch is executed when it is prepared.</summary>
    internal bool ExecutePrepared { get; init; }

    /// <summary>A block hash that differs from a quorum's is ignored.</summary>
    internal bool IgnoreDivergence { get; init; }

    /// <summary>No bound on sequence numbers of votes.</summary>
    internal bool NoWindow { get; init; }

    /// <summary>The leader is never suspected.</summary>
    internal bool NoTimeout { get; init; }

    /// <summary>Batches may be dated before their parent.</summary>
    internal bool NoTimestampCheck { get; init; }

    /// <summary>The last batch is executed again after a restart, as a new one.</summary>
    internal bool ReplayAfterRestart { get; init; }

    /// <summary>A new epoch goes on with the old one's validators, powers and leaders.</summary>
    internal bool KeepsOldSet { get; init; }

    /// <summary>An attestation at a border does not name the next set.</summary>
    internal bool UnattestedSet { get; init; }

    /// <summary>A second attestation accuses its validator whoever signed it.</summary>
    internal bool AccusesUnchecked { get; init; }
}
