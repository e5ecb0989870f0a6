using System.ComponentModel;
using System.Runtime.InteropServices;

namespace SuperVm.Hosting.Server.Loop;

/// <summary>What a file descriptor is ready for; the values are the kernel's.</summary>
[Flags]
internal enum Readiness : uint
{
    None = 0,
    Readable = 0x1,
    Writable = 0x4,
    Failed = 0x8,
    HungUp = 0x10,

    /// <summary>The other side has said that nothing more comes.</summary>
    PeerClosed = 0x2000,

    /// <summary>Each change is told once, not for as long as it holds.</summary>
    EdgeTriggered = 0x8000_0000,
}

/// <summary>Linux's epoll(7), edge-triggered, with a descriptor that wakes the thread that waits.</summary>
/// <remarks>
/// The kernel's record is packed on x86-64 and aligned elsewhere:
/// <code>
///   x86-64   events:u32 key:u64          other   events:u32 (4 free) key:u64
/// </code>
/// </remarks>
internal sealed unsafe partial class Epoll : IDisposable
{
    /// <summary>The key with which <see cref="Wake"/> reports itself.</summary>
    internal const ulong WakeKey = 0;

    private const string Library = "libc";
    private const int Add = 1;
    private const int CloseOnExec = 0x8_0000;
    private const int NonBlocking = 0x800;
    private const int Interrupted = 4;

    private static readonly int KeyOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int RecordSize = KeyOffset + sizeof(ulong);

    private readonly byte[] _records;
    private readonly int _capacity;
    private readonly int _descriptor;
    private readonly int _waker;

    /// <param name="capacity">Records that one wait brings at most.</param>
    /// <exception cref="Win32Exception">The kernel refuses, for want of descriptors say.</exception>
    internal Epoll(int capacity)
    {
        _capacity = capacity;
        _records = new byte[capacity * RecordSize];
        _descriptor = Checked(NativeCreate(CloseOnExec));
        _waker = Checked(NativeEvent(0, CloseOnExec | NonBlocking));
        Watch(_waker, WakeKey);
    }

    /// <summary>Reports changes of the descriptor under the key from now on, until it is closed.</summary>
    internal void Watch(int descriptor, ulong key)
    {
        const Readiness All =
            Readiness.Readable | Readiness.Writable | Readiness.PeerClosed | Readiness.EdgeTriggered;
        var record = stackalloc byte[RecordSize];
        *(uint*)record = (uint)All;
        Marshal.WriteInt64((nint)(record + KeyOffset), (long)key);
        Checked(NativeControl(_descriptor, Add, descriptor, record));
    }

    /// <summary>Waits for changes, as long as it takes; how many there are, 0 where a signal came instead.</summary>
    internal int Wait()
    {
        fixed (byte* records = _records)
        {
            var count = NativeWait(_descriptor, records, _capacity, -1);
            return count < 0 && Marshal.GetLastPInvokeError() == Interrupted ? 0 : Checked(count);
        }
    }

    /// <summary>A change that the last wait brought.</summary>
    internal (ulong Key, Readiness Readiness) this[int index]
    {
        get
        {
            var record = _records.AsSpan(index * RecordSize, RecordSize);
            return (MemoryMarshal.Read<ulong>(record[KeyOffset..]), (Readiness)MemoryMarshal.Read<uint>(record));
        }
    }

    /// <summary>Ends a wait, from any thread.</summary>
    internal void Wake()
    {
        var one = 1UL;
        _ = NativeWrite(_waker, &one, sizeof(ulong));
    }

    /// <summary>Nobody may wait any more.</summary>
    public void Dispose()
    {
        _ = NativeClose(_waker);
        _ = NativeClose(_descriptor);
    }

    private static int Checked(int result) => result >= 0 ? result : throw new Win32Exception();

    [LibraryImport(Library, EntryPoint = "epoll_create1", SetLastError = true)]
    private static partial int NativeCreate(int flags);

    [LibraryImport(Library, EntryPoint = "epoll_ctl", SetLastError = true)]
    private static partial int NativeControl(int descriptor, int operation, int target, byte* record);

    [LibraryImport(Library, EntryPoint = "epoll_wait", SetLastError = true)]
    private static partial int NativeWait(int descriptor, byte* records, int capacity, int timeoutMs);

    [LibraryImport(Library, EntryPoint = "eventfd", SetLastError = true)]
    private static partial int NativeEvent(uint value, int flags);

    [LibraryImport(Library, EntryPoint = "write", SetLastError = true)]
    private static partial nint NativeWrite(int descriptor, void* bytes, nint count);

    [LibraryImport(Library, EntryPoint = "close", SetLastError = true)]
    private static partial int NativeClose(int descriptor);
}
