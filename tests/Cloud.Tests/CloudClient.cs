using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using SuperVm.Cli.Cloud;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Cloud.Tests;

/// <summary>A client that does what a careful one does: it sends again until it is answered.</summary>
internal sealed class CloudClient(CloudValidator validator)
{
    /// <summary>How long anything may take; a run that needs it has failed.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly IReadOnlyList<DevAccount> _accounts = DevGenesis.AccountsOf(Mnemonic.Development, 10);
    private readonly ulong[] _nonces = new ulong[10];

    /// <summary>A transfer of 1 wei, with the account's next nonce.</summary>
    internal (byte[] Bytes, string Hash) NextTransfer(int account, in Address to)
    {
        var signed = TransactionSigner.Sign(
            new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = ChainSpec.DevelopmentChainId, Nonce = _nonces[account]++,
                To = to, Value = 1, GasLimit = 21_000, MaxFeePerGas = 5_000_000_000, MaxPriorityFeePerGas = 1,
            },
            _accounts[account].PrivateKey);
        return (TransactionCodec.Encode(signed), signed.Hash.ToString());
    }

    /// <summary>
    /// Sends until it is known: taken, or refused because it was taken before and its answer got lost.
    /// </summary>
    internal async Task SubmitAsync(byte[] transaction)
    {
        await UntilAsync(async () =>
        {
            var answer = await CallAsync("eth_sendRawTransaction", Hex.Encode(transaction));
            if (answer is not { } body)
            {
                return false;
            }

            return body.TryGetProperty("result", out _)
                || body.GetProperty("error").GetProperty("message").GetString() is { } words
                && (words.Contains("already known", StringComparison.Ordinal)
                    || words.Contains("nonce too low", StringComparison.Ordinal));
        });
    }

    /// <summary>Waits until all of the transactions stand in blocks, successful.</summary>
    internal async Task IncludedAsync(IReadOnlyCollection<string> hashes)
    {
        foreach (var hash in hashes)
        {
            await UntilAsync(async () =>
                await CallAsync("eth_getTransactionReceipt", hash) is { } body
                && body.TryGetProperty("result", out var receipt) && receipt.ValueKind == JsonValueKind.Object
                && receipt.GetProperty("status").GetString() == "0x1");
        }
    }

    internal async Task<ulong> BalanceAsync(Address address)
    {
        var balance = 0UL;
        await UntilAsync(async () =>
        {
            if (await CallAsync("eth_getBalance", address.ToString(), "latest") is not { } body
                || !body.TryGetProperty("result", out var result))
            {
                return false;
            }

            balance = ulong.Parse(
                result.GetString()!.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
            return true;
        });
        return balance;
    }

    /// <summary>Looks again and again until it holds.</summary>
    internal static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var timer = new PeriodicTimer(Pause);
        while (!await holds())
        {
            await timer.WaitForNextTickAsync(patience.Token);
        }
    }

    /// <summary>The whole answer; null where nobody answers.</summary>
    internal async Task<JsonElement?> CallAsync(string method, params object[] parameters)
    {
        try
        {
            using var answer = await _http.PostAsJsonAsync(
                validator.Rpc, new { jsonrpc = "2.0", id = 1, method, @params = parameters });
            return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<JsonElement>() : null;
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or TaskCanceledException
            or JsonException)
        {
            return null;
        }
    }
}
