using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;

namespace SuperVm.Cli.Bench.Pbft;

/// <summary>
/// Clients that hand groups of requests to every node, each with one group under way: the next goes when the last one
/// is
/// ordered.
/// </summary>
internal sealed class RequestLoad : IDisposable
{
    private readonly HttpClient _client = new(new SocketsHttpHandler { UseProxy = false, UseCookies = false });
    private readonly CancellationTokenSource _ending = new();
    private long _number;

    /// <summary>Requests that were not taken.</summary>
    internal long Refused { get; private set; }

    /// <summary>Loads the nodes until the time is over, and waits for the last answers.</summary>
    internal Task RunAsync(IEnumerable<Uri> nodes, int clients, int group, TimeSpan time, TimeSpan pause)
    {
        var until = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
        return Task.WhenAll(nodes.SelectMany(node =>
            Enumerable.Range(0, clients).Select(_ => LoadAsync(new Uri(node, "/order"), group, until, pause))));
    }

    public void Dispose()
    {
        _ending.Cancel();
        _client.Dispose();
        _ending.Dispose();
    }

    private async Task LoadAsync(Uri node, int group, long until, TimeSpan pause)
    {
        var body = new byte[group * OrderingProcess.RequestBytes];
        while (Stopwatch.GetTimestamp() < until)
        {
            RandomNumberGenerator.Fill(body);
            var now = Stopwatch.GetTimestamp();
            for (var i = 0; i < group; i++)
            {
                var request = body.AsSpan(i * OrderingProcess.RequestBytes);
                BinaryPrimitives.WriteInt64LittleEndian(request, now);
                BinaryPrimitives.WriteInt64LittleEndian(request[16..], Interlocked.Increment(ref _number));
            }

            using var content = new ByteArrayContent(body);
            using var answer = await _client.PostAsync(node, content, _ending.Token);
            Refused += answer.IsSuccessStatusCode ? 0 : group;
            if (pause > TimeSpan.Zero)
            {
                await Task.Delay(pause, _ending.Token);
            }
        }
    }
}
