using SuperVm.Core.Consensus.Solo;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Roles;

namespace SuperVm.Hosting.Tests.Roles;

/// <summary>An operator's look at messages that nobody could handle, and their way back.</summary>
public sealed class PoisonDeskTests : IDisposable
{
    private readonly RoleWorld _world = new();

    [Fact]
    public async Task What_lies_there_is_told_in_words_and_stays()
    {
        var transfer = _world.Transfer(0, 0);
        await PutAsync("inbox", ItemPacking.Pack([transfer])[0]);
        await PutAsync("inbox", [0xFF, (byte)'S', (byte)'V', (byte)'C', .. "claims/20261121/ab"u8]);
        await PutAsync("inbox", "nonsense"u8.ToArray());
        await PutAsync("batches", BatchNotice.Encode(new BatchPlace(7, Keccak256.Hash("x"u8))));
        var desk = new PoisonDesk(_world.Ports.Bus);
        for (var look = 0; look < 2; look++)
        {
            var inbox = (await desk.ListAsync("inbox")).Select(message => message.What).ToList();
            Assert.Equal(3, inbox.Count);
            Assert.Contains($"1 tx {Keccak256.Hash(transfer)}", inbox);
            Assert.Contains("a body in the blob claims/20261121/ab", inbox);
            Assert.Contains("no message of this program", inbox);
            Assert.StartsWith("batch 7 0x", Assert.Single(await desk.ListAsync("batches")).What);
        }

        Assert.Empty(await desk.ListAsync("proofs"));
    }

    [Fact]
    public async Task Every_message_goes_back_and_what_was_lost_is_executed()
    {
        for (var nonce = 0UL; nonce < 40; nonce++)
        {
            await PutAsync("inbox", ItemPacking.Pack([_world.Transfer((int)nonce % 4, nonce / 4)])[0]);
        }

        var desk = new PoisonDesk(_world.Ports.Bus);
        Assert.Equal(40, await desk.RedriveAsync("inbox"));
        Assert.Equal(0, await desk.RedriveAsync("inbox"));
        Assert.Empty(await desk.ListAsync("inbox"));
        await _world.DrainAsync(atMost: 200);
        Assert.Equal(40UL, _world.Received);
    }

    public void Dispose() => _world.Dispose();

    private Task PutAsync(string queue, byte[] body) =>
        _world.Ports.Bus.SendAsync(BusLimits.PoisonQueue(queue), body);
}
