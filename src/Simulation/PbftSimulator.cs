using SuperVm.Core.Consensus;

namespace SuperVm.Simulation;

/// <summary>Runs seeds: the production replica and runner in a simulated cluster. Same input, same run.</summary>
public static class PbftSimulator
{
    /// <summary>Runs one seed.</summary>
    /// <param name="input">The seed and what narrows it.</param>
    /// <param name="trace">Takes a line for each event, or null.</param>
    public static SimOutcome Run(SimInput input, Action<string>? trace = null) =>
        Run(input, ReplicaRules.Correct, trace);

    /// <summary>The faults that a seed draws, out of those it may.</summary>
    public static IReadOnlySet<FaultKind> FaultsOf(SimInput input) => PlanOf(input).Faults;

    internal static SimOutcome Run(SimInput input, ReplicaRules rules, Action<string>? trace = null)
    {
        var keys = KeysOf(input);
        var cluster = new SimCluster(SimPlan.Of(input, keys.Addresses), keys, new ReplicaRulesSource(rules))
        {
            Trace = trace,
        };
        return cluster.Run();
    }

    internal static SimPlan PlanOf(SimInput input) => SimPlan.Of(input, KeysOf(input).Addresses);

    private static SimKeyring KeysOf(SimInput input) =>
        input.RealSignatures ? SimKeyring.Real : SimKeyring.Keyed;

    /// <summary>
    /// A smaller input that still fails: fewer faults, fewer requests, fewer replicas, as long as any of these helps.
    /// </summary>
    public static SimInput Shrink(SimInput failing, Action<string>? progress = null) =>
        Shrink(failing, ReplicaRules.Correct, progress);

    internal static SimInput Shrink(SimInput failing, ReplicaRules rules, Action<string>? progress)
    {
        var plan = PlanOf(failing);
        var best = failing with
        {
            Faults = plan.Faults, Requests = plan.Requests, Replicas = failing.Replicas,
        };
        if (Run(best, rules).Violation is null)
        {
            return failing;
        }

        for (var changed = true; changed;)
        {
            changed = false;
            foreach (var smaller in Smaller(best))
            {
                if (Run(smaller, rules).Violation is { } violation)
                {
                    progress?.Invoke($"smaller: {CommandOf(smaller)}: {violation}");
                    (best, changed) = (smaller, true);
                    break;
                }
            }
        }

        return best;
    }

    /// <summary>The command that replays an input.</summary>
    public static string CommandOf(SimInput input)
    {
        var command = $"./supervm sim pbft --seeds {input.Seed}..{input.Seed}";
        command += input.Replicas is { } replicas ? $" --replicas {replicas}" : "";
        command += input.Faults is { } faults
            ? $" --faults {(faults.Count == 0 ? "none" : string.Join(',', faults.Order().Select(FaultNames.Of)))}"
            : "";
        command += input.Requests is { } requests ? $" --requests {requests}" : "";
        command += input.Journal is { } journal ? $" --host {(journal ? "journal" : "process")}" : "";
        return command + (input.RealSignatures ? " --real-signatures" : "");
    }

    private static IEnumerable<SimInput> Smaller(SimInput input)
    {
        foreach (var kind in input.Faults!.Order())
        {
            yield return input with { Faults = input.Faults!.Where(other => other != kind).ToHashSet() };
        }

        var requests = input.Requests!.Value;
        if (requests > 1)
        {
            yield return input with { Requests = requests / 2 };
            yield return input with { Requests = requests - 1 };
        }

        if (input.Replicas is null or > 4)
        {
            yield return input with { Replicas = 4 };
        }
    }
}
