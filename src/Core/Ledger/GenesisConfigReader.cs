using SuperVm.Core.Primitives;

namespace SuperVm.Core.Ledger;

/// <summary>The config of a genesis file: chain id, forks, merge, blob schedules (geth's names).</summary>
internal static class GenesisConfigReader
{
    private static readonly (string Name, Fork Fork, bool MayBeMissing)[] BlockForks =
    [
        ("homesteadBlock", Fork.Homestead, false), ("eip150Block", Fork.TangerineWhistle, false),
        ("eip158Block", Fork.SpuriousDragon, false), ("byzantiumBlock", Fork.Byzantium, false),
        ("constantinopleBlock", Fork.Constantinople, false), ("petersburgBlock", Fork.Petersburg, true),
        ("istanbulBlock", Fork.Istanbul, false), ("muirGlacierBlock", Fork.MuirGlacier, true),
        ("berlinBlock", Fork.Berlin, false), ("londonBlock", Fork.London, false),
        ("arrowGlacierBlock", Fork.ArrowGlacier, true), ("grayGlacierBlock", Fork.GrayGlacier, true),
    ];

    private static readonly (string Name, Fork Fork, bool MayBeMissing)[] TimeForks =
    [
        ("shanghaiTime", Fork.Shanghai, false), ("cancunTime", Fork.Cancun, false), ("pragueTime", Fork.Prague, false),
        ("osakaTime", Fork.Osaka, false), ("bpo1Time", Fork.Bpo1, true), ("bpo2Time", Fork.Bpo2, true),
        ("bpo3Time", Fork.Bpo3, true), ("bpo4Time", Fork.Bpo4, true), ("bpo5Time", Fork.Bpo5, true),
    ];

    private static readonly string[] UnknownForks = ["amsterdamTime", "verkleTime", "ubtTime"];

    /// <exception cref="FormatException">A field that is missing or has no sense; the message names it.</exception>
    internal static ChainSpec Read(GenesisNode config)
    {
        var chainId = config.UInt64("chainId") ?? throw new FormatException("config.chainId is missing.");
        var forks = new List<ForkActivation>();
        ReadForks(config, BlockForks, forks);
        if (config.UInt64("eip155Block") is { } eip155
            && config.UInt64("eip158Block") is { } eip158
            && eip155 != eip158)
        {
            throw new FormatException("config.eip155Block and config.eip158Block differ; they make one fork here.");
        }

        var blockForks = forks.Count;
        ReadForks(config, TimeForks, forks);
        foreach (var name in UnknownForks)
        {
            if (config.Find(name) is not null)
            {
                throw new FormatException($"config.{name}: this fork is not known here.");
            }
        }

        var terminal = config.UInt256("terminalTotalDifficulty");
        var mergeBlock = config.UInt64("mergeNetsplitBlock");
        if (forks.Count > blockForks && terminal is null && mergeBlock is null)
        {
            throw new FormatException(
                "config.terminalTotalDifficulty is missing, but a fork after the merge has a time.");
        }

        return new ChainSpec(chainId, forks, ReadSchedules(config, forks))
        {
            TerminalTotalDifficulty = terminal,
            MergeBlock = mergeBlock ?? (terminal is { IsZero: true } ? 0 : null),
            DaoForkBlock = config.Flag("daoForkSupport") == true ? config.UInt64("daoForkBlock") : null,
            AllowsEqualTimestamps = config.Flag("equalTimestamps") == true,
            DepositContract = config.Address("depositContractAddress") ?? ChainSpec.MainnetDepositContract,
        };
    }

    /// <summary>Adds the forks that are there and refuses gaps and wrong orders.</summary>
    private static void ReadForks(
        GenesisNode config, (string Name, Fork Fork, bool MayBeMissing)[] known, List<ForkActivation> forks)
    {
        string? gap = null;
        (string Name, ulong At)? last = null;
        foreach (var (name, fork, mayBeMissing) in known)
        {
            var at = config.UInt64(name);
            if (fork == Fork.Petersburg)
            {
                at ??= config.UInt64("constantinopleBlock");
            }

            if (at is not { } start)
            {
                gap = mayBeMissing ? gap : gap ?? name;
                continue;
            }

            if (gap is not null)
            {
                throw new FormatException($"config.{name} is set, but config.{gap} before it is not.");
            }

            if (last is { } before && start < before.At)
            {
                throw new FormatException(
                    $"config.{name} ({start}) comes before config.{before.Name} ({before.At}).");
            }

            last = (name, start);
            forks.Add(new ForkActivation(fork, start));
        }
    }

    private static Dictionary<Fork, BlobSchedule> ReadSchedules(GenesisNode config, List<ForkActivation> forks)
    {
        var schedules = new Dictionary<Fork, BlobSchedule>();
        var node = config.Find("blobSchedule");
        foreach (var (name, fork, _) in TimeForks)
        {
            if (fork < Fork.Cancun)
            {
                continue;
            }

            var key = name[..^"Time".Length];
            if (node?.Find(key) is { } entry)
            {
                schedules.Add(fork, ReadSchedule(entry));
            }
            else if (fork >= Fork.Bpo1 && forks.Exists(activation => activation.Fork == fork))
            {
                throw new FormatException($"config.blobSchedule.{key} is missing, but config.{name} is set.");
            }
        }

        return schedules;
    }

    private static BlobSchedule ReadSchedule(GenesisNode entry)
    {
        var schedule = new BlobSchedule(
            Required(entry, "target"), Required(entry, "max"), Required(entry, "baseFeeUpdateFraction"));
        if (schedule.Target > schedule.Max || schedule.Max > 1_000_000 || schedule.BaseFeeUpdateFraction == 0)
        {
            throw new FormatException(
                $"{entry.Path}: target is above max, max above 1,000,000 or baseFeeUpdateFraction is 0.");
        }

        return schedule;
    }

    private static ulong Required(GenesisNode node, string name) =>
        node.UInt64(name) ?? throw new FormatException($"{node.Path}.{name} is missing.");
}
