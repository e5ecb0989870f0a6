using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>When a fork begins.</summary>
/// <param name="Fork">The fork; <see cref="Fork.Paris"/> begins by total difficulty and does not stand here.</param>
/// <param name="At">A block number to Gray Glacier, seconds since 1970 from Shanghai on.</param>
public readonly record struct ForkActivation(Fork Fork, ulong At);

/// <summary>A chain's own numbers: its id, when its forks begin, its blob schedules. Immutable.</summary>
/// <remarks>
/// <code>
///   Frontier … GrayGlacier    by block number
///   Paris                     by the parent's total difficulty, or by a known block number
///   Shanghai … Bpo5           by timestamp
/// </code>
/// </remarks>
public sealed class ChainSpec
{
    /// <summary>The chain id of a development node (as anvil's and Hardhat's).</summary>
    public const ulong DevelopmentChainId = 31_337;

    private readonly ForkActivation[] _byBlock;
    private readonly ForkActivation[] _byTime;
    private readonly ForkRules[] _rules;

    /// <param name="chainId">EIP-155 chain id.</param>
    /// <param name="forks">In any order; forks that are left out are passed over.</param>
    /// <param name="blobSchedules">The chain's schedules; a fork without one keeps that of the fork before.</param>
    public ChainSpec(
        ulong chainId,
        IReadOnlyList<ForkActivation> forks,
        IReadOnlyDictionary<Fork, BlobSchedule>? blobSchedules = null)
    {
        ChainId = chainId;
        _byBlock = [.. forks.Where(fork => fork.Fork < Fork.Paris).OrderBy(fork => fork.Fork)];
        _byTime = [.. forks.Where(fork => fork.Fork > Fork.Paris).OrderBy(fork => fork.Fork)];
        _rules = RulesWith(blobSchedules);
    }

    public ulong ChainId { get; }

    /// <summary>For people; empty where the chain has no name.</summary>
    public string Name { get; init; } = string.Empty;

    /// <summary>A block whose parent's total difficulty has reached this is proof of stake; null: never.</summary>
    public UInt256? TerminalTotalDifficulty { get; init; }

    /// <summary>The first proof-of-stake block where it is known beforehand.</summary>
    public ulong? MergeBlock { get; init; }

    /// <summary>The block of the DAO's irregular state change; null: none.</summary>
    public ulong? DaoForkBlock { get; init; }

    /// <summary>The contract whose logs are deposit requests (EIP-6110).</summary>
    public Address DepositContract { get; init; } = MainnetDepositContract;

    /// <summary>
    /// Whether a block may have its parent's timestamp, as on chains of this software's own consensus.
    /// </summary>
    public bool AllowsEqualTimestamps { get; init; }

    /// <summary>Forks that begin by block number or time, in fork order.</summary>
    public IEnumerable<ForkActivation> Forks => _byBlock.Concat(_byTime);

    public static Address MainnetDepositContract { get; } =
        Address.Parse("0x00000000219ab540356cbb839cbe05303d7705fa");

    public static ChainSpec Mainnet { get; } = new(1,
    [
        new(Fork.Homestead, 1_150_000), new(Fork.TangerineWhistle, 2_463_000), new(Fork.SpuriousDragon, 2_675_000),
        new(Fork.Byzantium, 4_370_000), new(Fork.Constantinople, 7_280_000), new(Fork.Petersburg, 7_280_000),
        new(Fork.Istanbul, 9_069_000), new(Fork.MuirGlacier, 9_200_000), new(Fork.Berlin, 12_244_000),
        new(Fork.London, 12_965_000), new(Fork.ArrowGlacier, 13_773_000), new(Fork.GrayGlacier, 15_050_000),
        new(Fork.Shanghai, 1_681_338_455), new(Fork.Cancun, 1_710_338_135), new(Fork.Prague, 1_746_612_311),
        new(Fork.Osaka, 1_764_798_551), new(Fork.Bpo1, 1_765_290_071), new(Fork.Bpo2, 1_767_747_671),
    ])
    {
        Name = "mainnet",
        TerminalTotalDifficulty = UInt256.Parse("58750000000000000000000"),
        MergeBlock = 15_537_394,
        DaoForkBlock = 1_920_000,
    };

    /// <summary>A chain that runs under one fork from its first block.</summary>
    public static ChainSpec AllAtZero(Fork last, ulong chainId = DevelopmentChainId, bool equalTimestamps = false)
    {
        var forks = new List<ForkActivation>();
        for (var fork = Fork.Homestead; fork <= last; fork++)
        {
            if (fork != Fork.Paris)
            {
                forks.Add(new ForkActivation(fork, 0));
            }
        }

        return new ChainSpec(chainId, forks)
        {
            Name = "development",
            TerminalTotalDifficulty = last >= Fork.Paris ? UInt256.Zero : null,
            MergeBlock = last >= Fork.Paris ? 0 : null,
            AllowsEqualTimestamps = equalTimestamps,
        };
    }

    /// <summary>The rules of a block whose place relative to the merge follows from its number and time.</summary>
    public ForkRules RulesAt(ulong number, ulong timestamp) =>
        RulesAt(number, timestamp, MergeBlock is { } merge && number >= merge);

    /// <summary>The rules of a block with a parent of this total difficulty.</summary>
    public ForkRules RulesAt(ulong number, ulong timestamp, in UInt256 parentTotalDifficulty) =>
        RulesAt(number, timestamp, IsMerged(number, parentTotalDifficulty));

    /// <summary>Whether a block with such a parent is proof of stake.</summary>
    public bool IsMerged(ulong number, in UInt256 parentTotalDifficulty) =>
        TerminalTotalDifficulty is { } terminal
            ? parentTotalDifficulty >= terminal
            : MergeBlock is { } merge && number >= merge;

    /// <summary>The rules of a fork with this chain's blob schedule.</summary>
    public ForkRules RulesOf(Fork fork) => _rules[(int)fork];

    private ForkRules RulesAt(ulong number, ulong timestamp, bool isMerged)
    {
        for (var i = _byTime.Length - 1; i >= 0; i--)
        {
            if (timestamp >= _byTime[i].At)
            {
                return _rules[(int)_byTime[i].Fork];
            }
        }

        if (isMerged)
        {
            return _rules[(int)Fork.Paris];
        }

        for (var i = _byBlock.Length - 1; i >= 0; i--)
        {
            if (number >= _byBlock[i].At)
            {
                return _rules[(int)_byBlock[i].Fork];
            }
        }

        return _rules[(int)Fork.Frontier];
    }

    private static ForkRules[] RulesWith(IReadOnlyDictionary<Fork, BlobSchedule>? schedules)
    {
        var rules = new ForkRules[Enum.GetValues<Fork>().Length];
        BlobSchedule? own = null;
        for (var i = 0; i < rules.Length; i++)
        {
            var standard = ForkRules.Of((Fork)i);
            own = schedules?.GetValueOrDefault((Fork)i) ?? own;
            rules[i] = own is null || standard.Blobs is null ? standard : standard with { Blobs = own };
        }

        return rules;
    }
}
