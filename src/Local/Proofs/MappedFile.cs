using System.Buffers;
using System.IO.MemoryMappedFiles;
using SuperVm.Core.Proving;

namespace SuperVm.Local.Proofs;

/// <summary>A file that is mapped into memory: its parts are read by the operating system when they are used.</summary>
/// <remarks>
/// A file that another process shortens meanwhile ends this process (SIGBUS), as with any mapped file. Unsafe because
/// spans are made of the mapping's address; it stays mapped until <see cref="ByteSource.Dispose()"/>.
/// </remarks>
public sealed unsafe class MappedFile : ByteSource
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;

    private MappedFile(MemoryMappedFile file, long length)
    {
        _file = file;
        Length = length;
        _view = file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    public override long Length { get; }

    /// <summary>Maps a file, read-only.</summary>
    /// <exception cref="ProofException">No such file, an empty one, or one that may not be read.</exception>
    public static MappedFile Open(string path)
    {
        try
        {
            var length = new FileInfo(path).Length;
            return length == 0
                ? throw new ProofException($"{path} is empty.")
                : new MappedFile(
                    MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read), length);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new ProofException($"{path}: {fault.Message}");
        }
    }

    protected override ReadOnlyMemory<byte> Part(long offset, int length) =>
        new PartMemory(_start + offset, length).Memory;

    protected override void Dispose(bool disposing)
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    /// <summary>A part as memory; owns nothing.</summary>
    private sealed class PartMemory(byte* start, int length) : MemoryManager<byte>
    {
        public override Span<byte> GetSpan() => new(start, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
