using System.CommandLine;
using System.Text.Json.Nodes;
using SuperVm.Simulation;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm sim pbft`: the consensus code in a simulated cluster, a run for each seed.</summary>
internal sealed class SimCommand : ICommandModule
{
    private const int MaximumReplicas = 16;

    /// <summary>Seeds of a range that run once more with real signatures where the range begins at 1.</summary>
    private const ulong RealSeeds = 50;

    private readonly Option<string> _seeds = new("--seeds")
    {
        Description = "Seeds to run: A..B or A",
        DefaultValueFactory = _ => "1..2000",
    };

    private readonly Option<int?> _replicas = new("--replicas")
    {
        Description = "Replicas in each run (default: 4, 7 or 10 by the seed)",
    };

    private readonly Option<string?> _faults = new("--faults")
    {
        Description = "Faults that may occur, by commas, or none (default: all): "
            + string.Join(", ", FaultNames.All.Select(FaultNames.Of)),
    };

    private readonly Option<int?> _requests = new("--requests") { Description = "Client requests in each run" };

    private readonly Option<bool> _real = new("--real-signatures")
    {
        Description = "secp256k1 signatures in every run (default: in 50 runs more, keyed hashes in the others)",
    };

    private readonly Option<string?> _host = new("--host")
    {
        Description = "What runs a replica: process, or journal, two instances of the cloud's order over one journal "
            + "(default: by the seed, journal in one of four)",
    };

    private readonly Option<bool> _mutants = new("--mutants")
    {
        Description = "Switch deliberate bugs on in the replica and look for each: all must be found",
    };

    private readonly Option<bool> _shrink = new("--shrink") { Description = "Make the first failing seed smaller" };

    private readonly Option<bool> _trace = new("--trace") { Description = "Print what happens in the first seed" };

    private readonly Option<int> _workers = new("--workers")
    {
        Description = "Runs at a time",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private readonly Option<bool> _json = new("--json")
    {
        Description = "Nothing but one line of JSON on standard output; the rest goes to standard error",
    };

    public Command Create()
    {
        var pbft = new Command("pbft", "Simulate PBFT: --seeds A..B [--replicas N] [--faults LIST] [--mutants]")
        {
            _seeds, _replicas, _faults, _requests, _real, _host, _mutants, _shrink, _trace, _workers, _json,
        };
        pbft.SetAction((parsed, cancellation) => Task.FromResult(Run(parsed, cancellation)));
        return new Command("sim", "Run a part of the system in a simulated world: sim pbft") { pbft };
    }

    private int Run(ParseResult parsed, CancellationToken cancellation)
    {
        var talk = parsed.GetValue(_json) ? Console.Error : Console.Out;
        if (!TryRange(parsed.GetValue(_seeds)!, out var first, out var last)
            || !TryFaults(parsed.GetValue(_faults), out var faults)
            || parsed.GetValue(_replicas) is < 1 or > MaximumReplicas
            || parsed.GetValue(_requests) is < 1 or > 100_000 || parsed.GetValue(_workers) < 1
            || parsed.GetValue(_host) is not (null or "process" or "journal"))
        {
            Console.Error.WriteLine(
                $"sim pbft: --seeds A..B with A <= B, --replicas 1..{MaximumReplicas}, --requests from 1, --workers "
                + "from 1, --faults from the list in --help, --host process or journal");
            return 2;
        }

        SimInput Input(ulong seed) => new(
            seed, parsed.GetValue(_replicas), faults, parsed.GetValue(_requests), parsed.GetValue(_real),
            parsed.GetValue(_host) is { } host ? host == "journal" : null);
        if (parsed.GetValue(_trace))
        {
            var outcome = PbftSimulator.Run(Input(first), talk.WriteLine);
            talk.WriteLine(outcome.Violation ?? $"seed {first}: no violation");
        }

        return parsed.GetValue(_mutants)
            ? RunMutants(first, last, Input, talk, parsed.GetValue(_workers))
            : RunSeeds(first, last, Input, talk, parsed, cancellation);
    }

    private int RunSeeds(
        ulong first, ulong last, Func<ulong, SimInput> input, TextWriter talk, ParseResult parsed,
        CancellationToken cancellation)
    {
        var inputs = Seeds(first, last).Select(input);
        if (first == 1 && !parsed.GetValue(_real))
        {
            inputs = Seeds(first, Math.Min(last, RealSeeds))
                .Select(seed => input(seed) with { RealSignatures = true }).Concat(inputs);
        }

        var report = SimSuite.Run(inputs, parsed.GetValue(_workers), failure => talk.WriteLine(
            $"seed {failure.Input.Seed} FAILS: {failure.Violation}\n  replay: "
            + $"{PbftSimulator.CommandOf(failure.Input)} --trace"), cancellation);
        if (report.Failures is [var worst, ..] && parsed.GetValue(_shrink))
        {
            var smaller = PbftSimulator.Shrink(worst.Input, talk.WriteLine);
            talk.WriteLine($"smallest: {PbftSimulator.CommandOf(smaller)} --trace");
        }

        talk.WriteLine($"{"fault",-22} seeds with it");
        foreach (var (kind, count) in report.SeedsWith)
        {
            talk.WriteLine($"{FaultNames.Of(kind),-22} {count,6}  {100.0 * count / Math.Max(1, report.Seeds),5:F1} %");
        }

        foreach (var (name, count) in report.SeedsWithStake)
        {
            talk.WriteLine($"{name,-22} {count,6}  {100.0 * count / Math.Max(1, report.Seeds),5:F1} %");
        }

        var sizes = string.Join(", ", report.SeedsOf.Select(of => $"n={of.Key}: {of.Value}"));
        talk.WriteLine($"{report.Seeds} runs ({sizes}), "
            + $"{report.Steps} events, {report.Batches} batches, {report.Evidence} proofs of faults, "
            + $"{report.SeedsWithSnapshot} seeds with snapshots, {report.SeedsWithEpochs} with new epochs, "
            + $"{report.SeedsWithJournal} of the cloud's order with {report.Races} races");
        Console.Out.WriteLine(Json(report).ToJsonString());
        return report.Failures.Count == 0 ? 0 : 1;
    }

    private static JsonObject Json(SimReport report)
    {
        var faults = new JsonObject();
        foreach (var (kind, count) in report.SeedsWith)
        {
            faults.Add(FaultNames.Of(kind), count);
        }

        return new JsonObject
        {
            ["seeds"] = report.Seeds,
            ["failed"] = report.Failures.Count,
            ["elapsedMs"] = report.ElapsedMs,
            ["events"] = report.Steps,
            ["batches"] = report.Batches,
            ["seedsWithFault"] = faults,
            ["seedsWithStake"] = new JsonObject(report.SeedsWithStake.Select(
                one => KeyValuePair.Create(one.Key, (JsonNode?)one.Value))),
            ["seedsWithJournal"] = report.SeedsWithJournal,
            ["races"] = report.Races,
            ["failing"] = new JsonArray([.. report.Failures.Select(
                failure => JsonValue.Create(PbftSimulator.CommandOf(failure.Input)))]),
        };
    }

    private static int RunMutants(
        ulong first, ulong last, Func<ulong, SimInput> input, TextWriter talk, int workers)
    {
        var started = Environment.TickCount64;
        var count = (int)Math.Min(last - first + 1, int.MaxValue);
        var results = new MutantResult[Mutants.Names.Count];
        Parallel.For(0, results.Length, new ParallelOptions { MaxDegreeOfParallelism = workers }, i =>
        {
            results[i] = Mutants.Find(Mutants.Names[i], first, count, input);
            lock (results)
            {
                talk.WriteLine(results[i].FoundAt is { } seed
                    ? $"{results[i].Name,-26} found at seed {seed}: {results[i].Violation}"
                    : $"{results[i].Name,-26} NOT FOUND in {results[i].Tried} seeds");
            }
        });
        var missed = results.Where(result => result.FoundAt is null).ToList();
        Console.Out.WriteLine(new JsonObject
        {
            ["seeds"] = results.Sum(result => (long)result.Tried),
            ["failed"] = missed.Count,
            ["elapsedMs"] = Environment.TickCount64 - started,
            ["mutants"] = results.Length,
            ["foundAt"] = new JsonObject(results.Select(result =>
                KeyValuePair.Create(result.Name, (JsonNode?)(result.FoundAt is { } seed ? seed : null)))),
        }.ToJsonString());
        return missed.Count == 0 ? 0 : 1;
    }

    private static IEnumerable<ulong> Seeds(ulong first, ulong last)
    {
        for (var seed = first; seed <= last; seed++)
        {
            yield return seed;
        }
    }

    private static bool TryRange(string text, out ulong first, out ulong last)
    {
        var dots = text.IndexOf("..", StringComparison.Ordinal);
        last = 0;
        return dots < 0
            ? ulong.TryParse(text, out first) && (last = first) < ulong.MaxValue
            : ulong.TryParse(text[..dots], out first) & ulong.TryParse(text[(dots + 2)..], out last)
                && first <= last && last < ulong.MaxValue;
    }

    private static bool TryFaults(string? text, out IReadOnlySet<FaultKind>? faults)
    {
        faults = null;
        if (text is null or "all")
        {
            return true;
        }

        var chosen = new HashSet<FaultKind>();
        foreach (var name in text == "none" ? [] : text.Split(','))
        {
            if (!FaultNames.TryParse(name.Trim(), out var kind))
            {
                return false;
            }

            chosen.Add(kind);
        }

        faults = chosen;
        return true;
    }
}
