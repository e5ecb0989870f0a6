using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SuperVm.Core.Execution.Evm.Operations;
using SuperVm.Core.Execution.Precompiles;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Execution.Evm;

/// <summary>What the loop checks before an instruction runs; stack heights are in bytes, as pointers differ.</summary>
[StructLayout(LayoutKind.Sequential, Size = 16)]
internal struct InstructionCheck
{
    /// <summary>The fixed part of the price.</summary>
    internal int Gas;

    /// <summary>The least height of the stack; beyond any height where the fork lacks the instruction.</summary>
    internal int MinHeight;

    /// <summary>How much higher than <see cref="MinHeight"/> the stack may be.</summary>
    internal uint Room;

    /// <summary>Bytes by which the stack grows.</summary>
    internal int Delta;
}

/// <summary>All instructions of one set of fork rules: price, stack needs and operation, built once.</summary>
/// <remarks>What forks changed is settled here, so that neither the loop nor an operation asks for a fork.</remarks>
internal sealed unsafe partial class InstructionTable
{
    /// <summary>No stack is this high: marks an instruction that the fork lacks.</summary>
    internal const int Undefined = 1 << 20;

    private static readonly ConditionalWeakTable<ForkRules, InstructionTable> Tables = [];

    private readonly InstructionCheck[] _checks =
        GC.AllocateArray<InstructionCheck>(256, pinned: true);

    private readonly nint[] _operations = GC.AllocateArray<nint>(256, pinned: true);

    private InstructionTable(ForkRules rules)
    {
        Rules = rules;
        Gas = new GasSchedule(rules);
        Precompiles = PrecompileSet.For(rules);
        Checks = (InstructionCheck*)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(_checks));
        Operations = (delegate*<Frame, UInt256*, long, long>*)Unsafe.AsPointer(
            ref MemoryMarshal.GetArrayDataReference(_operations));
        for (var op = 0; op < 256; op++)
        {
            _checks[op].MinHeight = Undefined;
        }

