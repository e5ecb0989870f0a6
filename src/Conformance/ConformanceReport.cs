namespace SuperVm.Conformance;

/// <summary>Counts of a run, from all workers.</summary>
internal sealed class ConformanceReport(TextWriter failures)
{
    private long _passed, _failed, _skipped;

    internal long Passed => Interlocked.Read(ref _passed);

    internal long Failed => Interlocked.Read(ref _failed);

    internal long Skipped => Interlocked.Read(ref _skipped);

    internal void Pass() => Interlocked.Increment(ref _passed);

    internal void Skip() => Interlocked.Increment(ref _skipped);

    internal void Fail(string line)
    {
        Interlocked.Increment(ref _failed);
        lock (failures)
        {
            failures.WriteLine(line);
        }
    }
}

/// <summary>Takes the outcomes of one file's cases.</summary>
public sealed class CaseReport
{
    /// <summary>Characters of a failure's description.</summary>
    private const int MaximumDescription = 600;

    private readonly ConformanceReport _report;
    private readonly string _file;
    private readonly ConformanceOptions _options;

    internal CaseReport(ConformanceReport report, string file, ConformanceOptions options)
    {
        _report = report;
        _file = file;
        _options = options;
    }

    /// <summary>Whether a test of this name, and where it has one of this fork, is asked for.</summary>
    internal bool Wants(string test, string? fork = null) =>
        (_options.Filter is not { } filter
            || test.Contains(filter, StringComparison.OrdinalIgnoreCase)
            || _file.Contains(filter, StringComparison.OrdinalIgnoreCase))
        && (fork is null || WantsFork(fork));

    internal bool WantsFork(string fork) =>
        _options.Fork is not { } wanted || string.Equals(wanted, fork, StringComparison.OrdinalIgnoreCase);

    internal void Pass() => _report.Pass();

    internal void Skip() => _report.Skip();

    /// <param name="test">The test, with fork and index where it has them.</param>
    /// <param name="what">What differed.</param>
    internal void Fail(string test, string what) =>
        _report.Fail($"FAIL {_file} {test}: {(what.Length > MaximumDescription ? what[..MaximumDescription] : what)}");

    /// <summary>Runs one case: null passes, a text is what differed, and an exception is a failure too.</summary>
    internal void Run(string test, Func<string?> check)
    {
        string? difference;
        try
        {
            difference = check();
        }
        catch (FixtureException malformed)
        {
            difference = $"malformed fixture: {malformed.Message}";
        }
        catch (Exception unexpected)
        {
            difference = $"unexpected exception: {Describe(unexpected)}";
        }

        if (difference is null)
        {
            Pass();
        }
        else
        {
            Fail(test, difference);
        }
    }

    internal static string Describe(Exception problem)
    {
        var place = problem.StackTrace?.Split('\n', 2)[0].Trim() ?? string.Empty;
        return $"{problem.GetType().Name}: {problem.Message.ReplaceLineEndings(" ")} {place}";
    }
}
