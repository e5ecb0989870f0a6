using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using SuperVm.Core.Consensus;

namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>The consensus port: takes the other validators' messages.</summary>
/// <remarks>
/// <code>
///   GET /consensus, Upgrade: supervm, Supervm-Hello: …     101 with the answering hello; then frames, PeerFrame
///                                                          400 malformed or not signed   403 not a validator, muted
///                                                          426 no upgrade asked for
/// </code>
/// Sessions of one peer take turns: a new one ends the one before with its first frame, not earlier, so that a copied
/// hello ends nothing.
/// </remarks>
internal sealed class PeerServer : IAsyncDisposable
{
    internal const string Path = "/consensus";
    internal const string Protocol = "supervm";
    internal const string HelloHeader = "Supervm-Hello";

    /// <summary>Connections in all: two for each validator, and room for strangers to be refused.</summary>
    private const int MaximumConnections = (2 * ValidatorSet.MaximumValidators) + 64;

    /// <summary>How long a connection may be held without a hello.</summary>
    private static readonly TimeSpan StrangerPatience = TimeSpan.FromSeconds(5);

    private readonly PeerIdentity _self;
    private readonly PeerBoard _board;
    private readonly TimeProvider _clock;
    private readonly PeerInbox _inbox;
    private readonly WebApplication _application;
    private readonly CancellationTokenSource _stopping = new();

    internal PeerServer(PeerIdentity self, PeerBoard board, PeerInbox inbox, TimeProvider clock)
    {
        (_self, _board, _clock, _inbox) = (self, board, clock, inbox);
        var options = self.Options;
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        if (options.Certificate is not null)
        {
            builder.WebHost.UseKestrelHttpsConfiguration();
        }

        builder.Services.Configure<KestrelServerOptions>(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = 0;
            kestrel.Limits.RequestHeadersTimeout = StrangerPatience;
            kestrel.Limits.KeepAliveTimeout = StrangerPatience;
            kestrel.Limits.MaxConcurrentConnections = MaximumConnections;
            kestrel.Limits.MaxConcurrentUpgradedConnections = MaximumConnections;
            kestrel.Listen(options.Host, options.Port, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                if (options.Certificate is { } certificate)
                {
                    listen.UseHttps(certificate);
                }
            });
        });
        _application = builder.Build();
        _application.Run(ServeAsync);
    }

    /// <summary>The port that is listened on, once started: another one than asked for where that was 0.</summary>
    internal int Port => new Uri(_application.Urls.First()).Port;

    /// <exception cref="IOException">The port cannot be bound.</exception>
    internal Task StartAsync(CancellationToken cancellation) => _application.StartAsync(cancellation);

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _application.StopAsync(patience.Token);
        await _application.DisposeAsync();
        _stopping.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        var (request, response) = (context.Request, context.Response);
        if (!HttpMethods.IsGet(request.Method) || request.Path != Path)
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        if (context.Features.Get<IHttpUpgradeFeature>() is not { IsUpgradableRequest: true } upgrade)
        {
            response.StatusCode = StatusCodes.Status426UpgradeRequired;
            return;
        }

        var bytes = new byte[PeerHello.Bytes];
        if (!Convert.TryFromBase64String(request.Headers[HelloHeader].ToString(), bytes, out var length)
            || !PeerHello.TryOpen(bytes.AsSpan(0, length), out var hello))
        {
            response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        if (hello.ChainId != _self.ChainId || hello.To != _self.Signer.Address || !_board.Knows(hello.From)
            || _board.IsMuted(hello.From, _clock.GetUtcNow().ToUnixTimeMilliseconds()))
        {
            response.StatusCode = StatusCodes.Status403Forbidden;
            return;
        }

        var codec = PeerCompression.Choose(hello.Codecs, _self.Options.Codec);
        using var key = PeerHello.NewKey();
        var answer = PeerHello.Answer(
            _self.Signer, bytes, codec, _inbox.LastMessage(hello.From, hello.Run), PeerHello.PublicKey(key));
        if (PeerHello.Ciphers(key, hello.Key, bytes, answer) is not { } ciphers)
        {
            response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        using (ciphers.Caller)
        using (ciphers.Answering)
        {
            response.Headers.Upgrade = Protocol;
            response.Headers[HelloHeader] = Convert.ToBase64String(answer);
            await ReceiveAsync(await upgrade.UpgradeAsync(), hello, ciphers.Caller, ciphers.Answering);
        }
    }

    private async Task ReceiveAsync(Stream stream, PeerHello hello, PeerCipher caller, PeerCipher answering)
    {
        var session = new PeerSession(_inbox, _board, _clock, hello);
        try
        {
            await session.RunAsync(stream, caller, answering, _stopping.Token);
        }
        catch (Exception end) when (end is IOException or OperationCanceledException or InvalidDataException)
        {
            // The peer has gone, is to be heard no longer, or sends what is no frame of this connection.
        }
        finally
        {
            session.Dispose();
        }
    }
}
