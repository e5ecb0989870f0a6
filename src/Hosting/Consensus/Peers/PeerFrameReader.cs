using System.Buffers.Binary;

namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>Reads and opens the frames of a stream. One reader at a time.</summary>
internal sealed class PeerFrameReader(Stream stream, PeerCipher cipher)
{
    /// <summary>The buffers' size while no longer frame comes.</summary>
    private const int UsualBytes = 128 << 10;

    private byte[] _read = new byte[UsualBytes];
    private byte[] _plain = new byte[UsualBytes];
    private int _start;
    private int _end;

    /// <summary>Bytes read from the stream.</summary>
    internal long Bytes { get; private set; }

    /// <summary>Whether a whole frame waits already.</summary>
    internal bool HasNext => NextBytes is { } bytes && _end - _start >= bytes;

    /// <summary>
    /// The next frame, opened, valid until the next call; null where the stream ended.
    /// </summary>
    /// <exception cref="InvalidDataException">A frame that is too long, or not the next one of the session.</exception>
    internal async ValueTask<ReadOnlyMemory<byte>?> ReadAsync(CancellationToken cancellation)
    {
        while (!HasNext)
        {
            MakeRoom(NextBytes ?? PeerCipher.LengthBytes);
            var got = await stream.ReadAsync(_read.AsMemory(_end), cancellation);
            if (got == 0)
            {
                return null;
            }

            _end += got;
            Bytes += got;
        }

        return Open(NextBytes!.Value);
    }

    /// <summary>The size of the next frame with its length, where that is known.</summary>
    private int? NextBytes
    {
        get
        {
            if (_end - _start < PeerCipher.LengthBytes)
            {
                return null;
            }

            var length = BinaryPrimitives.ReadInt32BigEndian(_read.AsSpan(_start));
            return length is >= PeerCipher.TagBytes and <= PeerFrame.MaximumBytes + PeerCipher.TagBytes
                ? PeerCipher.LengthBytes + length
                : throw new InvalidDataException("a frame of the wrong size");
        }
    }

    private ReadOnlyMemory<byte> Open(int bytes)
    {
        var plain = bytes - PeerCipher.LengthBytes - PeerCipher.TagBytes;
        if (_plain.Length < plain || (_plain.Length > UsualBytes && plain <= UsualBytes))
        {
            _plain = new byte[Math.Max(plain, UsualBytes)];
        }

        var frame = _read.AsSpan(_start + PeerCipher.LengthBytes, bytes - PeerCipher.LengthBytes);
        if (!cipher.TryOpen(frame, _plain))
        {
            throw new InvalidDataException("a frame that is not the session's next");
        }

        _start += bytes;
        return _plain.AsMemory(0, plain);
    }

    private void MakeRoom(int needed)
    {
        var held = _end - _start;
        var size = Math.Max(needed, UsualBytes);
        if (size != _read.Length && (size > _read.Length || held <= UsualBytes))
        {
            var larger = new byte[size];
            _read.AsSpan(_start, held).CopyTo(larger);
            (_read, _start, _end) = (larger, 0, held);
        }
        else if (_start > 0)
        {
            _read.AsSpan(_start, held).CopyTo(_read);
            (_start, _end) = (0, held);
        }
    }
}
