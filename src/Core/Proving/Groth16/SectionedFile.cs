using System.Buffers.Binary;

namespace SuperVm.Core.Proving.Groth16;

/// <summary>The container of snarkjs' binary files.</summary>
/// <remarks>
/// <code>
///   | magic: 4 | version: u32 | sections: u32 | { type: u32, size: u64, bytes }… |     little-endian
/// </code>
/// Every section lies within the file, and a type stands once (iden3/binfileutils).
/// </remarks>
public sealed class SectionedFile
{
    /// <summary>Sections that a file may have; snarkjs writes ten.</summary>
    public const int MostSections = 64;

    private const int HeaderSize = 12;
    private const int SectionHeaderSize = 12;

    private readonly ByteSource _source;
    private readonly Dictionary<uint, (long Offset, long Size)> _sections = [];
    private readonly string _kind;

    /// <param name="source">The file; stays the caller's.</param>
    /// <param name="kind">Its magic word of four letters.</param>
    /// <param name="version">The version that is known.</param>
    /// <exception cref="ProofException">A file of another kind or version, or one that is cut off.</exception>
    public SectionedFile(ByteSource source, string kind, uint version)
    {
        _source = source;
        _kind = kind;
        if (source.Length < HeaderSize)
        {
            throw Fault($"the file has only {source.Length} bytes");
        }

        var header = source.Slice(0, HeaderSize).Span;
        for (var i = 0; i < kind.Length; i++)
        {
            if (header[i] != kind[i])
            {
                throw Fault("the file does not begin with this word: another kind of file");
            }
        }

        var found = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
        var count = BinaryPrimitives.ReadUInt32LittleEndian(header[8..]);
        if (found != version)
        {
            throw Fault($"version {found}; only {version} is known");
        }

        if (count > MostSections)
        {
            throw Fault($"{count} sections; at most {MostSections} are read");
        }

        ReadSections(count);
    }

    /// <summary>Whether there is such a section.</summary>
    public bool Has(uint type) => _sections.ContainsKey(type);

    /// <summary>A section's size in bytes.</summary>
    /// <exception cref="ProofException">There is none of this type.</exception>
    public long SizeOf(uint type) => Find(type).Size;

    /// <summary>A whole section.</summary>
    /// <exception cref="ProofException">None of this type, or of 2 GiB and more.</exception>
    public ReadOnlyMemory<byte> Section(uint type)
    {
        var (offset, size) = Find(type);
        return size <= int.MaxValue
            ? _source.Slice(offset, (int)size)
            : throw Fault($"section {type} has {size} bytes; at most {int.MaxValue} are read");
    }

    /// <summary>A section that must have a certain size.</summary>
    /// <exception cref="ProofException">None of this type, or of another size.</exception>
    public ReadOnlyMemory<byte> Section(uint type, long size, string what)
    {
        var found = SizeOf(type);
        return found == size
            ? Section(type)
            : throw Fault($"section {type} ({what}) has {found} bytes where the header asks for {size}");
    }

    /// <summary>Writes a file's first bytes; as many sections follow.</summary>
    /// <param name="stream">Takes them.</param>
    /// <param name="kind">The magic word of four letters.</param>
    /// <param name="version">The form's.</param>
    /// <param name="sections">How many.</param>
    public static void WriteHead(Stream stream, ReadOnlySpan<byte> kind, uint version, int sections)
    {
        stream.Write(kind);
        WriteUInt32(stream, version);
        WriteUInt32(stream, (uint)sections);
    }

    /// <summary>Writes the next section.</summary>
    public static void WriteSection(Stream stream, uint type, ReadOnlySpan<byte> bytes)
    {
        WriteUInt32(stream, type);
        Span<byte> size = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(size, (ulong)bytes.Length);
        stream.Write(size);
        stream.Write(bytes);
    }

    internal static void WriteUInt32(Stream stream, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    internal ProofException Fault(string what) => new($"{_kind}: {what}.");

    private (long Offset, long Size) Find(uint type) => _sections.TryGetValue(type, out var section)
        ? section
        : throw Fault($"section {type} is missing");

    private void ReadSections(uint count)
    {
        long at = HeaderSize;
        for (var i = 0; i < count; i++)
        {
            if (_source.Length - at < SectionHeaderSize)
            {
                throw Fault($"the file ends before section {i + 1} of {count}");
            }

            var header = _source.Slice(at, SectionHeaderSize).Span;
            var type = BinaryPrimitives.ReadUInt32LittleEndian(header);
            var size = BinaryPrimitives.ReadUInt64LittleEndian(header[4..]);
            at += SectionHeaderSize;
            if (size > (ulong)(_source.Length - at))
            {
                throw Fault($"section {type} claims {size} bytes; {_source.Length - at} are left in the file");
            }

            if (!_sections.TryAdd(type, (at, (long)size)))
            {
                throw Fault($"section {type} stands twice");
            }

            at += (long)size;
        }
    }
}
