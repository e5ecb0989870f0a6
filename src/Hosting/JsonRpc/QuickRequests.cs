using System.Diagnostics;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>Tells at a glance whether a body will be answered in less time than it takes to wake a thread.</summary>
/// <remarks>
/// A hint for who chooses the thread; what it says wrong costs a little time and nothing else. Quick is a single
/// request of a method that is quick as a rule (<see cref="RpcMethod.IsQuick"/>), unless requests like it took long of
/// late:
/// <code>
///   place = method and contract, hashed ─▶ score   a slow answer +32, at most 255; a quick one -1;  quick below 48
/// </code>
/// So one answer that took long by chance changes nothing, two in a row do, for some dozens of requests. Scores are
/// written without locks: a lost one does not matter. Safe for concurrent use.
/// </remarks>
internal sealed class QuickRequests(RpcMethodTable methods)
{
    /// <summary>The place of a body that is work, whatever it took.</summary>
    internal const int Work = -1;

    /// <summary>A longer body is work.</summary>
    private const int MaximumBytes = 4 << 10;

    private const int Places = 1_024;
    private const int SlowStep = 32;
    private const int SlowFrom = 48;
    private const int AddressLength = 42;

    private static readonly TimeSpan Slow = TimeSpan.FromMicroseconds(300);

    private readonly byte[] _scores = new byte[Places];

    /// <summary>What requests like the body are remembered by; or <see cref="Work"/>.</summary>
    internal int PlaceOf(ReadOnlySpan<byte> body)
    {
        var key = body.IndexOf("\"method\""u8);
        if (body.Length > MaximumBytes || !body.StartsWith("{"u8) || key < 0)
        {
            return Work;
        }

        var name = ValueAfter(body[(key + "\"method\"".Length)..]);
        var end = name.IsEmpty ? -1 : name[1..].IndexOf((byte)'"');
        if (end <= 0 || methods.Find(name[..(end + 2)]) is not { IsQuick: true })
        {
            return Work;
        }

        var hash = new HashCode();
        hash.AddBytes(name[..(end + 2)]);
        var to = body.IndexOf("\"to\""u8);
        if (to >= 0)
        {
            var address = ValueAfter(body[(to + "\"to\"".Length)..]);
            hash.AddBytes(address[..Math.Min(address.Length, AddressLength + 1)]);
        }

        return (int)((uint)hash.ToHashCode() % Places);
    }

    internal bool IsQuick(int place) => place != Work && Volatile.Read(ref _scores[place]) < SlowFrom;

    /// <summary>Remembers how long an answer took.</summary>
    internal void Note(int place, long started)
    {
        if (place == Work)
        {
            return;
        }

        var score = Volatile.Read(ref _scores[place]);
        if (Stopwatch.GetElapsedTime(started) >= Slow)
        {
            Volatile.Write(ref _scores[place], (byte)Math.Min(byte.MaxValue, score + SlowStep));
        }
        else if (score > 0)
        {
            Volatile.Write(ref _scores[place], (byte)(score - 1));
        }
    }

    private static ReadOnlySpan<byte> ValueAfter(ReadOnlySpan<byte> text) => text.TrimStart(" :\t\r\n"u8);
}
