using System.Text;
using System.Text.Json;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Security;

namespace SuperVm.Hosting.Tests.Security;

public sealed class AuditTrailTests
{
    private const string ManagementKey = "a-key-for-management-0001";

    [Fact]
    public async Task A_management_call_is_kept_before_it_is_answered_in_the_log_of_its_day()
    {
        var logs = new InMemoryLogStore();
        var clock = new Day(new DateTimeOffset(2026, 11, 30, 23, 59, 59, TimeSpan.Zero));
        var trail = new AuditTrail(logs, clock);
        await using var server = await GuardedServer.StartAsync(new SecurityOptions
        {
            ManagementKeys = AccessKeys.Parse(ManagementKey), Audit = trail.Write,
        });
        await server.CallAsync("evm_mine", key: ManagementKey);
        await server.CallAsync("evm_mine");
        clock.Now = clock.Now.AddSeconds(1);
        await server.CallAsync("evm_mine", key: ManagementKey);

        Assert.Equal(["done", "forbidden"], await OutcomesAsync(logs, "2026-11/30.jsonl"));
        Assert.Equal(["done"], await OutcomesAsync(logs, "2026-12/01.jsonl"));
    }

    [Fact]
    public void A_day_with_more_lines_than_a_log_may_have_goes_on_in_another_log()
    {
        var logs = new InMemoryLogStore(mostAppends: 2);
        var clock = new Day(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));
        var trail = new AuditTrail(logs, clock);
        var after = new AuditTrail(logs, clock); // a process that starts later does not know what is full
        foreach (var line in new[] { "a", "b", "c" })
        {
            trail.Write(line);
        }

        after.Write("d");
        after.Write("e");
        clock.Now = clock.Now.AddDays(1);
        trail.Write("f");
        Assert.Equal(
            ["a\nb\n", "c\nd\n", "e\n", "f\n"],
            new[] { "2026-11/30.jsonl", "2026-11/30.2.jsonl", "2026-11/30.3.jsonl", "2026-12/01.jsonl" }
                .Select(name => Encoding.UTF8.GetString(logs.ReadAsync(name, 0).Result!.Value.Span)));
    }

    [Fact]
    public void A_line_that_cannot_be_kept_is_an_error_of_the_call()
    {
        var trail = new AuditTrail(new Failing(), TimeProvider.System);
        Assert.Throws<StoreException>(() => trail.Write("{}"));
    }

    private static async Task<IEnumerable<string>> OutcomesAsync(ILogStore logs, string name) =>
        Encoding.UTF8.GetString((await logs.ReadAsync(name, 0))!.Value.Span)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("outcome").GetString()!);

    private sealed class Day(DateTimeOffset now) : TimeProvider
    {
        internal DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }

    /// <summary>A store that takes nothing.</summary>
    private sealed class Failing : ILogStore
    {
        public Task<bool> CreateAsync(string name, CancellationToken cancellation = default) => Task.FromResult(false);

        public Task<LogAppend> AppendAsync(
            string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellation = default) =>
            Task.FromResult(LogAppend.Missing);

        public Task<ReadOnlyMemory<byte>?> ReadAsync(
            string name, long from, CancellationToken cancellation = default) =>
            Task.FromResult<ReadOnlyMemory<byte>?>(null);
    }
}
