namespace SuperVm.Simulation;

/// <summary>
/// What the simulator does to a cluster. The first are of the network and the machines, the rest of liars.
/// </summary>
public enum FaultKind
{
    Drop,
    Duplicate,
    Reorder,
    Delay,
    Malformed,
    Partition,
    OneWayPartition,
    Crash,
    TornState,
    ClockSkew,
    SlowDisk,
    SlowExecution,
    Divergence,
    EquivocatingLeader,
    SilentLeader,
    BadHeader,
    WrongDigest,
    DoubleVote,
    ForgedCertificate,
    HiddenProofs,
    Censor,
    ViewChangeSpam,
    Late,
    Replay,
    Flood,
}

/// <summary>Names of faults as the command line has them: lower case, words joined by hyphens.</summary>
public static class FaultNames
{
    public static IReadOnlyList<FaultKind> All { get; } = Enum.GetValues<FaultKind>();

    /// <summary>The first fault that only a lying replica makes.</summary>
    public const FaultKind FirstByzantine = FaultKind.EquivocatingLeader;

    public static bool IsByzantine(FaultKind kind) => kind >= FirstByzantine;

    public static string Of(FaultKind kind) =>
        string.Concat(kind.ToString().Select((letter, index) =>
            (char.IsUpper(letter) && index > 0 ? "-" : "") + char.ToLowerInvariant(letter)));

    public static bool TryParse(string name, out FaultKind kind)
    {
        foreach (var candidate in All)
        {
            if (Of(candidate) == name)
            {
                kind = candidate;
                return true;
            }
        }

        kind = default;
        return false;
    }
}
