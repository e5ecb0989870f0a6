using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using SuperVm.Azure.Queues;
using SuperVm.Core.Storage;
using SuperVm.Local.Functions;
using SuperVm.Ports.Tests;

namespace SuperVm.Azure.Tests;

/// <summary>A function app run by the local functions host over emulated storage queues.</summary>
[Collection(EmulatorsCollection.Name)]
[NeedsCommand("npm", EmulatorsFixture.Reason)]
public sealed class FunctionsHostTests : IDisposable
{
    private const int Messages = 100;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly string _folder = Path.Combine(AppContext.BaseDirectory, "apps", Guid.NewGuid().ToString("N"));
    private readonly string _work = EmulatorsFixture.NextName("work");
    private readonly string _seen = EmulatorsFixture.NextName("seen");
    private readonly StorageQueueBus _bus;

    public FunctionsHostTests(EmulatorsFixture emulators) => _bus = new(emulators.Settings, emulators.Counters);

    [PortFact]
    public async Task Every_message_of_an_emulated_queue_is_handled_and_what_always_fails_is_poison()
    {
        WriteApp();
        var ends = Channel.CreateUnbounded<InvocationEnd>();
        var options = new LocalHostOptions { Observe = end => ends.Writer.TryWrite(end) };
        var app = FunctionApp.Load(_folder, options.Settings);
        await using var host = await LocalFunctionsHost.StartAsync(app, _bus, options);
        for (var i = 0; i < Messages; i++)
        {
            await _bus.SendAsync(_work, Encoding.UTF8.GetBytes($$"""{"do":"show","height":{{i}}}"""));
        }

        await _bus.SendAsync(_work, Encoding.UTF8.GetBytes("""{"do":"fail"}"""));
        using var patience = new CancellationTokenSource(Patience);
        var failed = 0;
        for (var i = 0; i < Messages + 2; i++)
        {
            failed += (await ends.Reader.ReadAsync(patience.Token)).Failure is null ? 0 : 1;
        }

        Assert.Equal(2, failed);
        Assert.Equal(Messages, await _bus.CountAsync(_seen));
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (await _bus.CountAsync(BusLimits.PoisonQueue(_work)) == 0 || await _bus.CountAsync(_work) > 0)
        {
            await timer.WaitForNextTickAsync(patience.Token);
        }
    }

    public void Dispose()
    {
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }

    private void WriteApp()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "Work"));
        var handler = JsonSerializer.Serialize(typeof(FunctionHandler.Program).Assembly.Location);
        File.WriteAllText(Path.Combine(_folder, "host.json"), $$$"""
            {"version":"2.0",
             "customHandler":{"description":{"defaultExecutablePath":"dotnet","arguments":[{{{handler}}}]}},
             "extensions":{"queues":{"maxDequeueCount":2,"maxPollingInterval":"00:00:00.2"} } }
            """);
        File.WriteAllText(Path.Combine(_folder, "Work", "function.json"), $$"""
            {"bindings":[{"type":"queueTrigger","direction":"in","name":"msg","queueName":"{{_work}}"},
             {"type":"queue","direction":"out","name":"seen","queueName":"{{_seen}}"}]}
            """);
    }
}
