using System.Buffers;
using System.IO.Compression;

namespace SuperVm.Hosting.Consensus.Peers;

/// <summary>How a frame's messages are compressed; the numbers are part of the format.</summary>
/// <remarks>Number 3 is kept for zstd, which this version of .NET does not bring.</remarks>
public enum PeerCodec : byte
{
    None = 0,
    Gzip = 1,
    Brotli = 2,
}

/// <summary>A set of codecs, a bit each.</summary>
[Flags]
internal enum PeerCodecs : byte
{
    None = 0,
    Gzip = 1 << PeerCodec.Gzip,
    Brotli = 1 << PeerCodec.Brotli,
}

/// <summary>
/// Compression of frames: both ends agree on a codec when they meet; each frame says whether it is used.
/// </summary>
internal static class PeerCompression
{
    /// <summary>Every codec that this build has.</summary>
    internal const PeerCodecs Known = PeerCodecs.Gzip | PeerCodecs.Brotli;

    /// <summary>Brotli's window and quality for messages on their way: the cheapest that still finds repeats.</summary>
    private const int BrotliQuality = 1;
    private const int BrotliWindow = 18;

    internal static PeerCodecs SetOf(PeerCodec codec) =>
        codec == PeerCodec.None ? PeerCodecs.None : (PeerCodecs)(1 << (int)codec);

    /// <summary>The codec of a session: the caller's offer cut to what the answering side wants.</summary>
    internal static PeerCodec Choose(PeerCodecs offered, PeerCodec wanted) =>
        (offered & SetOf(wanted)) != 0 ? wanted : PeerCodec.None;

    /// <summary>Compresses into the span; false where it has no room for the result.</summary>
    internal static bool TryCompress(PeerCodec codec, ReadOnlySpan<byte> raw, Span<byte> into, out int written)
    {
        written = 0;
        switch (codec)
        {
            case PeerCodec.Brotli:
                return BrotliEncoder.TryCompress(raw, into, out written, BrotliQuality, BrotliWindow);
            case PeerCodec.Gzip:
                using (var target = new MemoryStream(raw.Length))
                {
                    using (var gzip = new GZipStream(target, CompressionLevel.Fastest, leaveOpen: true))
                    {
                        gzip.Write(raw);
                    }

                    written = (int)target.Length;
                    return written <= into.Length && target.GetBuffer().AsSpan(0, written).TryCopyTo(into);
                }

            default:
                return false;
        }
    }

    /// <summary>
    /// Fills the span exactly; false where the bytes are damaged or would become more or less. No more than the span
    /// is ever written, whatever a bomb would unfold to.
    /// </summary>
    internal static bool TryDecompress(PeerCodec codec, ReadOnlyMemory<byte> compressed, Span<byte> raw)
    {
        switch (codec)
        {
            case PeerCodec.Brotli:
                using (var decoder = default(BrotliDecoder))
                {
                    return decoder.Decompress(compressed.Span, raw, out var consumed, out var written)
                        == OperationStatus.Done && written == raw.Length && consumed == compressed.Length;
                }

            case PeerCodec.Gzip:
                try
                {
                    using var source = new MemoryStream(compressed.ToArray());
                    using var gzip = new GZipStream(source, CompressionMode.Decompress);
                    return gzip.ReadAtLeast(raw, raw.Length, throwOnEndOfStream: false) == raw.Length
                        && gzip.ReadByte() < 0;
                }
                catch (InvalidDataException)
                {
                    return false;
                }

            default:
                return false;
        }
    }
}
