using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm.Operations;

/// <summary>LOG0 to LOG4.</summary>
internal static unsafe class LogOperations
{
    internal static long Log0(Frame frame, UInt256* sp, long gas) => Emit(frame, sp, gas, 0);

    internal static long Log1(Frame frame, UInt256* sp, long gas) => Emit(frame, sp, gas, 1);

    internal static long Log2(Frame frame, UInt256* sp, long gas) => Emit(frame, sp, gas, 2);

    internal static long Log3(Frame frame, UInt256* sp, long gas) => Emit(frame, sp, gas, 3);

    internal static long Log4(Frame frame, UInt256* sp, long gas) => Emit(frame, sp, gas, 4);

    private static long Emit(Frame frame, UInt256* sp, long gas, int topicCount)
    {
        if (frame.IsStatic)
        {
            return frame.Fail(ExecutionStatus.StaticViolation);
        }

        gas = MemoryOperations.Expand(frame, gas, sp - 1, sp - 2);
        if (gas < 0)
        {
            return gas;
        }

        var length = (int)sp[-2].U0;
        gas -= (long)length * GasCosts.LogByte;
        if (gas < 0)
        {
            return gas;
        }

        var topics = topicCount == 0 ? [] : new Hash256[topicCount];
        for (var i = 0; i < topicCount; i++)
        {
            Hash256 topic;
            Words.StoreBytesReversed((byte*)&topic, Words.Load(sp - 3 - i));
            topics[i] = topic;
        }

        var data = length == 0 ? [] : new ReadOnlySpan<byte>(frame.Memory + sp[-1].U0, length).ToArray();
        var log = new Log(frame.Address, topics, data);
        frame.State.AddLog(log);
        frame.Engine.Tracer?.OnLog(log);
        return gas;
    }
}
