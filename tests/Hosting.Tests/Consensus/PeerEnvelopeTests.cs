using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Consensus;

namespace SuperVm.Hosting.Tests.Consensus;

public sealed class PeerEnvelopeTests
{
    private const ulong ChainId = 7;

    private static readonly Secp256k1Signer Signer = new(new UInt256(42).ToBigEndian());
    private static readonly Address Receiver = Address.FromNumber(9);

    [Fact]
    public void Opens_with_what_was_sealed()
    {
        Assert.True(PeerEnvelope.TryOpen(ChainId, Sealed(), out var opened));
        Assert.Equal((Signer.Address, Receiver, 5UL), (opened.From, opened.To, opened.Counter));
        Assert.Equal([3UL, 4UL], opened.Messages.Select(entry => ((FetchBlocks)entry.Message).From));
    }

    [Fact]
    public void Any_changed_byte_is_refused()
    {
        var body = Sealed();
        for (var i = 0; i < body.Length; i++)
        {
            body[i] ^= 1;
            Assert.False(PeerEnvelope.TryOpen(ChainId, body, out _), $"byte {i}");
            body[i] ^= 1;
        }
    }

    [Fact]
    public void Another_chain_and_every_shorter_body_are_refused()
    {
        var body = Sealed();
        Assert.False(PeerEnvelope.TryOpen(ChainId + 1, body, out _));
        for (var length = 0; length < body.Length; length++)
        {
            Assert.False(PeerEnvelope.TryOpen(ChainId, body.AsSpan(0, length), out _));
        }
    }

    private static byte[] Sealed() => PeerEnvelope.Seal(
        ChainId, Signer, Receiver, 5,
        [MessageCodec.Encode(new FetchBlocks(3, 1)), MessageCodec.Encode(new FetchBlocks(4, 1))]);
}
