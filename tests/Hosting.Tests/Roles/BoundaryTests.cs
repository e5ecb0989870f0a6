using System.Text;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Solo;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Roles;
using SuperVm.Hosting.Roles.Consortium;

namespace SuperVm.Hosting.Tests.Roles;

/// <summary>
/// What a role is given from outside may be anything: messages, letters, what lies in the stores. It is taken, refused
/// as having no sense, or waited for; nothing else comes of it.
/// </summary>
public sealed class BoundaryTests : IDisposable
{
    private const int Cases = 2_000;

    private readonly RoleWorld _world = new();
    private readonly Random _random = new(5);

    [Fact]
    public async Task Any_message_is_taken_refused_or_waited_for()
    {
        var order = new SoloOrderService(_world.Ports, _world.Chain.Chain.Genesis, 31337, Address.Zero);
        var execute = new ExecuteService(_world.Ports, _world.Chain, null);
        byte[][] seeds =
        [
            ItemPacking.Pack([_world.Transfer(0, 0), _world.Transfer(1, 0)])[0],
            BatchNotice.Encode(new BatchPlace(1, Keccak256.Hash("batch"u8))),
            BatchNotice.Encode(new BatchPlace(ulong.MaxValue, Keccak256.Hash("batch"u8))),
            [0xFF, (byte)'S', (byte)'V', (byte)'C', .. "claims/20260102/../../config/genesis.json"u8],
            [0xFF, (byte)'S', (byte)'V', (byte)'C'], "H"u8.ToArray(), [],
        ];
        for (var i = 0; i < Cases; i++)
        {
            var body = Mutated(seeds[_random.Next(seeds.Length)]);
            Assert.True(Enum.IsDefined(await order.TakeAsync($"{i}", i % 3 == 0, body, default)));
            Assert.NotEqual(RoleEnd.Done, await OfNotice(execute, body));
        }

        // What was no transaction among them is in no batch; the two that are may have been ordered often.
        await _world.DrainAsync(atMost: 10_000);
        Assert.InRange(_world.Received, 0UL, 2UL);

        async Task<RoleEnd> OfNotice(ExecuteService service, byte[] body) =>
            BatchNotice.IsCall(body) || (BatchNotice.TryDecode(body, out var place) && place.Sequence == 0)
                ? RoleEnd.Malformed
                : await service.ExecuteAsync(body, default);
    }

    [Fact]
    public async Task A_damaged_order_is_waited_for_and_never_overwritten()
    {
        await _world.SendAsync(_world.Transfer(0, 0));
        await _world.DrainAsync();
        var key = new DocumentKey("replica", "order", "solo");
        var whole = (await _world.Ports.Documents.GetAsync(key))!.Body.ToArray();
        for (var i = 0; i < 60; i++)
        {
            var cut = whole[.._random.Next(whole.Length)];
            await _world.Ports.Documents.UpsertAsync(key, cut);
            var order = new SoloOrderService(_world.Ports, _world.Chain.Chain.Genesis, 31337, Address.Zero);
            var body = ItemPacking.Pack([_world.Transfer(0, 1)])[0];
            await Assert.ThrowsAsync<StoreException>(() => order.TakeAsync($"m{i}", false, body, default));
            await Assert.ThrowsAsync<StoreException>(() => order.WatchAsync(default));
            Assert.Equal(cut, (await _world.Ports.Documents.GetAsync(key))!.Body.ToArray());
        }
    }

