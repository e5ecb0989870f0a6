using System.Buffers.Binary;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Consensus.Leaders;

/// <summary>A claim to propose at a height.</summary>
/// <param name="Height">The sequence number.</param>
/// <param name="Seed">Randomness that nobody chose: an epoch's seed, or the parent's hash.</param>
/// <param name="Proposer">Who claims.</param>
/// <param name="Nonce">Proof of work's answer; ignored by the other rules.</param>
public readonly record struct ProposalClaim(ulong Height, Hash256 Seed, Address Proposer, ulong Nonce);

/// <summary>
/// Who may propose at a height: the port by which kinds of consensus differ. Finality is PBFT's in every kind; a rule
/// only selects.
/// </summary>
public interface IProposerRule
{
    /// <summary>Whether the claim holds; a pure function, the same on every machine.</summary>
    bool MayPropose(in ProposalClaim claim);
}

/// <summary>One operator proposes everything (n = 1).</summary>
public sealed class SingleOperatorRule(Address operatorAddress) : IProposerRule
{
    public bool MayPropose(in ProposalClaim claim) => claim.Proposer == operatorAddress;
}

/// <summary>Proof of authority: a fixed list takes turns.</summary>
public sealed class ProofOfAuthorityRule : IProposerRule
{
    private readonly Address[] _authorities;

    /// <exception cref="ArgumentException">No authorities.</exception>
    public ProofOfAuthorityRule(IReadOnlyList<Address> authorities)
    {
        _authorities = authorities.Count > 0
            ? [.. authorities]
            : throw new ArgumentException("Proof of authority needs an authority.");
    }

    public bool MayPropose(in ProposalClaim claim) =>
        claim.Proposer == _authorities[claim.Height % (ulong)_authorities.Length];
}

/// <summary>
/// Proof of work: Keccak-256 of (seed, height, proposer, nonce) at or below a target. S. Nakamoto, "Bitcoin", 2008,
/// section 4, with Keccak-256 in the place of double SHA-256.
/// </summary>
public sealed class ProofOfWorkRule(UInt256 target) : IProposerRule
{
    /// <summary>The factor by which one adjustment may move the target at most.</summary>
    public const ulong MaximumAdjustment = 4;

    /// <summary>The most leading zero bits that a chain may ask for: about a second of one core's hashing.</summary>
    public const int MaximumBits = 20;

    public UInt256 Target { get; } = target;

    public bool MayPropose(in ProposalClaim claim) => Work(claim) <= Target;

    /// <summary>The rule whose claims have this many leading zero bits.</summary>
    /// <exception cref="ArgumentException">More than <see cref="MaximumBits"/>.</exception>
    public static ProofOfWorkRule OfBits(int bits) => bits is >= 0 and <= MaximumBits
        ? new ProofOfWorkRule(UInt256.MaxValue >> bits)
        : throw new ArgumentException($"A proof of work has at most {MaximumBits} bits.");

    /// <summary>The claim with the first nonce that holds; at most some 2^20 hashes are expected.</summary>
    public ProposalClaim Solve(ProposalClaim claim)
    {
        while (!MayPropose(claim))
        {
            claim = claim with { Nonce = claim.Nonce + 1 };
        }

        return claim;
    }

    /// <summary>The number that has to be small.</summary>
    public static UInt256 Work(in ProposalClaim claim)
    {
        Span<byte> input = stackalloc byte[68];
        claim.Seed.CopyTo(input);
        BinaryPrimitives.WriteUInt64BigEndian(input[32..], claim.Height);
        claim.Proposer.CopyTo(input[40..]);
        BinaryPrimitives.WriteUInt64BigEndian(input[60..], claim.Nonce);
        return UInt256.FromBigEndian(Keccak256.Hash(input).Bytes);
    }

    /// <summary>
    /// The rule of the next period: the target scaled by real over wanted time, within a factor of four.
    /// </summary>
    /// <param name="realSeconds">How long the last period took.</param>
    /// <param name="wantedSeconds">How long it should have taken; positive.</param>
    public ProofOfWorkRule Adjusted(ulong realSeconds, ulong wantedSeconds)
    {
        var bounded = Math.Clamp(realSeconds, wantedSeconds / MaximumAdjustment, wantedSeconds * MaximumAdjustment);
        var part = Target / new UInt256(wantedSeconds);
        var scaled = part * new UInt256(bounded);
        return new ProofOfWorkRule(bounded != 0 && scaled / new UInt256(bounded) != part
            ? UInt256.MaxValue
            : scaled);
    }
}

/// <summary>Proof of stake: a lottery at each height in which the chance is the share of the stake.</summary>
public sealed class ProofOfStakeRule(ValidatorSet stakes) : IProposerRule
{
    public bool MayPropose(in ProposalClaim claim) =>
        stakes[Winner(claim.Height, claim.Seed)].Address == claim.Proposer;

    /// <summary>The index of the validator that wins a height.</summary>
    public int Winner(ulong height, in Hash256 seed)
    {
        Span<byte> input = stackalloc byte[40];
        seed.CopyTo(input);
        BinaryPrimitives.WriteUInt64BigEndian(input[32..], height);
        var drawn = BinaryPrimitives.ReadUInt128BigEndian(Keccak256.Hash(input).Bytes);
        var ticket = (ulong)(drawn % stakes.TotalPower);
        var index = 0;
        while (ticket >= stakes[index].Power)
        {
            ticket -= stakes[index++].Power;
        }

        return index;
    }
}

/// <summary>A candidate of delegated proof of stake with the stake that voted for it.</summary>
public readonly record struct Candidate(Address Address, ulong Votes);

/// <summary>
/// Delegated proof of stake: the candidates with most votes take the seats and propose in turn, in an order that the
/// seed shuffles. Equal votes are decided by the lower address.
/// </summary>
public sealed class DelegatedProofOfStakeRule : IProposerRule
{
    private readonly Address[] _seats;

    /// <exception cref="ArgumentException">No candidates or no seats.</exception>
    public DelegatedProofOfStakeRule(IReadOnlyList<Candidate> candidates, int seats, in Hash256 seed)
    {
        if (candidates.Count == 0 || seats < 1)
        {
            throw new ArgumentException("Delegated proof of stake needs candidates and seats.");
        }

        var elected = Elect(candidates, seats);
        var keys = new Hash256[elected.Count];
        Span<byte> input = stackalloc byte[52];
        for (var i = 0; i < keys.Length; i++)
        {
            seed.CopyTo(input);
            elected[i].Address.CopyTo(input[32..]);
            keys[i] = Keccak256.Hash(input);
        }

        _seats = [.. elected.Select(candidate => candidate.Address)];
        Array.Sort(keys, _seats);
    }

    /// <summary>Who proposes, in turn.</summary>
    public IReadOnlyList<Address> Seats => _seats;

    public bool MayPropose(in ProposalClaim claim) =>
        claim.Proposer == _seats[claim.Height % (ulong)_seats.Length];

    /// <summary>The candidates with most votes, highest first.</summary>
    public static IReadOnlyList<Candidate> Elect(IReadOnlyList<Candidate> candidates, int seats) =>
        [.. candidates.OrderByDescending(one => one.Votes).ThenBy(one => one.Address).Take(seats)];
}
