namespace SuperVm.Cli.Bench;

/// <summary>Figures that come one run at a time, reported in the order in which they came first.</summary>
internal sealed class BenchSamples
{
    private readonly List<(string Name, string Unit, List<double> Samples)> _figures = [];

    internal void Add(string name, string unit, double sample)
    {
        var at = _figures.FindIndex(figure => figure.Name == name);
        if (at < 0)
        {
            _figures.Add((name, unit, [sample]));
            return;
        }

        _figures[at].Samples.Add(sample);
    }

    internal void Report(BenchContext context)
    {
        foreach (var (name, unit, samples) in _figures)
        {
            context.Report(name, unit, samples);
        }
    }
}
