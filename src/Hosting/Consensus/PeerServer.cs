using System.Buffers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using SuperVm.Core.Consensus;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Consensus;

/// <summary>The consensus port: takes the other validators' messages.</summary>
/// <remarks>
/// <code>
///   POST /consensus  a PeerEnvelope     204 taken   400 malformed or not signed   403 not a validator
///                                       409 a copy  413 too large   429 the peer's queue is full
/// </code>
/// </remarks>
internal sealed class PeerServer : IAsyncDisposable
{
    internal const string Path = "/consensus";

    private readonly Lock _gate = new();
    private readonly Dictionary<Address, ulong> _counters;
    private readonly ulong _chainId;
    private readonly Address _self;
    private readonly EventQueue _events;
    private readonly TimeProvider _clock;
    private readonly WebApplication _application;

    internal PeerServer(ulong chainId, in Address self, ValidatorOptions options, EventQueue events, TimeProvider clock)
    {
        (_chainId, _self, _events, _clock) = (chainId, self, events, clock);
        _counters = options.Validators.ToDictionary(peer => peer.Address, _ => 0UL);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.Services.Configure<Microsoft.AspNetCore.Server.Kestrel.Core.KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = PeerEnvelope.MaximumBytes;
            kestrel.Listen(options.Host, options.Port);
        });
        _application = builder.Build();
        _application.Run(ServeAsync);
    }

    /// <exception cref="IOException">The port cannot be bound.</exception>
    internal Task StartAsync(CancellationToken cancellation) => _application.StartAsync(cancellation);

    public async ValueTask DisposeAsync()
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _application.StopAsync(patience.Token);
        await _application.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (!HttpMethods.IsPost(request.Method) || request.Path != Path)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        try
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body, context.RequestAborted);
            response.StatusCode = Take(body.GetBuffer().AsSpan(0, (int)body.Length));
        }
        catch (BadHttpRequestException refusal)
        {
            response.StatusCode = refusal.StatusCode;
        }
        catch (Exception end) when (end is OperationCanceledException or IOException
            && context.RequestAborted.IsCancellationRequested)
        {
            // The peer has gone: nobody is there to be answered.
        }
    }

    private int Take(ReadOnlySpan<byte> body)
    {
        if (!PeerEnvelope.TryOpen(_chainId, body, out var envelope))
        {
            return StatusCodes.Status400BadRequest;
        }

        lock (_gate)
        {
            if (envelope.To != _self || !_counters.TryGetValue(envelope.From, out var last))
            {
                return StatusCodes.Status403Forbidden;
            }

            if (envelope.Counter <= last)
            {
                return StatusCodes.Status409Conflict;
            }

            _counters[envelope.From] = envelope.Counter;
        }

        var now = _clock.GetUtcNow().ToUnixTimeMilliseconds();
        var taken = true;
        foreach (var (message, bytes) in envelope.Messages)
        {
            taken &= _events.TryAdd(envelope.From, new MessageArrived(now, envelope.From, message), bytes);
        }

        return taken ? StatusCodes.Status204NoContent : StatusCodes.Status429TooManyRequests;
    }
}
