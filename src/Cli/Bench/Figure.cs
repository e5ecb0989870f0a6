using System.Globalization;

namespace SuperVm.Cli.Bench;

/// <summary>One measured value: the median of its runs, with the least and the greatest beside it.</summary>
internal sealed record Figure(string Name, string Unit, double Median, double Least, double Greatest, int Runs)
{
    internal static Figure Of(string name, string unit, IReadOnlyList<double> samples)
    {
        ArgumentOutOfRangeException.ThrowIfZero(samples.Count);
        var sorted = samples.Order().ToArray();
        var middle = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new(name, unit, median, sorted[0], sorted[^1], sorted.Length);
    }

    /// <summary>For the reader at the terminal.</summary>
    internal string ToLine()
    {
        var line = $"  {Name,-36} {Number(Median),14} {Unit,-8}";
        return Runs == 1 ? line.TrimEnd() : $"{line} ({Number(Least)} … {Number(Greatest)}, {Runs} runs)";
    }

    private static string Number(double value)
        => value.ToString(Math.Abs(value) >= 1000 ? "N0" : "G4", CultureInfo.InvariantCulture);
}
