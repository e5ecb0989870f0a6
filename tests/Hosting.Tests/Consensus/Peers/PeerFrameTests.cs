using System.Buffers.Binary;
using SuperVm.Core.Consensus;
using SuperVm.Core.Consensus.Messages;
using SuperVm.Hosting.Consensus.Peers;

namespace SuperVm.Hosting.Tests.Consensus.Peers;

public sealed class PeerFrameTests
{
    private static readonly byte[] Key = new byte[PeerCipher.KeyBytes];

    [Theory]
    [InlineData(PeerCodec.None)]
    [InlineData(PeerCodec.Gzip)]
    [InlineData(PeerCodec.Brotli)]
    public async Task Frames_come_out_as_they_went_in_however_the_stream_cuts_them(PeerCodec codec)
    {
        List<byte[]> small = [[1, 2], []];
        List<byte[]> large = [.. Enumerable.Range(0, 3_000).Select(i => new byte[i % 200])];
        var writer = new PeerFrameWriter(new PeerCipher(Key), codec);
        byte[] bytes = [
            .. writer.Write(true, 1, 5, small).ToArray(), .. writer.Write(false, 3, 6, large).ToArray(),
            .. writer.Write(false, 3_003, 7, small).ToArray()];
        var reader = new PeerFrameReader(new Trickle(bytes), new PeerCipher(Key));
        foreach (var (expected, number) in new[] { (small, 1UL), (large, 3UL), (small, 3_003UL) })
        {
            var frame = (await reader.ReadAsync(default))!.Value;
            Assert.True(PeerFrame.TryRead(frame.Span, out var head, out var size));
            Assert.Equal(number, head.Number);
            var raw = new byte[size];
            if (head.Codec == PeerCodec.None)
            {
                frame[PeerFrame.HeadBytes..].CopyTo(raw);
            }
            else
            {
                Assert.True(frame.Length < size / 2);
                Assert.True(PeerCompression.TryDecompress(head.Codec, frame[PeerFrame.HeadBytes..], raw));
            }

            Assert.Equal(expected.SelectMany(Prefixed), raw);
        }

        Assert.Null(await reader.ReadAsync(default));
    }

    [Fact]
    public async Task A_frame_that_is_too_long_too_short_changed_or_repeated_ends_the_stream()
    {
        var writer = new PeerFrameWriter(new PeerCipher(Key), PeerCodec.None);
        var good = writer.Write(false, 1, 0, [[1, 2, 3]]).ToArray();
        var changed = good.ToArray();
        changed[10] ^= 1;
        byte[] huge = [0x7f, 255, 255, 255, 0], tiny = [0, 0, 0, 1, 0], negative = [255, 255, 255, 255, 0];
        foreach (var bytes in new[] { huge, tiny, negative, changed })
        {
            var reader = new PeerFrameReader(new MemoryStream(bytes), new PeerCipher(Key));
            await Assert.ThrowsAsync<InvalidDataException>(async () => await reader.ReadAsync(default));
        }

        var twice = new PeerFrameReader(new MemoryStream([.. good, .. good]), new PeerCipher(Key));
        Assert.NotNull(await twice.ReadAsync(default));
        await Assert.ThrowsAsync<InvalidDataException>(async () => await twice.ReadAsync(default));
    }

    [Theory]
    [InlineData(PeerCodec.Gzip)]
    [InlineData(PeerCodec.Brotli)]
    public void What_unfolds_to_more_or_less_than_it_says_is_refused(PeerCodec codec)
    {
        var packed = new byte[100_000];
        Assert.True(PeerCompression.TryCompress(codec, new byte[4_000_000], packed, out var size));
        var bomb = packed.AsMemory(0, size);
        Assert.True(PeerCompression.TryDecompress(codec, bomb, new byte[4_000_000]));
        Assert.False(PeerCompression.TryDecompress(codec, bomb, new byte[3_999_999]));
        Assert.False(PeerCompression.TryDecompress(codec, bomb, new byte[4_000_001]));
        Assert.False(PeerCompression.TryDecompress(codec, bomb[..(size / 2)], new byte[4_000_000]));
    }

    [Fact]
    public void What_does_not_become_smaller_goes_as_it_is_and_is_tried_less_and_less()
    {
        var random = new byte[5_000];
        new Random(1).NextBytes(random);
        var writer = new PeerFrameWriter(new PeerCipher(Key), PeerCodec.Brotli);
        writer.Write(false, 1, 0, [random]);
        Assert.Equal((5_004, 5_004), writer.Sizes);
        writer.Write(false, 2, 0, [new byte[5_000]]);
        Assert.Equal((5_004, 5_004), writer.Sizes);
        writer.Write(false, 3, 0, [new byte[5_000]]);
        Assert.True(writer.Sizes.Packed < 100);
    }

    [Fact]
    public void Garbage_is_refused_with_a_reason_and_never_throws()
    {
        var random = new Random(7);
        var message = MessageCodec.Encode(new FetchBlocks(3, 1));
        var (taken, refused) = (0, 0);
        for (var round = 0; round < 20_000; round++)
        {
            byte[] frame = [.. new byte[PeerFrame.HeadBytes], .. Prefixed(message), .. Prefixed(message)];
            new PeerFrame(PeerCodec.None, false, 1, 0).Write(frame, frame.Length - PeerFrame.HeadBytes);
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                frame[random.Next(frame.Length)] = (byte)random.Next(256);
            }

            if (!PeerFrame.TryRead(frame, out var head, out var size))
            {
                continue;
            }

            if (head.Codec != PeerCodec.None)
            {
                PeerCompression.TryDecompress(head.Codec, frame.AsMemory(PeerFrame.HeadBytes), new byte[size & 0xffff]);
                continue;
            }

            ReadOnlySpan<byte> rest = frame.AsSpan(PeerFrame.HeadBytes);
            DropReason? refusal;
            while (PeerFrame.TryTake(ref rest, out _, out _, out refusal))
            {
                Assert.Null(refusal);
            }

            _ = refusal is null ? taken++ : refused++;
            Assert.True(refusal is null ? rest.IsEmpty : refusal is DropReason.Malformed or DropReason.Oversized);
        }

        Assert.True(taken > 0 && refused > 0, $"{taken} frames were whole, {refused} were not");
    }

    private static byte[] Prefixed(byte[] message)
    {
        var bytes = new byte[4 + message.Length];
        BinaryPrimitives.WriteInt32BigEndian(bytes, message.Length);
        message.CopyTo(bytes, 4);
        return bytes;
    }

    /// <summary>Gives a few bytes at a time.</summary>
    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        private int _turn;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            base.ReadAsync(buffer[..Math.Min(buffer.Length, 1 + (_turn++ * 7_919 % 4_096))], cancellationToken);
    }
}
