using System.CommandLine;
using System.Diagnostics;

namespace SuperVm.Cli.Bench;

/// <summary>What a benchmark gets: its options, how many runs to make, and where its figures go.</summary>
internal sealed class BenchContext(
    ParseResult options, int runs, TextWriter progress, CancellationToken cancellation)
{
    private readonly List<Figure> _figures = [];

    /// <summary>The parsed command line, for the benchmark's own options.</summary>
    internal ParseResult Options { get; } = options;

    /// <summary>How many measured runs each figure gets, after the warm-up.</summary>
    internal int Runs { get; } = runs;

    /// <summary>For lines that tell how it goes; never part of the result.</summary>
    internal TextWriter Progress { get; } = progress;

    internal CancellationToken Cancellation { get; } = cancellation;

    internal IReadOnlyList<Figure> Figures => _figures;

    /// <summary>
    /// Takes one figure: a value a run, of which the median counts and the spread is shown beside it.
    /// </summary>
    internal void Report(string name, string unit, params IReadOnlyList<double> samples)
    {
        var figure = Figure.Of(name, unit, samples);
        _figures.Add(figure);
        Progress.WriteLine(figure.ToLine());
    }

    /// <summary>Runs <paramref name="body"/> for a while, at least twice, without measuring it.</summary>
    internal void WarmUp(TimeSpan duration, Action body)
    {
        var started = Stopwatch.GetTimestamp();
        for (var run = 0; run < 2 || Stopwatch.GetElapsedTime(started) < duration; run++)
        {
            Cancellation.ThrowIfCancellationRequested();
            body();
        }
    }

    /// <summary>
    /// Runs <paramref name="body"/> once to warm up and then <see cref="Runs"/> times, and reports
    /// <paramref name="operations"/> (of one run) a second.
    /// </summary>
    internal void Measure(string name, string unit, double operations, Action body)
        => Measure(name, unit, operations, static () => { }, body);

    /// <summary>As above, with a preparation before every run that is not timed.</summary>
    internal void Measure(string name, string unit, double operations, Action prepare, Action body)
    {
        var samples = new double[Runs];
        for (var run = -1; run < Runs; run++)
        {
            Cancellation.ThrowIfCancellationRequested();
            prepare();
            var started = Stopwatch.GetTimestamp();
            body();
            var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
            if (run >= 0)
            {
                samples[run] = operations / seconds;
            }
        }

        Report(name, unit, samples);
    }
}
