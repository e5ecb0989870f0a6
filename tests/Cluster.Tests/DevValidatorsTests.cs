using System.Diagnostics;
using System.Text.Json;

namespace SuperVm.Cluster.Tests;

/// <summary>`supervm dev --validators 4`: four replicas in one process behind one JSON-RPC port.</summary>
public sealed class DevValidatorsTests : IDisposable
{
    private const int EpochLength = 4;

    private readonly DevProcess _node = new("--validators", "4", "--epoch-length", $"{EpochLength}");

    [Fact]
    public async Task Blocks_are_final_by_a_quorum_over_epochs_and_outlive_kill_9()
    {
        await _node.StartAsync();
        var hashes = new List<string>();
        for (var nonce = 0UL; nonce < EpochLength + 1; nonce++)
        {
            hashes.Add(await SendAsync(nonce));
        }

        var last = await FinalAsync();
        Assert.True(last > EpochLength);
        var epoch = await _node.CallAsync("supervm_getValidators");
        Assert.Equal(4, epoch.GetProperty("validators").GetArrayLength());
        Assert.NotEqual("0x0", epoch.GetProperty("epoch").GetString());
        var certificate = await _node.CallAsync("supervm_getCertificate", $"0x{last:x}");
        Assert.InRange(certificate.GetProperty("signatures").GetArrayLength(), 3, 4);

        _node.Kill();
        await _node.StartAsync();
        foreach (var hash in hashes)
        {
            var receipt = await _node.CallAsync("eth_getTransactionReceipt", hash);
            Assert.Equal("0x1", receipt.GetProperty("status").GetString());
        }

        await SendAsync(EpochLength + 1);
        Assert.True(await FinalAsync() > last);
    }

    public void Dispose() => _node.Dispose();

    /// <summary>Sends a transfer and waits for its block.</summary>
    private async Task<string> SendAsync(ulong nonce)
    {
        var hash = (await _node.CallAsync("eth_sendRawTransaction", DevProcess.Transfer(nonce))).GetString()!;
        await UntilAsync(async () =>
            (await _node.CallAsync("eth_getTransactionReceipt", hash)).ValueKind == JsonValueKind.Object);
        return hash;
    }

    /// <summary>The newest block, once it is final.</summary>
    private async Task<ulong> FinalAsync()
    {
        var head = await NumberAsync("latest");
        await UntilAsync(async () => await NumberAsync("finalized") >= head);
        return head;
    }

    private async Task<ulong> NumberAsync(string tag) => Convert.ToUInt64(
        (await _node.CallAsync("eth_getBlockByNumber", tag, false)).GetProperty("number").GetString(), 16);

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        var began = Stopwatch.GetTimestamp();
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(90), "waited too long");
            await pause.WaitForNextTickAsync();
        }
    }
}
