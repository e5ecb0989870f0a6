using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using SuperVm.Core.Storage;
using SuperVm.Local.Functions;
using SuperVm.Local.Tests.Storage;

namespace SuperVm.Local.Tests.Functions;

/// <summary>A function app of the test handler, run by the local host over an in-memory bus.</summary>
internal sealed class HandlerApp : IAsyncDisposable
{
    internal const string Queue = "work";
    internal const string Seen = "seen";
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly TemporaryFolder _folder = new();
    private readonly Channel<InvocationEnd> _ends = Channel.CreateUnbounded<InvocationEnd>();

    private HandlerApp(IMessageBus? bus) => Bus = bus ?? new InMemoryMessageBus(TimeProvider.System);

    internal IMessageBus Bus { get; }

    internal LocalFunctionsHost Host { get; private set; } = null!;

    internal static async Task<HandlerApp> StartAsync(
        string hostExtras = "", IMessageBus? bus = null, LocalHostOptions? options = null, string queueExtras = "")
    {
        var app = new HandlerApp(bus);
        var handler = JsonSerializer.Serialize(typeof(FunctionHandler.Program).Assembly.Location);
        app.Write("host.json", $$$"""
            {"version":"2.0",{{{hostExtras}}}
             "customHandler":{"description":{"defaultExecutablePath":"dotnet","arguments":[{{{handler}}}]},
              "enableProxyingHttpRequest":true},
             "extensions":{"http":{"routePrefix":""},
              "queues":{ {{{queueExtras}}} "maxDequeueCount":2,"maxPollingInterval":"00:00:00.2"}}
            }
            """);
        app.Write("Work/function.json", """
            {"bindings":[{"type":"queueTrigger","direction":"in","name":"msg","queueName":"%WORK%"},
             {"type":"queue","direction":"out","name":"seen","queueName":"seen"}]}
            """);
        app.Write("Front/function.json", """
            {"bindings":[{"type":"httpTrigger","direction":"in","name":"req","route":"{*path}",
              "methods":["get","post"]},
             {"type":"http","direction":"out","name":"res"}]}
            """);
        app.Write("Tick/function.json", """
            {"bindings":[{"type":"timerTrigger","direction":"in","name":"timer","schedule":"* * * * * *"}]}
            """);
        var settings = new Dictionary<string, string> { ["WORK"] = Queue };
        var loaded = FunctionApp.Load(app._folder.Root, settings);
        options = (options ?? new()) with { Settings = settings, Observe = end => app._ends.Writer.TryWrite(end) };
        app.Host = await LocalFunctionsHost.StartAsync(loaded, app.Bus, options);
        return app;
    }

    internal Task SendAsync(string message) => Bus.SendAsync(Queue, Encoding.UTF8.GetBytes(message));

    /// <summary>The next end of an invocation of a function.</summary>
    internal async Task<InvocationEnd> NextAsync(string function)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            var end = await _ends.Reader.ReadAsync(patience.Token);
            if (end.Function == function)
            {
                return end;
            }
        }
    }

    /// <summary>The bodies of so many messages of a queue, taken from it.</summary>
    internal async Task<List<byte[]>> TakeAsync(string queue, int count)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        var bodies = new List<byte[]>();
        while (bodies.Count < count)
        {
            foreach (var message in await Bus.ReceiveAsync(queue, 32, Patience, patience.Token))
            {
                bodies.Add(message.Body.ToArray());
                await Bus.CompleteAsync(queue, message, patience.Token);
            }

            await timer.WaitForNextTickAsync(patience.Token);
        }

        return bodies;
    }

    /// <summary>Waits until a queue holds nothing: a message is in the poison queue a moment before it leaves its
    /// own.</summary>
    internal async Task EmptyAsync(string queue)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await Bus.CountAsync(queue, patience.Token) > 0)
        {
            await timer.WaitForNextTickAsync(patience.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Host.DisposeAsync();
        _folder.Dispose();
    }

    private void Write(string name, string text)
    {
        var file = _folder.At(name);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, text);
    }
}
