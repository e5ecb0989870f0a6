using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution;

/// <summary>Requests from execution to consensus (EIP-7685).</summary>
public static class ExecutionRequests
{
    public const byte DepositType = 0;
    public const byte WithdrawalType = 1;
    public const byte ConsolidationType = 2;

    /// <summary>SHA-256 over the SHA-256 of each request that has data, type byte included.</summary>
    public static Hash256 Hash(IReadOnlyList<byte[]> requests)
    {
        using var outer = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var request in requests)
        {
            if (request.Length > 1)
            {
                outer.AppendData(SHA256.HashData(request));
            }
        }

        return new Hash256(outer.GetHashAndReset());
    }
}

/// <summary>Deposits from the deposit contract's logs (EIP-6110).</summary>
internal static class Deposits
{
    private const int LogLength = 576;

    private static readonly Hash256 DepositEvent =
        Keccak256.Hash("DepositEvent(bytes,bytes,bytes,bytes,bytes)"u8);

    // ABI layout of the event: where each field's length stands, and the length it must have.
    private static readonly (int Offset, int Length)[] Fields = [(160, 48), (256, 32), (320, 8), (384, 96), (512, 8)];

    /// <summary>
    /// Concatenates the deposits of a block; false where a log does not have the event's only valid layout.
    /// </summary>
    internal static bool TryCollect(
        IReadOnlyList<Receipt> receipts, Address? contract, [NotNullWhen(true)] out byte[]? deposits)
    {
        deposits = [];
        if (contract is not { } address)
        {
            return true;
        }

        using var collected = new MemoryStream();
        foreach (var receipt in receipts)
        {
            foreach (var log in receipt.Logs)
            {
                if (log.Address != address || log.Topics.Length == 0 || log.Topics[0] != DepositEvent)
                {
                    continue;
                }

                if (!TryAppend(log.Data, collected))
                {
                    return false;
                }
            }
        }

        deposits = collected.ToArray();
        return true;
    }

    private static bool TryAppend(ReadOnlySpan<byte> data, MemoryStream collected)
    {
        if (data.Length != LogLength)
        {
            return false;
        }

        for (var i = 0; i < Fields.Length; i++)
        {
            if (!IsNumber(data.Slice(32 * i, 32), Fields[i].Offset)
                || !IsNumber(data.Slice(Fields[i].Offset, 32), Fields[i].Length))
            {
                return false;
            }
        }

        foreach (var (offset, length) in Fields)
        {
            collected.Write(data.Slice(offset + 32, length));
        }

        return true;
    }

    private static bool IsNumber(ReadOnlySpan<byte> word, int expected) =>
        word[..28].IndexOfAnyExcept((byte)0) < 0 && BinaryPrimitives.ReadInt32BigEndian(word[28..]) == expected;
}
