using System.Runtime.InteropServices;

namespace SuperVm.Core.Proving.Msm;

/// <summary>Memory outside of the collected heap that starts at a multiple of 64 bytes.</summary>
/// <remarks>
/// Unsafe because vectors are read and written by address; whoever holds a pointer holds this object too. It is given
/// back at once when disposed of, so that a proof's parts do not lie in memory together.
/// </remarks>
internal sealed unsafe class AlignedMemory : IDisposable
{
    private const int Alignment = 64;

    private readonly bool _secret;
    private void* _start;

    /// <param name="bytes">Its size.</param>
    /// <param name="secret">Whether it is overwritten before it is given back.</param>
    internal AlignedMemory(long bytes, bool secret = false)
    {
        Bytes = bytes;
        _secret = secret;
        _start = NativeMemory.AlignedAlloc((nuint)Math.Max(bytes, Alignment), Alignment);
    }

    internal long Bytes { get; }

    internal ulong* Words => (ulong*)_start;

    internal T* As<T>()
        where T : unmanaged => (T*)_start;

    internal void Clear() => NativeMemory.Clear(_start, (nuint)Bytes);

    public void Dispose()
    {
        if (_start != null)
        {
            if (_secret)
            {
                Clear();
            }

            NativeMemory.AlignedFree(_start);
            _start = null;
        }
    }
}
