using System.Globalization;
using System.Text;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Security;

/// <summary>
/// Where audit lines are kept: a log a day, <c>2026-11/21.jsonl</c>, that is only added to; once it is full,
/// <c>2026-11/21.2.jsonl</c>.
/// </summary>
/// <remarks>A line is kept when the call returns, before the administrator is answered. Thread-safe.</remarks>
public sealed class AuditTrail(ILogStore logs, TimeProvider clock)
{
    /// <summary>Days for which a log is kept after its last line; the store's life cycle forgets it then.</summary>
    public const int RetentionDays = 400;

    /// <summary>Logs of one day: 5,000,000 lines in the cloud, as whoever is refused leaves a line too.</summary>
    public const int MostParts = 100;

    /// <summary>The day's part that was not full when it was last written to.</summary>
    private volatile Part _open = new(default, 1);

    /// <summary>A log of a day: its first part, or one that follows it.</summary>
    public static string NameOf(DateTimeOffset time, int part = 1) =>
        time.UtcDateTime.ToString("yyyy-MM'/'dd", CultureInfo.InvariantCulture)
        + (part == 1 ? "" : $".{part}") + ".jsonl";

    /// <exception cref="StoreException">The line could not be kept.</exception>
    public void Write(string line) => WriteAsync(line).GetAwaiter().GetResult();

    private async Task WriteAsync(string line)
    {
        var (now, bytes) = (clock.GetUtcNow(), Encoding.UTF8.GetBytes(line + "\n"));
        var day = DateOnly.FromDateTime(now.UtcDateTime);
        for (var part = _open is { } open && open.Day == day ? open.Number : 1; part <= MostParts; part++)
        {
            var name = NameOf(now, part);
            var outcome = await logs.AppendAsync(name, bytes);
            if (outcome == LogAppend.Missing)
            {
                await logs.CreateAsync(name);
                outcome = await logs.AppendAsync(name, bytes);
            }

            if (outcome == LogAppend.Missing)
            {
                throw new StoreException($"The audit log {name} cannot be made.");
            }

            if (outcome == LogAppend.Done)
            {
                _open = new(day, part);
                return;
            }
        }

        throw new StoreException($"The {MostParts} audit logs of {day:yyyy-MM-dd} are full.");
    }

    private sealed record Part(DateOnly Day, int Number);
}
