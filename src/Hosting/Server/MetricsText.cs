using System.Globalization;
using System.Text;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Server;

/// <summary>Prometheus' text format, version 0.0.4.</summary>
internal sealed class MetricsText
{
    private readonly StringBuilder _text = new(8_192);

    internal StringBuilder Builder => _text;

    public override string ToString() => _text.ToString();

    internal void Gauge(string name, string help, double value)
    {
        Head(name, "gauge", help);
        Sample(name, value);
    }

    internal void Counter(string name, string help, double value)
    {
        Head(name, "counter", help);
        Sample(name, value);
    }

    internal void Histogram(string name, string help, LatencyHistogram values)
    {
        Head(name, "histogram", help);
        var (counts, total) = (values.Counts, 0L);
        for (var i = 0; i < counts.Length; i++)
        {
            total += counts[i];
            var bound = i < LatencyHistogram.Bounds.Length ? Text(LatencyHistogram.Bounds[i]) : "+Inf";
            Sample($"{name}_bucket{{le=\"{bound}\"}}", total);
        }

        Sample($"{name}_sum", values.Sum);
        Sample($"{name}_count", total);
    }

    internal void Head(string name, string type, string help) =>
        _text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n')
            .Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    internal void Sample(string name, double value) => _text.Append(name).Append(' ').Append(Text(value)).Append('\n');

    private static string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
