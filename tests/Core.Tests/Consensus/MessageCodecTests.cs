using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Consensus;

public sealed class MessageCodecTests
{
    private static readonly Hash256 Some = Keccak256.Hash("some"u8);

    public static TheoryData<int> Kinds() => [.. Enumerable.Range(0, Samples().Count)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_message_survives_its_encoding_byte_for_byte(int index)
    {
        var encoded = MessageCodec.Encode(Samples()[index]);
        Assert.True(MessageCodec.TryDecode(encoded, out var decoded));
        Assert.Equal(Samples()[index].Kind, decoded.Kind);
        Assert.Equal(encoded, MessageCodec.Encode(decoded));
    }

    [Fact]
    public void Every_kind_has_a_sample() =>
        Assert.Equal(Enum.GetValues<MessageKind>(), Samples().Select(message => message.Kind).Distinct().Order());

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_changed_byte_is_refused_or_is_another_messages_only_encoding(int index)
    {
        var encoded = MessageCodec.Encode(Samples()[index]);
        var refused = 0;
        for (var at = 0; at < encoded.Length; at++)
        {
            for (var bit = 0; bit < 8; bit++)
            {
                var changed = encoded.ToArray();
                changed[at] ^= (byte)(1 << bit);
                if (MessageCodec.TryDecode(changed, out var decoded))
                {
                    Assert.Equal(changed, MessageCodec.Encode(decoded));
                }
                else
                {
                    refused++;
                }
            }
        }

        // The version and the lengths of lists at least.
        Assert.InRange(refused, 8, (8 * encoded.Length) - 1);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_message_cut_short_or_with_bytes_behind_is_refused(int index)
    {
        var encoded = MessageCodec.Encode(Samples()[index]);
        for (var length = 0; length < encoded.Length; length++)
        {
            Assert.False(MessageCodec.TryDecode(encoded.AsSpan(0, length), out _));
        }

        Assert.False(MessageCodec.TryDecode([.. encoded, 0], out _));
    }

    [Fact]
    public void Random_bytes_are_refused_without_an_exception()
    {
        var state = 12345UL;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[3 + (i % 200)];
            for (var b = 0; b < bytes.Length; b++)
            {
                state = (state * 6364136223846793005UL) + 1442695040888963407UL;
                bytes[b] = (byte)(state >> 56);
            }

            bytes[0] = MessageCodec.Version;
            bytes[1] = (byte)((i % 16) + 1);
            if (MessageCodec.TryDecode(bytes, out var decoded))
            {
                Assert.Equal(bytes, MessageCodec.Encode(decoded));
            }
        }
    }

    [Fact]
    public void Another_version_and_an_oversized_message_are_refused()
    {
        var encoded = MessageCodec.Encode(new FetchBlocks(1, 2));
        encoded[0]++;
        Assert.False(MessageCodec.TryDecode(encoded, out _));
        var big = new byte[Limits.MessageBytes + 1];
        Assert.False(MessageCodec.TryDecode(big, out _));
    }

    private static List<ConsensusMessage> Samples()
    {
        var header = new BatchHeader(7, 3, 2, Some, Address.FromNumber(9), 1_700_000_000, Some, 30_000_000, Some, 1);
        SignatureShare[] shares = [new(0, [1, 2, 3]), new(3, [4])];
        var certificate = new QuorumCertificate(VotePhase.Prepare, 3, 7, header.Digest, shares);
        var attestation = new CheckpointCertificate(new CheckpointStatement(7, Some, Some, Hash256.Zero), shares);
        var batch = new Batch(header, [Some], [[1, 2, 3, 0x80]]);
        var change = new ViewChange(4, 6, attestation, [new PreparedProof(header, certificate)], 1, [9, 9]);
        var epoch = new EpochProof(attestation, TestCluster.SetOf(4));
        return
        [
            new Request([[1], [], [0x80, 1]]),
            new PrePrepare(3, header, [Some], [1, 2]),
            new Vote(VotePhase.Prepare, 3, 7, Some, 2, new byte[65]),
            new Vote(VotePhase.Commit, 3, 7, Some, 2, [7]),
            new Checkpoint(attestation.Statement, 2, [7, 8]),
            change,
            change with { Stable = null, Prepared = [] },
            new NewView(4, [change, change with { Validator = 2 }], 0, [5]),
            new Status(4, true, 9, 8, null, false),
            new Status(4, false, 9, 8, attestation, true),
            new FetchTransactions(Some, [Some, Hash256.Zero]),
            new Transactions([[1, 2]]),
            new FetchBatch(7, Some),
            new BatchBody(batch),
            new FetchBlocks(5, 16),
            new Blocks([new(batch, certificate, null), new(batch, certificate, attestation)]),
            new Snapshot(attestation, [header, header], [epoch]),
            new FetchState(70, StatePart.Nodes, [0xC1, 0x07]),
            new StateChunk(70, StatePart.Batches, [1, 2, 3, 4]),
        ];
    }
}
