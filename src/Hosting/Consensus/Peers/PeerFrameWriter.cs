namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>Puts messages into sealed frames, compressed where that pays. One thread at a time.</summary>
/// <remarks>
/// Signatures and hashes do not become smaller. After a frame that saved less than a tenth the next ones go as they
/// are: one more each time up to <see cref="MostSkipped"/>, until one pays again.
/// </remarks>
internal sealed class PeerFrameWriter(PeerCipher cipher, PeerCodec codec)
{
    /// <summary>Smaller frames are not compressed.</summary>
    internal const int CompressedFrom = 1_024;

    private const int MostSkipped = 64;
    private const int UsualBytes = 128 << 10;

    private byte[] _plain = new byte[UsualBytes];
    private byte[] _sealed = new byte[UsualBytes];
    private int _skip;
    private int _skipNext = 1;

    /// <summary>Size of the messages of the last frame, before and after compression.</summary>
    internal (int Raw, int Packed) Sizes { get; private set; }

    /// <summary>The sealed frame; valid until the next call.</summary>
    internal ReadOnlyMemory<byte> Write(bool wantsAnswer, ulong number, long stamp, List<byte[]> messages)
    {
        var size = 0;
        foreach (var message in messages)
        {
            size += 4 + message.Length;
        }

        // The messages first, behind room for their compressed form and the head.
        var rawAt = PeerFrame.HeadBytes + size;
        Resize(ref _plain, rawAt + size);
        var place = rawAt;
        foreach (var message in messages)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(_plain.AsSpan(place), message.Length);
            message.CopyTo(_plain, place + 4);
            place += 4 + message.Length;
        }

        var used = TryPack(rawAt, size, out var packed) ? codec : PeerCodec.None;
        var start = used == PeerCodec.None ? rawAt - PeerFrame.HeadBytes : 0;
        new PeerFrame(used, wantsAnswer, number, stamp).Write(_plain.AsSpan(start), size);
        Sizes = (size, packed);
        Resize(ref _sealed, PeerCipher.SealedBytes(PeerFrame.HeadBytes + packed));
        return _sealed.AsMemory(0, cipher.Seal(_plain.AsSpan(start, PeerFrame.HeadBytes + packed), _sealed));
    }

    private bool TryPack(int rawAt, int size, out int packed)
    {
        packed = size;
        if (codec == PeerCodec.None || size < CompressedFrom || _skip-- > 0)
        {
            return false;
        }

        if (PeerCompression.TryCompress(
            codec, _plain.AsSpan(rawAt, size), _plain.AsSpan(PeerFrame.HeadBytes, size), out var written)
            && written < size - (size / 10))
        {
            (_skip, _skipNext, packed) = (0, 1, written);
            return true;
        }

        _skip = _skipNext;
        _skipNext = Math.Min(2 * _skipNext, MostSkipped);
        return false;
    }

    private static void Resize(ref byte[] buffer, int needed)
    {
        if (buffer.Length < needed || (buffer.Length > UsualBytes && needed <= UsualBytes))
        {
            buffer = new byte[Math.Max(needed, UsualBytes)];
        }
    }
}
