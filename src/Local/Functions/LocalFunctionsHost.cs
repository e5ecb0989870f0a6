using SuperVm.Core.Storage;

namespace SuperVm.Local.Functions;

/// <summary>Runs one function app as the Functions host does: starts its handler and drives it.</summary>
/// <remarks>
/// For machines without Core Tools; where they are, <c>func start</c> in the same folder does the same. The bus is
/// handed in: the one of the process, or an emulator's.
/// </remarks>
public sealed class LocalFunctionsHost : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly HandlerProcess _handler;
    private readonly HandlerClient _client;
    private readonly HttpFront? _front;
    private readonly Task _listeners;

    private LocalFunctionsHost(
        FunctionApp app, IMessageBus bus, LocalHostOptions options, HandlerProcess handler, HttpFront? front)
    {
        _handler = handler;
        _front = front;
        _client = new(app, handler, bus, options);
        _listeners = Task.WhenAll(app.Functions.Select(function => function.Kind switch
        {
            TriggerKind.Queue => ListenAsync(function, app, bus, options),
            TriggerKind.Timer => TimeAsync(function, options),
            _ => Task.CompletedTask,
        }));
    }

    /// <summary>Where the HTTP triggers are; null where the app has none.</summary>
    public Uri? Address => _front?.Address;

    /// <summary>Handler processes started so far.</summary>
    public int HandlerStarts => _handler.Starts;

    /// <summary>The handler's process; null while none runs.</summary>
    public int? HandlerProcessId => _handler.ProcessId;

    /// <summary>The handler's own address as soon as it is ready, past the triggers.</summary>
    public Task<Uri> HandlerAsync(CancellationToken cancellation = default) => _handler.ReadyAsync(cancellation);

    /// <summary>Ends with the reason when the handler is started no more; listening has ended with it.</summary>
    public Task<string> Stopped => _handler.Stopped;

    /// <summary>Starts the handler and the triggers.</summary>
    /// <exception cref="FunctionAppException">The HTTP port cannot be bound.</exception>
    public static async Task<LocalFunctionsHost> StartAsync(
        FunctionApp app, IMessageBus bus, LocalHostOptions options, CancellationToken cancellation = default)
    {
        var handler = new HandlerProcess(app, options);
        try
        {
            var front = app.Functions.Any(function => function.Kind == TriggerKind.Http)
                ? await HttpFront.StartAsync(app, handler, options, cancellation)
                : null;
            return new(app, bus, options, handler, front);
        }
        catch (Exception failure)
        {
            await handler.DisposeAsync();
            throw failure is IOException ? new FunctionAppException(failure.Message) : failure;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _handler.DisposeAsync();
        await _listeners;
        if (_front is not null)
        {
            await _front.DisposeAsync();
        }

        _client.Dispose();
        _stop.Dispose();
    }

    private async Task ListenAsync(
        FunctionDefinition function, FunctionApp app, IMessageBus bus, LocalHostOptions options)
    {
        // Messages are taken only while there is somebody to handle them.
        using var listening = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var listener = new QueueListener(function, app.Host.Queues, bus, _client, options);
        var run = listener.RunAsync(listening.Token);
        await Task.WhenAny(run, _handler.Stopped);
        await listening.CancelAsync();
        await run;
    }

    private async Task TimeAsync(FunctionDefinition function, LocalHostOptions options)
    {
        using var listening = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var run = new TimerListener(function, _client, options).RunAsync(listening.Token);
        await Task.WhenAny(run, _handler.Stopped);
        await listening.CancelAsync();
        await run;
    }
}
