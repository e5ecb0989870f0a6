using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm.Operations;

/// <summary>Arithmetic that is too long for the loop.</summary>
internal static unsafe class ArithmeticOperations
{
    internal static long SignedDivide(Frame frame, UInt256* sp, long gas)
    {
        sp[-2] = UInt256.SignedDivide(sp[-1], sp[-2]);
        return gas;
    }

    internal static long SignedModulo(Frame frame, UInt256* sp, long gas)
    {
        sp[-2] = UInt256.SignedModulo(sp[-1], sp[-2]);
        return gas;
    }

    internal static long AddMod(Frame frame, UInt256* sp, long gas)
    {
        sp[-3] = UInt256.AddMod(sp[-1], sp[-2], sp[-3]);
        return gas;
    }

    internal static long MulMod(Frame frame, UInt256* sp, long gas)
    {
        sp[-3] = UInt256.MulMod(sp[-1], sp[-2], sp[-3]);
        return gas;
    }

    /// <summary>Pays for every byte of the exponent (EIP-160).</summary>
    internal static long Exp(Frame frame, UInt256* sp, long gas)
    {
        gas -= sp[-2].ByteLength * frame.Table.Gas.ExpByte;
        if (gas >= 0)
        {
            sp[-2] = UInt256.Exp(sp[-1], sp[-2]);
        }

        return gas;
    }

    internal static long SignExtend(Frame frame, UInt256* sp, long gas)
    {
        sp[-2] = UInt256.SignExtend(sp[-1], sp[-2]);
        return gas;
    }

    /// <summary>EIP-7939.</summary>
    internal static long CountLeadingZeros(Frame frame, UInt256* sp, long gas)
    {
        sp[-1] = (ulong)UInt256.LeadingZeroCount(sp[-1]);
        return gas;
    }
}
