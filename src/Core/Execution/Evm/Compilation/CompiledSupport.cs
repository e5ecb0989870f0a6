using System.Buffers.Binary;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using SuperVm.Core.Execution.Evm.Operations;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>What compiled code calls and which fields it reaches.</summary>
internal static unsafe class CompiledSupport
{
    internal static readonly MethodInfo HighProductMethod = Method(nameof(HighProduct));
    internal static readonly MethodInfo ExpandMethod = Method(nameof(Expand));

    internal static readonly MethodInfo ReverseMethod =
        typeof(BinaryPrimitives).GetMethod(nameof(BinaryPrimitives.ReverseEndianness), [typeof(ulong)])!;

    internal static readonly FieldInfo GasField = Field(nameof(Frame.Gas));
    internal static readonly FieldInfo PcField = Field(nameof(Frame.Pc));
    internal static readonly FieldInfo StackField = Field(nameof(Frame.Stack));
    internal static readonly FieldInfo StackHeightField = Field(nameof(Frame.StackHeight));
    internal static readonly FieldInfo MemoryField = Field(nameof(Frame.Memory));
    internal static readonly FieldInfo MemorySizeField = Field(nameof(Frame.MemorySize));
    internal static readonly FieldInfo OutputLengthField = Field(nameof(Frame.OutputLength));
    internal static readonly FieldInfo FaultField = Field(nameof(Frame.Fault));
    internal static readonly FieldInfo HasChildField = Field(nameof(Frame.HasChild));
    internal static readonly FieldInfo EntriesField = Field(nameof(Frame.Entries));

    internal static readonly FieldInfo EngineField = Field(nameof(Frame.Engine));

    internal static readonly FieldInfo StoppedField =
        typeof(EvmEngine).GetField(nameof(EvmEngine.Stopped), BindingFlags.Instance | BindingFlags.NonPublic)!;

    /// <summary>A function (left and result of the stack, right) of <see cref="Words"/>.</summary>
    internal static MethodInfo WordMethod(string name) => typeof(Words).GetMethod(
        name, BindingFlags.Static | BindingFlags.NonPublic, [typeof(UInt256*), typeof(UInt256*)])!;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong HighProduct(ulong a, ulong b) =>
        Bmi2.X64.IsSupported ? Bmi2.X64.MultiplyNoFlags(a, b) : Math.BigMul(a, b, out _);

    /// <summary>Memory growth for an access at (upper limbs, low limb); negative gas where it cannot be paid.</summary>
    internal static long Expand(Frame frame, long gas, ulong low, ulong upper, int length)
    {
        var offset = new UInt256(low, upper);
        return MemoryOperations.Expand(frame, gas, &offset, length);
    }

    private static MethodInfo Method(string name) =>
        typeof(CompiledSupport).GetMethod(name, BindingFlags.Static | BindingFlags.NonPublic)!;

    private static FieldInfo Field(string name) =>
        typeof(Frame).GetField(name, BindingFlags.Instance | BindingFlags.NonPublic)!;
}
