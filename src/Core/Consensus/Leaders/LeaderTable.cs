using System.Buffers.Binary;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus.Leaders;

/// <summary>
/// The epoch's leader sequence: a cyclic table in which every validator stands in proportion to its power and as
/// evenly spread as can be, in an order drawn from the epoch's seed.
/// </summary>
/// <remarks>
/// Smooth weighted round robin: every slot adds each weight to its credit, the highest credit leads and pays the total.
/// Weights are scaled to at most <see cref="MaximumWeight"/>, so a validator with less than a 64th of the
/// largest power leads a little more often than its stake says.
/// </remarks>
public sealed class LeaderTable
{
    /// <summary>The weight of the most powerful validator in the table where weights need scaling.</summary>
    public const int MaximumWeight = 64;

    /// <summary>Positions that a lottery draws before its sequence repeats.</summary>
    public const int LotteryPeriod = 1024;

    private readonly byte[] _table;

    public LeaderTable(ValidatorSet validators, in Hash256 seed)
    {
        var weights = Scale(validators);
        var order = SeededOrder(validators.Count, seed);
        var total = weights.Sum();
        var credits = new long[weights.Length];
        _table = new byte[total];
        for (var slot = 0; slot < total; slot++)
        {
            var best = order[0];
            foreach (var validator in order)
            {
                credits[validator] += weights[validator];
                best = credits[validator] > credits[best] ? validator : best;
            }

            credits[best] -= total;
            _table[slot] = (byte)best;
        }
    }

    private LeaderTable(IProposerRule rule, ValidatorSet validators, in Hash256 seed, int period)
    {
        _table = new byte[period];
        for (var position = 0; position < period; position++)
        {
            var leader = 0;
            while (!rule.MayPropose(new ProposalClaim((ulong)position, seed, validators[leader].Address, 0)))
            {
                leader++;
            }

            _table[position] = (byte)leader;
        }
    }

    /// <summary>
    /// The sequence of a kind of consensus. Where a rule selects (<see cref="IProposerRule"/>) it is asked who may
    /// propose at each position; a proof of work is asked of whoever leads by stake.
    /// </summary>
    public static LeaderTable Of(ConsensusKind kind, ValidatorSet validators, in Hash256 seed)
    {
        var addresses = validators.Validators.Select(one => one.Address).ToArray();
        return kind switch
        {
            ConsensusKind.Pbft or ConsensusKind.ProofOfWork => new LeaderTable(validators, seed),
            ConsensusKind.SingleOperator => new LeaderTable(new SingleOperatorRule(addresses[0]), validators, seed, 1),
            ConsensusKind.ProofOfAuthority =>
                new LeaderTable(new ProofOfAuthorityRule(addresses), validators, seed, validators.Count),
            ConsensusKind.DelegatedProofOfStake => new LeaderTable(
                new DelegatedProofOfStakeRule(
                    [.. addresses.Select(address => new Candidate(address, 1))], validators.Count, seed),
                validators, seed, validators.Count),
            ConsensusKind.ProofOfStake =>
                new LeaderTable(new ProofOfStakeRule(validators), validators, seed, LotteryPeriod),
            _ => throw new ArgumentException($"Unknown kind of consensus {kind}."),
        };
    }

    /// <summary>Positions after which the sequence repeats.</summary>
    public int Period => _table.Length;

    /// <summary>The index of the validator that leads at a position.</summary>
    public int At(uint position) => _table[(int)(position % (uint)_table.Length)];

    private static int[] Scale(ValidatorSet validators)
    {
        ulong largest = 0, divisor = 0;
        foreach (var validator in validators.Validators)
        {
            largest = Math.Max(largest, validator.Power);
            divisor = GreatestCommonDivisor(validator.Power, divisor);
        }

        var exact = largest / divisor <= MaximumWeight;
        return [.. validators.Validators.Select(v => exact
            ? (int)(v.Power / divisor)
            : Math.Max(1, (int)((UInt128)v.Power * MaximumWeight / largest)))];
    }

    private static int[] SeededOrder(int count, Hash256 seed)
    {
        var keys = new Hash256[count];
        var order = new int[count];
        Span<byte> input = stackalloc byte[36];
        for (var i = 0; i < count; i++)
        {
            seed.CopyTo(input);
            BinaryPrimitives.WriteInt32BigEndian(input[32..], i);
            (keys[i], order[i]) = (Keccak256.Hash(input), i);
        }

        Array.Sort(keys, order);
        return order;
    }

    private static ulong GreatestCommonDivisor(ulong a, ulong b)
    {
        while (b != 0)
        {
            (a, b) = (b, a % b);
        }

        return a;
    }
}
