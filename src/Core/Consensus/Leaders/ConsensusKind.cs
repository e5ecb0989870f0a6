using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus.Leaders;

/// <summary>
/// The kinds of consensus that a genesis may name; all run the same replica, with another validator set.
/// </summary>
public enum ConsensusKind
{
    /// <summary>PBFT, quorums and leaders weighted by stake.</summary>
    Pbft,

    /// <summary>One operator: n = 1, no rounds.</summary>
    SingleOperator,

    /// <summary>PBFT among named authorities of equal power.</summary>
    ProofOfAuthority,

    /// <summary>PBFT among the delegates with most votes, of equal power.</summary>
    DelegatedProofOfStake,

    /// <summary>PBFT weighted by stake; who leads is drawn by lottery.</summary>
    ProofOfStake,

    /// <summary>PBFT weighted by stake; a proposal shows a proof of work.</summary>
    ProofOfWork,
}

/// <summary>Derives an epoch's validator set from the candidates, by the kind.</summary>
public static class ValidatorSelection
{
    /// <param name="kind">The kind of consensus.</param>
    /// <param name="candidates">Addresses with stake (or votes), in the order of the registry.</param>
    /// <param name="minimumStake">Candidates with less are left out (PBFT).</param>
    /// <param name="seats">Delegates that are elected, or the most validators that there may be.</param>
    /// <exception cref="ArgumentException">Nobody qualifies.</exception>
    public static ValidatorSet Select(
        ConsensusKind kind, IReadOnlyList<Candidate> candidates, ulong minimumStake, int seats)
    {
        IEnumerable<Validator> chosen = kind switch
        {
            ConsensusKind.Pbft or ConsensusKind.ProofOfStake or ConsensusKind.ProofOfWork => DelegatedProofOfStakeRule
                .Elect([.. candidates.Where(one => one.Votes >= Math.Max(1, minimumStake))], seats)
                .OrderBy(one => one.Address).Select(one => new Validator(one.Address, one.Votes)),
            ConsensusKind.SingleOperator => candidates.Take(1).Select(Equal),
            ConsensusKind.ProofOfAuthority => candidates.Take(seats).Select(Equal),
            ConsensusKind.DelegatedProofOfStake => DelegatedProofOfStakeRule.Elect(candidates, seats)
                .OrderBy(one => one.Address).Select(Equal),
            _ => throw new ArgumentException($"Unknown kind of consensus {kind}."),
        };
        return new ValidatorSet([.. chosen]);
    }

    private static Validator Equal(Candidate candidate) => new(candidate.Address, 1);
}
