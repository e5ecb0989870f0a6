using System.Globalization;
using System.Text;
using SuperVm.Core.Storage;

namespace SuperVm.Hosting.Security;

/// <summary>Where audit lines are kept: a log a day, <c>2026-11/21.jsonl</c>, that is only added to.</summary>
/// <remarks>A line is kept when the call returns: before the administrator is answered.</remarks>
public sealed class AuditTrail(ILogStore logs, TimeProvider clock)
{
    /// <summary>Days for which a log is kept after its last line; the store's life cycle forgets it then.</summary>
    public const int RetentionDays = 400;

    /// <summary>The log of a day.</summary>
    public static string NameOf(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM'/'dd'.jsonl'", CultureInfo.InvariantCulture);

    /// <exception cref="StoreException">The line could not be kept.</exception>
    public void Write(string line) => WriteAsync(line).GetAwaiter().GetResult();

    private async Task WriteAsync(string line)
    {
        var (name, bytes) = (NameOf(clock.GetUtcNow()), Encoding.UTF8.GetBytes(line + "\n"));
        if (!await logs.AppendAsync(name, bytes))
        {
            await logs.CreateAsync(name);
            if (!await logs.AppendAsync(name, bytes))
            {
                throw new StoreException($"The audit log {name} cannot be made.");
            }
        }
    }
}
