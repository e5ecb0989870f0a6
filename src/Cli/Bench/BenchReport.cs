using System.Text.Json;
using System.Text.Json.Serialization;

namespace SuperVm.Cli.Bench;

/// <summary>The JSON line of a benchmark.</summary>
/// <param name="Bench">The benchmark's name.</param>
/// <param name="Figures">Median by figure name.</param>
/// <param name="Units">Unit by figure name.</param>
/// <param name="Spread">Least and greatest run by figure name.</param>
/// <param name="Runs">Measured runs by figure name.</param>
/// <param name="Machine">The machine in words.</param>
/// <param name="Commit">The commit that was built, "unknown" outside a repository.</param>
internal sealed record BenchReport(
    string Bench,
    IReadOnlyDictionary<string, double> Figures,
    IReadOnlyDictionary<string, string> Units,
    IReadOnlyDictionary<string, double[]> Spread,
    IReadOnlyDictionary<string, int> Runs,
    string Machine,
    string Commit)
{
    internal static BenchReport Of(string bench, IReadOnlyList<Figure> figures) => new(
        bench,
        figures.ToDictionary(f => f.Name, f => Round(f.Median)),
        figures.ToDictionary(f => f.Name, f => f.Unit),
        figures.ToDictionary(f => f.Name, f => new[] { Round(f.Least), Round(f.Greatest) }),
        figures.ToDictionary(f => f.Name, f => f.Runs),
        BenchMachine.Describe(),
        BenchMachine.Commit());

    internal string ToJson() => JsonSerializer.Serialize(this, BenchJson.Default.BenchReport);

    /// <summary>Six significant digits: more would be noise.</summary>
    private static double Round(double value)
    {
        if (value == 0 || !double.IsFinite(value))
        {
            return double.IsFinite(value) ? 0 : -1;
        }

        var digits = 5 - (int)Math.Floor(Math.Log10(Math.Abs(value)));
        return digits >= 0 ? Math.Round(value, Math.Min(digits, 15)) : Math.Round(value);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BenchReport))]
internal sealed partial class BenchJson : JsonSerializerContext;
