using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm.Operations;

/// <summary>What code learns about its message, its transaction and its block.</summary>
internal static unsafe class EnvironmentOperations
{
    /// <summary>BLOCKHASH reaches this many blocks back.</summary>
    private const ulong BlockHashWindow = 256;

    internal static long Address(Frame frame, UInt256* sp, long gas)
    {
        *sp = frame.Address.ToWord();
        return gas;
    }

    internal static long Origin(Frame frame, UInt256* sp, long gas)
    {
        *sp = frame.Engine.Transaction.Origin.ToWord();
        return gas;
    }

    internal static long Caller(Frame frame, UInt256* sp, long gas)
    {
        *sp = frame.Caller.ToWord();
        return gas;
    }

    internal static long CallValue(Frame frame, UInt256* sp, long gas)
    {
        *sp = frame.Value;
        return gas;
    }

    internal static long CallDataLoad(Frame frame, UInt256* sp, long gas)
    {
        var input = frame.InputSpan;
        ref var offset = ref sp[-1];
        if (!Words.IsBelow(sp - 1, input.Length))
        {
            offset = UInt256.Zero;
            return gas;
        }

        var rest = input[(int)offset.U0..];
        if (rest.Length >= 32)
        {
            fixed (byte* data = rest)
            {
                Words.StoreReversed(sp - 1, Words.LoadBytes(data));
            }
        }
        else
        {
            offset = UInt256.FromBigEndian(rest) << (8 * (32 - rest.Length));
        }

        return gas;
    }

    internal static long CallDataSize(Frame frame, UInt256* sp, long gas)
    {
        Words.Set(sp, (ulong)frame.InputLength);
        return gas;
    }

    internal static long CodeSize(Frame frame, UInt256* sp, long gas)
    {
        Words.Set(sp, (ulong)frame.Code.Length);
        return gas;
    }

    internal static long ReturnDataSize(Frame frame, UInt256* sp, long gas)
    {
        Words.Set(sp, (ulong)frame.Engine.ReturnData.Length);
        return gas;
    }

    internal static long GasPrice(Frame frame, UInt256* sp, long gas)
    {
        *sp = frame.Engine.Transaction.GasPrice;
        return gas;
    }

    /// <summary>The hash of one of the 256 blocks before, zero for any other number.</summary>
    internal static long BlockHash(Frame frame, UInt256* sp, long gas)
    {
        var block = frame.Engine.Block;
        ref var number = ref sp[-1];
        var known = number.IsUInt64 && number.U0 < block.Number && block.Number - number.U0 <= BlockHashWindow;
        number = known ? UInt256.FromBigEndian(block.BlockHashes.HashOf(number.U0).Bytes) : UInt256.Zero;
        return gas;
    }

    internal static long Coinbase(Frame frame, UInt256* sp, long gas)
    {
        *sp = frame.Engine.Block.Coinbase.ToWord();
        return gas;
    }

    internal static long Timestamp(Frame frame, UInt256* sp, long gas)
    {
        Words.Set(sp, frame.Engine.Block.Timestamp);
        return gas;
    }

    internal static long Number(Frame frame, UInt256* sp, long gas)
    {
        Words.Set(sp, frame.Engine.Block.Number);
        return gas;
    }

    /// <summary>DIFFICULTY before the merge (EIP-4399).</summary>
    internal static long PrevRandao(Frame frame, UInt256* sp, long gas)
    {
        *sp = frame.Engine.Block.Difficulty;
        return gas;
    }

    internal static long GasLimit(Frame frame, UInt256* sp, long gas)
    {
        Words.Set(sp, frame.Engine.Block.GasLimit);
        return gas;
    }

    /// <summary>EIP-1344.</summary>
    internal static long ChainId(Frame frame, UInt256* sp, long gas)
    {
        Words.Set(sp, frame.Engine.Block.ChainId);
        return gas;
    }

    /// <summary>EIP-3198.</summary>
    internal static long BaseFee(Frame frame, UInt256* sp, long gas)
    {
        *sp = frame.Engine.Block.BaseFee;
        return gas;
    }

    /// <summary>EIP-4844.</summary>
    internal static long BlobHash(Frame frame, UInt256* sp, long gas)
    {
        var hashes = frame.Engine.Transaction.BlobHashes;
        ref var index = ref sp[-1];
        index = hashes is not null && Words.IsBelow(sp - 1, hashes.Count)
            ? UInt256.FromBigEndian(hashes[(int)index.U0].Bytes)
            : UInt256.Zero;
        return gas;
    }

    /// <summary>EIP-7516.</summary>
    internal static long BlobBaseFee(Frame frame, UInt256* sp, long gas)
    {
        *sp = frame.Engine.Block.BlobBaseFee;
        return gas;
    }
}