        DefineComputation(rules);
        DefineEnvironment(rules);
        DefineStateAndControl(rules);
    }

    internal ForkRules Rules { get; }

    internal GasSchedule Gas { get; }

    internal PrecompileSet Precompiles { get; }

    /// <summary>256 checks, pinned as long as the table lives.</summary>
    internal InstructionCheck* Checks { get; }

    /// <summary>256 operations of instructions that the loop does not do itself, null where it does.</summary>
    /// <remarks>(frame, one past the top operand, gas left) → gas left, negative on a fault.</remarks>
    internal delegate*<Frame, UInt256*, long, long>* Operations { get; }

    internal static InstructionTable For(ForkRules rules) =>
        Tables.GetValue(rules, static key => new InstructionTable(key));

    /// <summary>The operands an instruction takes and leaves; it counts those below that DUP and SWAP reach.</summary>
    internal (int Taken, int Left) Operands(Opcode op)
    {
        ref var check = ref _checks[(int)op];
        var taken = check.MinHeight / sizeof(UInt256);
        return (taken, taken + (check.Delta / sizeof(UInt256)));
    }

    internal bool Has(Opcode op) => _checks[(int)op].MinHeight != Undefined;

    private void Define(Opcode op, int gas, int taken, int left)
    {
        ref var check = ref _checks[(int)op];
        var delta = left - taken;
        var highest = FrameSlabs.StackLimit - Math.Max(0, delta);
        check.Gas = gas;
        check.MinHeight = taken * sizeof(UInt256);
        check.Room = (uint)((highest - taken) * sizeof(UInt256));
        check.Delta = delta * sizeof(UInt256);
    }

    private void Define(Opcode op, int gas, int taken, int left, delegate*<Frame, UInt256*, long, long> operation)
    {
        Define(op, gas, taken, left);
        _operations[(int)op] = (nint)operation;
    }

    /// <summary>Arithmetic, comparison, bits, stack, memory and jumps.</summary>
    private void DefineComputation(ForkRules rules)
    {
        Define(Opcode.Stop, GasCosts.Zero, 0, 0);
        Define(Opcode.Add, GasCosts.VeryLow, 2, 1);
        Define(Opcode.Mul, GasCosts.Low, 2, 1);
        Define(Opcode.Sub, GasCosts.VeryLow, 2, 1);
        Define(Opcode.Div, GasCosts.Low, 2, 1);
        Define(Opcode.SDiv, GasCosts.Low, 2, 1, &ArithmeticOperations.SignedDivide);
        Define(Opcode.Mod, GasCosts.Low, 2, 1);
        Define(Opcode.SMod, GasCosts.Low, 2, 1, &ArithmeticOperations.SignedModulo);
        Define(Opcode.AddMod, GasCosts.Mid, 3, 1, &ArithmeticOperations.AddMod);
        Define(Opcode.MulMod, GasCosts.Mid, 3, 1, &ArithmeticOperations.MulMod);
        Define(Opcode.Exp, GasCosts.High, 2, 1, &ArithmeticOperations.Exp);
        Define(Opcode.SignExtend, GasCosts.Low, 2, 1, &ArithmeticOperations.SignExtend);
        for (var op = Opcode.Lt; op <= Opcode.Byte; op++)
        {
            Define(op, GasCosts.VeryLow, 2, 1);
        }

        Define(Opcode.IsZero, GasCosts.VeryLow, 1, 1);
        Define(Opcode.Not, GasCosts.VeryLow, 1, 1);
        if (rules.Eip145)
        {
            Define(Opcode.Shl, GasCosts.VeryLow, 2, 1);
            Define(Opcode.Shr, GasCosts.VeryLow, 2, 1);
            Define(Opcode.Sar, GasCosts.VeryLow, 2, 1);
        }

        if (rules.Eip7939)
        {
            Define(Opcode.Clz, GasCosts.Low, 1, 1, &ArithmeticOperations.CountLeadingZeros);
        }

        Define(Opcode.Pop, GasCosts.Base, 1, 0);
        Define(Opcode.MLoad, GasCosts.VeryLow, 1, 1);
        Define(Opcode.MStore, GasCosts.VeryLow, 2, 0);
        Define(Opcode.MStore8, GasCosts.VeryLow, 2, 0);
        Define(Opcode.Jump, GasCosts.Mid, 1, 0);
        Define(Opcode.JumpI, GasCosts.High, 2, 0);
        Define(Opcode.Pc, GasCosts.Base, 0, 1);
        Define(Opcode.MSize, GasCosts.Base, 0, 1);
        Define(Opcode.Gas, GasCosts.Base, 0, 1);
        Define(Opcode.JumpDest, GasCosts.JumpDest, 0, 0);
        if (rules.Eip3855)
        {
            Define(Opcode.Push0, GasCosts.Base, 0, 1);
        }

        for (var op = Opcode.Push1; op <= Opcode.Push32; op++)
        {
            Define(op, GasCosts.VeryLow, 0, 1);
        }

        for (var i = 0; i < 16; i++)
        {
            Define((Opcode)((int)Opcode.Dup1 + i), GasCosts.VeryLow, i + 1, i + 2);
            Define((Opcode)((int)Opcode.Swap1 + i), GasCosts.VeryLow, i + 2, i + 2);
        }
    }

    /// <summary>What code reads about its message, transaction and block.</summary>
    private void DefineEnvironment(ForkRules rules)
    {
        Define(Opcode.Keccak256, GasCosts.Keccak, 2, 1, &MemoryOperations.Keccak);
        Define(Opcode.Address, GasCosts.Base, 0, 1, &EnvironmentOperations.Address);
        Define(Opcode.Origin, GasCosts.Base, 0, 1, &EnvironmentOperations.Origin);
        Define(Opcode.Caller, GasCosts.Base, 0, 1, &EnvironmentOperations.Caller);
        Define(Opcode.CallValue, GasCosts.Base, 0, 1, &EnvironmentOperations.CallValue);
        Define(Opcode.CallDataLoad, GasCosts.VeryLow, 1, 1, &EnvironmentOperations.CallDataLoad);
        Define(Opcode.CallDataSize, GasCosts.Base, 0, 1, &EnvironmentOperations.CallDataSize);
        Define(Opcode.CallDataCopy, GasCosts.VeryLow, 3, 0, &MemoryOperations.CallDataCopy);
        Define(Opcode.CodeSize, GasCosts.Base, 0, 1, &EnvironmentOperations.CodeSize);
        Define(Opcode.CodeCopy, GasCosts.VeryLow, 3, 0, &MemoryOperations.CodeCopy);
        Define(Opcode.GasPrice, GasCosts.Base, 0, 1, &EnvironmentOperations.GasPrice);
        if (rules.Eip211)
        {
            Define(Opcode.ReturnDataSize, GasCosts.Base, 0, 1, &EnvironmentOperations.ReturnDataSize);
            Define(Opcode.ReturnDataCopy, GasCosts.VeryLow, 3, 0, &MemoryOperations.ReturnDataCopy);
        }

        Define(Opcode.BlockHash, GasCosts.BlockHash, 1, 1, &EnvironmentOperations.BlockHash);
        Define(Opcode.Coinbase, GasCosts.Base, 0, 1, &EnvironmentOperations.Coinbase);
        Define(Opcode.Timestamp, GasCosts.Base, 0, 1, &EnvironmentOperations.Timestamp);
        Define(Opcode.Number, GasCosts.Base, 0, 1, &EnvironmentOperations.Number);
        Define(Opcode.PrevRandao, GasCosts.Base, 0, 1, &EnvironmentOperations.PrevRandao);
        Define(Opcode.GasLimit, GasCosts.Base, 0, 1, &EnvironmentOperations.GasLimit);
        if (rules.Eip1344)
        {
            Define(Opcode.ChainId, GasCosts.Base, 0, 1, &EnvironmentOperations.ChainId);
        }

        if (rules.Eip1559)
        {
            Define(Opcode.BaseFee, GasCosts.Base, 0, 1, &EnvironmentOperations.BaseFee);
        }

        if (rules.Eip4844)
        {
            Define(Opcode.BlobHash, GasCosts.VeryLow, 1, 1, &EnvironmentOperations.BlobHash);
            Define(Opcode.BlobBaseFee, GasCosts.Base, 0, 1, &EnvironmentOperations.BlobBaseFee);
        }

        if (rules.Eip5656)
        {
            Define(Opcode.MCopy, GasCosts.VeryLow, 3, 0, &MemoryOperations.MCopy);
        }
    }

    /// <summary>Accounts, storage, logs, calls and creations.</summary>
    private void DefineStateAndControl(ForkRules rules)
    {
        Define(Opcode.Balance, Gas.Balance, 1, 1, &AccountOperations.Balance);
        Define(Opcode.ExtCodeSize, Gas.ExtCode, 1, 1, &AccountOperations.ExtCodeSize);
        Define(Opcode.ExtCodeCopy, Gas.ExtCode, 4, 0, &AccountOperations.ExtCodeCopy);
        if (rules.Eip1052)
        {
            Define(Opcode.ExtCodeHash, Gas.ExtCodeHash, 1, 1, &AccountOperations.ExtCodeHash);
        }

        if (rules.Eip1884)
        {
            Define(Opcode.SelfBalance, GasCosts.Low, 0, 1, &AccountOperations.SelfBalance);
        }

        Define(Opcode.SLoad, Gas.SLoad, 1, 1, &StorageOperations.Load);
        Define(Opcode.SStore, GasCosts.Zero, 2, 0, rules.Eip2200 || rules.Eip1283
            ? &StorageOperations.StoreNet
            : &StorageOperations.StoreLegacy);
        if (rules.Eip1153)
        {
            Define(Opcode.TLoad, GasCosts.Warm, 1, 1, &StorageOperations.LoadTransient);
            Define(Opcode.TStore, GasCosts.Warm, 2, 0, &StorageOperations.StoreTransient);
        }

        Define(Opcode.Log0, GasCosts.Log, 2, 0, &LogOperations.Log0);
        Define(Opcode.Log1, GasCosts.Log * 2, 3, 0, &LogOperations.Log1);
        Define(Opcode.Log2, GasCosts.Log * 3, 4, 0, &LogOperations.Log2);
        Define(Opcode.Log3, GasCosts.Log * 4, 5, 0, &LogOperations.Log3);
        Define(Opcode.Log4, GasCosts.Log * 5, 6, 0, &LogOperations.Log4);
        Define(Opcode.Create, GasCosts.Create, 3, 1, &CreateOperations.Create);
        Define(Opcode.Call, Gas.Call, 7, 1, &CallOperations.Call);
        Define(Opcode.CallCode, Gas.Call, 7, 1, &CallOperations.CallCode);
        Define(Opcode.Return, GasCosts.Zero, 2, 0, &MemoryOperations.Output);
        Define(Opcode.SelfDestruct, Gas.SelfDestruct, 1, 0, &SelfDestructOperation.Run);
        if (rules.Eip7)
        {
            Define(Opcode.DelegateCall, Gas.Call, 6, 1, &CallOperations.DelegateCall);
        }

        if (rules.Eip1014)
        {
            Define(Opcode.Create2, GasCosts.Create, 4, 1, &CreateOperations.Create2);
        }

        if (rules.Eip214)
        {
            Define(Opcode.StaticCall, Gas.Call, 6, 1, &CallOperations.StaticCall);
        }

        if (rules.Eip140)
        {
            Define(Opcode.Revert, GasCosts.Zero, 2, 0, &MemoryOperations.Output);
        }
    }
}
