using System.Runtime.CompilerServices;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm.Operations;

/// <summary>Memory: its growth and price, copies into it and hashes over it.</summary>
internal static unsafe class MemoryOperations
{
    /// <summary>KECCAK256.</summary>
    internal static long Keccak(Frame frame, UInt256* sp, long gas)
    {
        gas = Charge(frame, gas, sp - 1, sp - 2, GasCosts.KeccakWord);
        if (gas < 0)
        {
            return gas;
        }

        var length = (int)sp[-2].U0;
        if (length == PairHashCache.InputBytes)
        {
            frame.Engine.PairHashes.Hash(frame.Memory + sp[-1].U0, sp - 2);
            return gas;
        }

        var data = length == 0 ? [] : new ReadOnlySpan<byte>(frame.Memory + sp[-1].U0, length);
        Hash256 digest;
        Keccak256.Hash(data, new Span<byte>(&digest, Hash256.Size));
        Words.StoreReversed(sp - 2, Words.LoadBytes((byte*)&digest));
        return gas;
    }

    internal static long CallDataCopy(Frame frame, UInt256* sp, long gas)
    {
        gas = Charge(frame, gas, sp - 1, sp - 3, GasCosts.Copy);
        if (gas >= 0)
        {
            CopyPadded(frame, sp[-1], sp[-2], (int)sp[-3].U0, frame.InputSpan);
        }

        return gas;
    }

    internal static long CodeCopy(Frame frame, UInt256* sp, long gas)
    {
        gas = Charge(frame, gas, sp - 1, sp - 3, GasCosts.Copy);
        if (gas >= 0)
        {
            CopyPadded(frame, sp[-1], sp[-2], (int)sp[-3].U0, frame.Code.Bytes);
        }

        return gas;
    }

    /// <summary>RETURNDATACOPY: reading beyond the data is a fault (EIP-211).</summary>
    internal static long ReturnDataCopy(Frame frame, UInt256* sp, long gas)
    {
        var data = frame.Engine.ReturnData;
        ref var start = ref sp[-2];
        ref var length = ref sp[-3];
        if (!start.IsUInt64 || !length.IsUInt64 || start.U0 > (ulong)data.Length
            || length.U0 > (ulong)data.Length - start.U0)
        {
            return frame.Fail(ExecutionStatus.ReturnDataOutOfBounds);
        }

        gas = Charge(frame, gas, sp - 1, sp - 3, GasCosts.Copy);
        if (gas >= 0)
        {
            CopyPadded(frame, sp[-1], start, (int)length.U0, data);
        }

        return gas;
    }

    /// <summary>EIP-5656: source and destination may overlap.</summary>
    internal static long MCopy(Frame frame, UInt256* sp, long gas)
    {
        var farther = sp[-1] > sp[-2] ? sp - 1 : sp - 2;
        gas = Charge(frame, gas, farther, sp - 3, GasCosts.Copy);
        if (gas >= 0 && !sp[-3].IsZero)
        {
            var length = (long)sp[-3].U0;
            Buffer.MemoryCopy(frame.Memory + sp[-2].U0, frame.Memory + sp[-1].U0, length, length);
        }

        return gas;
    }

    /// <summary>RETURN and REVERT: marks the part of memory that is the output.</summary>
    internal static long Output(Frame frame, UInt256* sp, long gas)
    {
        gas = Expand(frame, gas, sp - 1, sp - 2);
        if (gas >= 0)
        {
            frame.OutputLength = (int)sp[-2].U0;
            frame.OutputOffset = frame.OutputLength == 0 ? 0 : (int)sp[-1].U0;
        }

        return gas;
    }

    /// <summary>Copies into memory that is there, zeros where the source has ended.</summary>
    internal static void CopyPadded(
        Frame frame, in UInt256 target, in UInt256 source, int length, ReadOnlySpan<byte> data)
    {
        if (length == 0)
        {
            return;
        }

        var destination = new Span<byte>(frame.Memory + target.U0, length);
        var start = source.IsUInt64 && source.U0 < (ulong)data.Length ? (int)source.U0 : data.Length;
        var rest = data[start..];
        if (rest.Length >= length)
        {
            rest[..length].CopyTo(destination);
            return;
        }

        rest.CopyTo(destination);
        destination[rest.Length..].Clear();
    }

    /// <summary>Pays a price a word for a length and then for the memory it spans.</summary>
    internal static long Charge(Frame frame, long gas, UInt256* offset, UInt256* length, int priceOfWord)
    {
        if (!Words.IsBelow(length, FrameSlabs.MemoryLimit + 1))
        {
            return -1;
        }

        gas -= (long)((length->U0 + 31) >> 5) * priceOfWord;
        return gas < 0 ? gas : Expand(frame, gas, offset, length);
    }

    /// <summary>Makes memory reach [offset, offset + length) and pays; nothing where the length is zero.</summary>
    internal static long Expand(Frame frame, long gas, UInt256* offset, UInt256* length)
    {
        if (length->IsZero)
        {
            return gas;
        }

        return Words.IsBelow(length, FrameSlabs.MemoryLimit + 1) ? Expand(frame, gas, offset, (int)length->U0) : -1;
    }

    /// <summary>As above, for a length of at least 1.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static long Expand(Frame frame, long gas, UInt256* offset, int length)
    {
        if (!Words.IsBelow(offset, FrameSlabs.MemoryLimit + 1))
        {
            return -1;
        }

        var end = (long)offset->U0 + length;
        return end <= frame.MemorySize ? gas : Grow(frame, gas, end);
    }

    /// <summary>Three gas a word, and the square of the words over 512 (Yellow Paper, equation 326).</summary>
    private static long Grow(Frame frame, long gas, long end)
    {
        var words = (end + 31) >> 5;
        var price = (words * 3) + ((words * words) >> 9);
        gas -= price - frame.MemoryGas;
        if (gas < 0 || frame.MemoryBase + (words << 5) > FrameSlabs.MemoryLimit)
        {
            return -1;
        }

        frame.MemoryGas = price;
        frame.Engine.GrowMemory(frame, (int)(words << 5));
        return gas;
    }
}
