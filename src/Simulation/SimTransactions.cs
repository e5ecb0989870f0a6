using System.Buffers.Binary;
using SuperVm.Core.Consensus;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Simulation;

/// <summary>
/// Transactions of the simulation: random bytes that end with a check, as a signature ends a real one.
/// </summary>
internal sealed class SimTransactions : ITransactionInspector
{
    private const int CheckBytes = 8;

    internal static readonly SimTransactions Instance = new();

    internal static byte[] Create(SimRandom random)
    {
        var body = new byte[random.Between(12, 52) + CheckBytes];
        for (var i = 0; i < body.Length - CheckBytes; i++)
        {
            body[i] = (byte)random.Next();
        }

        BinaryPrimitives.WriteUInt64LittleEndian(body.AsSpan(body.Length - CheckBytes), Check(body));
        return body;
    }

    /// <summary>A transaction of these bytes.</summary>
    internal static byte[] WithCheck(ReadOnlySpan<byte> bytes)
    {
        byte[] body = [.. bytes, .. new byte[CheckBytes]];
        BinaryPrimitives.WriteUInt64LittleEndian(body.AsSpan(bytes.Length), Check(body));
        return body;
    }

    internal static ReadOnlySpan<byte> WithoutCheck(byte[] transaction) => transaction.AsSpan(..^CheckBytes);

    internal static Hash256 HashOf(byte[] transaction) => Keccak256.Hash(transaction);

    public bool TryInspect(ReadOnlySpan<byte> transaction, out Hash256 hash, out ulong gas)
    {
        (hash, gas) = (default, 21_000);
        if (transaction.Length < CheckBytes
            || BinaryPrimitives.ReadUInt64LittleEndian(transaction[^CheckBytes..]) != Check(transaction))
        {
            return false;
        }

        hash = Keccak256.Hash(transaction);
        return true;
    }

    private static ulong Check(ReadOnlySpan<byte> transaction)
    {
        var check = 0x5157UL;
        foreach (var letter in transaction[..^CheckBytes])
        {
            check = SimRandom.Mix(check + letter);
        }

        return check;
    }
}
