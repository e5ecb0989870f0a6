namespace SuperVm.Hosting.Proving;

/// <summary>What the proof service takes on.</summary>
public sealed record ProofLimits
{
    /// <summary>Bytes of a request or of a job: a witness of 2^19 values in base64.</summary>
    public int MostBytes { get; init; } = 24 << 20;

    /// <summary>A proof that takes longer fails.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>A job whose prover died so often fails: it may be what kills it.</summary>
    public int MostAttempts { get; init; } = 3;

    /// <summary>Progress is written at most so often, and cancellation seen.</summary>
    public TimeSpan ReportInterval { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Keys that stay open.</summary>
    public int MostOpenKeys { get; init; } = 4;
}
