using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Bench.EndToEnd;

/// <summary>What one run gave; latencies in milliseconds from submission to the receipt seen.</summary>
internal sealed record LoadResult(
    double TransactionsPerSecond, double SubmittedPerSecond, double MedianLatency, double HighLatency, int Lost);

/// <summary>Signs transfers of its own accounts, submits them in batches and polls for every receipt.</summary>
internal sealed class HttpLoad(string url, int count) : IDisposable
{
    private const int Accounts = 50;
    private const int Lanes = 2;
    private const int BatchSize = 50;
    private const int PollSize = 500;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);
    private static readonly UInt256 GasPrice = 20_000_000_000;

    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromMinutes(2) };
    private readonly byte[][] _keys = [.. Enumerable.Range(0, Accounts).Select(
        i => Keccak256.Hash(System.Text.Encoding.ASCII.GetBytes($"e2e{i}")).ToArray())];
    private ulong[]? _nonces;
    private ulong _chainId;

    internal async Task WaitUntilReadyAsync(TimeSpan limit, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                await CallAsync("eth_chainId", [], cancellation);
                return;
            }
            catch (HttpRequestException) when (Stopwatch.GetElapsedTime(started) < limit)
            {
                await Task.Delay(20, cancellation);
            }
        }
    }

    internal async Task<LoadResult> RunAsync(CancellationToken cancellation)
    {
        _nonces ??= await FundAsync(cancellation);
        var signed = Sign();
        var sentAt = new long[count];
        var hashes = new string?[count];
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Lanes).Select(
            lane => SubmitAsync(lane, signed, sentAt, hashes, cancellation)));
        var submitted = Stopwatch.GetElapsedTime(started).TotalSeconds;
        var (latencies, lastSeen) = await PollAsync(hashes, sentAt, cancellation);
        latencies.Sort();
        var seconds = Stopwatch.GetElapsedTime(started, lastSeen).TotalSeconds;
        return new LoadResult(
            latencies.Count / seconds, count / submitted, At(latencies, 0.5), At(latencies, 0.99),
            count - latencies.Count);
    }

    public void Dispose() => _http.Dispose();

    private static double At(List<double> sorted, double part) =>
        sorted.Count == 0 ? 0 : sorted[Math.Min(sorted.Count - 1, (int)(sorted.Count * part))];

    private async Task<ulong[]> FundAsync(CancellationToken cancellation)
    {
        _chainId = Convert.ToUInt64((string)(await CallAsync("eth_chainId", [], cancellation))!, 16);
        var funder = Mnemonic.PrivateKeyAt(Mnemonic.SeedOf(Mnemonic.Development), "m/44'/60'/0'/0/0");
        var nonce = await NonceOfAsync(funder, cancellation);
        string? last = null;
        foreach (var key in _keys)
        {
            var raw = Transfer(funder, nonce++, Secp256k1.AddressOf(key), 1_000_000_000_000_000_000);
            last = (string?)await CallAsync("eth_sendRawTransaction", [raw], cancellation);
        }

        while (await CallAsync("eth_getTransactionReceipt", [last!], cancellation) is null)
        {
            await Task.Delay(10, cancellation);
        }

        var nonces = new ulong[Accounts];
        for (var i = 0; i < Accounts; i++)
        {
            nonces[i] = await NonceOfAsync(_keys[i], cancellation);
        }

        return nonces;
    }

    private string[] Sign()
    {
        var nonces = new ulong[count];
        for (var i = 0; i < count; i++)
        {
            nonces[i] = _nonces![i % Accounts]++;
        }

        var signed = new string[count];
        System.Threading.Tasks.Parallel.For(0, count, i => signed[i] = Transfer(
            _keys[i % Accounts], nonces[i], Secp256k1.AddressOf(_keys[((i * 7) + 1) % Accounts]), 1));
        return signed;
    }

    private string Transfer(byte[] key, ulong nonce, Address to, UInt256 value) =>
        Hex.Encode(TransactionCodec.Encode(TransactionSigner.Sign(
            new Transaction
            {
                Type = TransactionType.Legacy, ChainId = _chainId, Nonce = nonce, GasLimit = 21_000, To = to,
                Value = value, MaxFeePerGas = GasPrice, MaxPriorityFeePerGas = GasPrice,
            },
            key)));

    /// <summary>A lane owns its accounts, so that their nonces arrive in order.</summary>
    private async Task SubmitAsync(
        int lane, string[] signed, long[] sentAt, string?[] hashes, CancellationToken cancellation)
    {
        var mine = Enumerable.Range(0, count).Where(i => i % Accounts % Lanes == lane);
        foreach (var part in mine.Chunk(BatchSize))
        {
            var now = Stopwatch.GetTimestamp();
            var answers = await BatchAsync("eth_sendRawTransaction", part, i => signed[i], cancellation);
            foreach (var answer in answers)
            {
                var index = (int)answer!["id"]!;
                hashes[index] = (string?)answer["result"];
                sentAt[index] = now;
            }
        }
    }

    private async Task<(List<double> Latencies, long LastSeen)> PollAsync(
        string?[] hashes, long[] sentAt, CancellationToken cancellation)
    {
        var latencies = new List<double>(count);
        var open = Enumerable.Range(0, count).Where(i => hashes[i] is not null).ToList();
        var lastSeen = Stopwatch.GetTimestamp();
        while (open.Count > 0 && Stopwatch.GetElapsedTime(lastSeen) < Patience)
        {
            var still = new List<int>();
            foreach (var part in open.Chunk(PollSize))
            {
                var answers = await BatchAsync("eth_getTransactionReceipt", part, i => hashes[i]!, cancellation);
                var now = Stopwatch.GetTimestamp();
                foreach (var answer in answers)
                {
                    var index = (int)answer!["id"]!;
                    if (answer["result"] is null)
                    {
                        still.Add(index);
                        continue;
                    }

                    lastSeen = now;
                    latencies.Add(Stopwatch.GetElapsedTime(sentAt[index], now).TotalMilliseconds);
                }
            }

            if (still.Count == open.Count)
            {
                await Task.Delay(10, cancellation);
            }

            open = still;
        }

        return (latencies, lastSeen);
    }

    private async Task<ulong> NonceOfAsync(byte[] key, CancellationToken cancellation)
    {
        var address = Secp256k1.AddressOf(key).ToString();
        var answer = (string?)await CallAsync("eth_getTransactionCount", [address, "latest"], cancellation);
        return ulong.Parse(answer.AsSpan(2), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }

    private async Task<JsonNode?> CallAsync(string method, string[] parameters, CancellationToken cancellation)
    {
        var request = Request(1, method, parameters);
        var answer = await PostAsync(request, cancellation);
        return answer!["error"] is { } error
            ? throw new InvalidOperationException($"{method}: {error}")
            : answer["result"]?.DeepClone();
    }

    private async Task<JsonArray> BatchAsync(
        string method, IEnumerable<int> ids, Func<int, string> parameter, CancellationToken cancellation)
    {
        var batch = new JsonArray();
        foreach (var id in ids)
        {
            batch.Add(Request(id, method, [parameter(id)]));
        }

        return (await PostAsync(batch, cancellation))!.AsArray();
    }

    private async Task<JsonNode?> PostAsync(JsonNode body, CancellationToken cancellation)
    {
        using var response = await _http.PostAsJsonAsync(url, body, cancellation);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<JsonNode>(cancellation);
    }

    private static JsonObject Request(int id, string method, string[] parameters) => new()
    {
        ["jsonrpc"] = "2.0", ["id"] = id, ["method"] = method,
        ["params"] = new JsonArray([.. parameters.Select(parameter => (JsonNode?)parameter)]),
    };
}