    [Fact]
    public async Task A_damaged_batch_or_list_of_deferred_transactions_makes_no_block()
    {
        // The second waits for a nonce, so that block 1 leaves it out for later.
        await _world.SendAsync(_world.Transfer(0, 0), _world.Transfer(1, 1));
        await _world.SendAsync(_world.Transfer(0, 1));
        await _world.DrainAsync();
        var digest = new Hash256(_world.Chain.Chain.GetHeader(1)!.Header.ExtraData.Span);
        string[] names = [$"batches/{Convert.ToHexStringLower(digest.Bytes)}", "deferred/1"];
        foreach (var name in names)
        {
            var whole = (await _world.Blobs.GetAsync(name))!.Value.ToArray();
            for (var i = 0; i < 30; i++)
            {
                var damaged = new CutBlobs(_world.Blobs, name, whole[.._random.Next(whole.Length)]);
                using var other = new SingleProcessChain(_world.Genesis);
                var execute = new ExecuteService(_world.Ports with { Blobs = damaged }, other, null);
                var made = name == names[0] ? 0UL : 1UL;
                var last = new BatchPlace(
                    2, new Hash256(_world.Chain.Chain.GetHeader(2)!.Header.ExtraData.Span));
                if (made == 0)
                {
                    await Assert.ThrowsAsync<StoreException>(
                        () => execute.ExecuteAsync(BatchNotice.Encode(last), default));
                }
                else
                {
                    await RestartedAfterFirst(damaged, other, digest, last);
                }

                Assert.Equal(made, other.Chain.Head.Number);
            }
        }
    }

    [Fact]
    public void A_letter_that_was_changed_or_that_nobody_signed_is_not_opened()
    {
        var signer = new Secp256k1Signer(Keccak256.Hash("key"u8).ToArray());
        byte[][] messages = [[1, 2, 3], Encoding.ASCII.GetBytes(new string('x', 300))];
        var sealedOnes = messages.Select(message =>
            PeerLetter.Seal(31337, signer, Address.FromNumber(1), 7, [message])).ToList();
        for (var i = 0; i < Cases; i++)
        {
            var letter = sealedOnes[i % sealedOnes.Count];
            Assert.False(PeerLetter.TryOpen(31337, Mutated(letter), out _));
        }

        Assert.False(PeerLetter.TryOpen(31337, sealedOnes[0], out _)); // signed, but its content is no message
        var empty = PeerLetter.Seal(31337, signer, Address.FromNumber(1), 7, []);
        Assert.True(PeerLetter.TryOpen(31337, empty, out _));
        Assert.False(PeerLetter.TryOpen(1, empty, out _)); // another chain's
    }

    public void Dispose() => _world.Dispose();

    private async Task RestartedAfterFirst(
        IBlobStore damaged, SingleProcessChain other, Hash256 first, BatchPlace last)
    {
        var before = new ExecuteService(_world.Ports, other, null);
        Assert.Equal(RoleEnd.Done, await before.ExecuteAsync(BatchNotice.Encode(new(1, first)), default));
        var execute = new ExecuteService(_world.Ports with { Blobs = damaged }, other, null);
        await Assert.ThrowsAsync<StoreException>(() => execute.ExecuteAsync(BatchNotice.Encode(last), default));
    }

    /// <summary>Cut off, changed in a few bytes, lengthened, or something else altogether; never the same.</summary>
    private byte[] Mutated(byte[] seed)
    {
        var body = seed.ToArray();
        switch (_random.Next(4))
        {
            case 0 when body.Length > 0:
                return body[.._random.Next(body.Length)];
            case 1 when body.Length > 0:
                body[_random.Next(body.Length)] ^= (byte)(1 << _random.Next(8));
                return body;
            case 2:
                return [.. body, (byte)_random.Next(256)];
            default:
                var other = new byte[_random.Next(200)];
                _random.NextBytes(other);
                return other;
        }
    }

    /// <summary>Blobs of which one is cut off.</summary>
    private sealed class CutBlobs(IBlobStore inner, string cut, byte[] body) : IBlobStore
    {
        public Task<bool> PutAsync(string name, ReadOnlyMemory<byte> put, CancellationToken cancellation = default) =>
            inner.PutAsync(name, put, cancellation);

        public Task<ReadOnlyMemory<byte>?> GetAsync(string name, CancellationToken cancellation = default) =>
            name == cut
                ? Task.FromResult<ReadOnlyMemory<byte>?>(body)
                : inner.GetAsync(name, cancellation);

        public Task<bool> DeleteAsync(string name, CancellationToken cancellation = default) =>
            inner.DeleteAsync(name, cancellation);
    }
}
