using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Conformance;

/// <summary>The fork names of fixtures, and the chains that their networks stand for.</summary>
internal static partial class Networks
{
    private const ulong DefaultChainId = 1;

    /// <summary>The fork of a fixture's name, or null.</summary>
    internal static Fork? ForkNamed(string name) => name switch
    {
        "EIP150" => Fork.TangerineWhistle,
        "EIP158" => Fork.SpuriousDragon,
        "ConstantinopleFix" => Fork.Petersburg,
        "Merge" => Fork.Paris,
        _ => Enum.TryParse<Fork>(name, ignoreCase: true, out var fork) && !char.IsDigit(name[0]) ? fork : null,
    };

    /// <summary>
    /// The chain of a network: a fork from the start, or "AToBAt5", "AToBAtTime15k", "AToBAtDiffC0000".
    /// </summary>
    internal static ChainSpec SpecOf(string network, JsonElement? config)
    {
        var chainId = config?.Find("chainid")?.UInt64("chainid") ?? DefaultChainId;
        var schedules = Schedules(config?.Find("blobSchedule"));
        if (ForkNamed(network) is { } only)
        {
            return Spec(chainId, schedules, Until(only), only >= Fork.Paris ? UInt256.Zero : null, null);
        }

        var match = Transition().Match(network);
        if (!match.Success || ForkNamed(match.Groups["from"].Value) is not { } from)
        {
            throw new FixtureException($"the network {network} is not known");
        }

        var target = match.Groups["to"].Value;
        var at = match.Groups["at"].Value;
        var isDifficulty = match.Groups["unit"].Value == "Diff";
        UInt256? terminal = from >= Fork.Paris ? UInt256.Zero : null;
        if (target == "Dao")
        {
            return Spec(chainId, schedules, Until(from), terminal, Number(at));
        }

        if (ForkNamed(target) is not { } to)
        {
            throw new FixtureException($"the network {network} is not known");
        }

        var forks = Until(from);
        if (isDifficulty)
        {
            terminal = UInt256.Parse("0x" + at);
        }
        else
        {
            for (var fork = from + 1; fork <= to; fork++)
            {
                forks.Add(new ForkActivation(fork, Number(at)));
            }

        }

        return Spec(chainId, schedules, forks, terminal, null);
    }

    private static ChainSpec Spec(
        ulong chainId, Dictionary<Fork, BlobSchedule> schedules, List<ForkActivation> forks, UInt256? terminal,
        ulong? daoBlock) =>
        new(chainId, forks, schedules)
        {
            TerminalTotalDifficulty = terminal,
            MergeBlock = terminal is { IsZero: true } ? 0 : null,
            DaoForkBlock = daoBlock,
        };

    private static List<ForkActivation> Until(Fork last)
    {
        var forks = new List<ForkActivation>();
        for (var fork = Fork.Homestead; fork <= last; fork++)
        {
            forks.Add(new ForkActivation(fork, 0));
        }

        return forks;
    }

    private static Dictionary<Fork, BlobSchedule> Schedules(JsonElement? node)
    {
        var schedules = new Dictionary<Fork, BlobSchedule>();
        if (node is not { } present)
        {
            return schedules;
        }

        foreach (var entry in present.Members("blobSchedule"))
        {
            if (ForkNamed(entry.Name) is { } fork)
            {
                schedules[fork] = new BlobSchedule(
                    entry.Value.UInt64Member("target"),
                    entry.Value.UInt64Member("max"),
                    entry.Value.UInt64Member("baseFeeUpdateFraction"));
            }
        }

        return schedules;
    }

    private static ulong Number(string text)
    {
        var thousands = text.EndsWith('k');
        var digits = thousands ? text[..^1] : text;
        return ulong.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number * (thousands ? 1_000UL : 1UL)
            : throw new FixtureException($"{text} is no block number or time");
    }

    [GeneratedRegex("^(?<from>[A-Za-z0-9]+?)To(?<to>[A-Za-z0-9]+?)At(?<unit>Time|Diff)?(?<at>[0-9A-Fa-f]+k?)$")]
    private static partial Regex Transition();
}
