using System.Buffers.Binary;
using System.Reflection;
using System.Reflection.Emit;

namespace SuperVm.Core.Execution.Evm.Compilation;

/// <summary>64 bits of a word while code is made: known now, or in a local of the method.</summary>
internal readonly record struct Limb(LocalBuilder? Local, ulong Value)
{
    internal static Limb Zero => default;

    internal bool IsConstant => Local is null;

    internal bool IsZero => Local is null && Value == 0;

    internal static Limb Of(ulong value) => new(null, value);
}

/// <summary>Writes instructions of the common intermediate language that work on limbs.</summary>
/// <remarks>
/// Counts what it writes: beyond 8,000 references to locals or 60,000 bytes the just-in-time compiler would not
/// optimize the method any more. Locals for limbs are handed out anew for every trace.
/// </remarks>
internal sealed class IlWriter
{
    private static readonly LocalBuilder Nowhere =
        new DynamicMethod("nowhere", null, null).GetILGenerator().DeclareLocal(typeof(ulong));

    private readonly List<LocalBuilder> _limbs = [];
    private readonly ILGenerator? _il;
    private int _limbsUsed;

    /// <param name="il">Where to; null to go through the motions only.</param>
    internal IlWriter(ILGenerator? il) => _il = il;

    /// <summary>Reads and writes of locals and arguments so far.</summary>
    internal int References { get; private set; }

    internal int Length => _il?.ILOffset ?? 0;

    internal void ReleaseLimbs() => _limbsUsed = 0;

    internal LocalBuilder NewLocal(Type type) => _il?.DeclareLocal(type) ?? Nowhere;

    internal void Emit(OpCode op) => _il?.Emit(op);

    internal void Emit(OpCode op, FieldInfo field) => _il?.Emit(op, field);

    internal void Call(MethodInfo method) => _il?.Emit(OpCodes.Call, method);

    internal void CallPointer(Type result, params Type[] parameters) =>
        _il?.EmitCalli(OpCodes.Calli, CallingConventions.Standard, result, parameters, null);

    internal void Switch(Label[] targets) => _il?.Emit(OpCodes.Switch, targets);

    internal void Branch(OpCode op, Label target) => _il?.Emit(op, target);

    internal void Mark(Label label) => _il?.MarkLabel(label);

    internal Label NewLabel() => _il?.DefineLabel() ?? default;

    internal void LoadFrame()
    {
        References++;
        _il?.Emit(OpCodes.Ldarg_0);
    }

    internal void LoadField(FieldInfo field)
    {
        LoadFrame();
        _il?.Emit(OpCodes.Ldfld, field);
    }

    internal void Load(LocalBuilder local)
    {
        References++;
        _il?.Emit(OpCodes.Ldloc, local);
    }

    internal void Store(LocalBuilder local)
    {
        References++;
        _il?.Emit(OpCodes.Stloc, local);
    }

    internal void Constant(long value) => _il?.Emit(OpCodes.Ldc_I8, value);

    internal void Constant(int value) => _il?.Emit(OpCodes.Ldc_I4, value);

    internal void Load(Limb limb)
    {
        if (limb.Local is { } local)
        {
            Load(local);
        }
        else
        {
            Constant((long)limb.Value);
        }
    }

    /// <summary>Takes the 64 bits on top into a fresh limb.</summary>
    internal Limb StoreLimb()
    {
        if (_limbsUsed == _limbs.Count)
        {
            _limbs.Add(NewLocal(typeof(ulong)));
        }

        var local = _limbs[_limbsUsed++];
        Store(local);
        return new Limb(local, 0);
    }

    internal Limb Add(Limb a, Limb b) => a.IsConstant && b.IsConstant ? Limb.Of(a.Value + b.Value)
        : a.IsZero ? b
        : b.IsZero ? a
        : Binary(OpCodes.Add, a, b);

    internal Limb Subtract(Limb a, Limb b) => a.IsConstant && b.IsConstant ? Limb.Of(a.Value - b.Value)
        : b.IsZero ? a
        : Binary(OpCodes.Sub, a, b);

    internal Limb Multiply(Limb a, Limb b) => a.IsConstant && b.IsConstant ? Limb.Of(a.Value * b.Value)
        : a.IsZero || b.IsZero ? Limb.Zero
        : Binary(OpCodes.Mul, a, b);

    /// <summary>The high half of a product.</summary>
    internal Limb MultiplyHigh(Limb a, Limb b)
    {
        if (a.IsConstant && b.IsConstant)
        {
            return Limb.Of(Math.BigMul(a.Value, b.Value, out _));
        }

        if (a.IsZero || b.IsZero)
        {
            return Limb.Zero;
        }

        Load(a);
        Load(b);
        Call(CompiledSupport.HighProductMethod);
        return StoreLimb();
    }

    internal Limb And(Limb a, Limb b) => a.IsConstant && b.IsConstant ? Limb.Of(a.Value & b.Value)
        : a.IsZero || b.IsZero ? Limb.Zero
        : a is { IsConstant: true, Value: ulong.MaxValue } ? b
        : b is { IsConstant: true, Value: ulong.MaxValue } ? a
        : Binary(OpCodes.And, a, b);

    internal Limb Or(Limb a, Limb b) => a.IsConstant && b.IsConstant ? Limb.Of(a.Value | b.Value)
        : a.IsZero ? b
        : b.IsZero ? a
        : Binary(OpCodes.Or, a, b);

    internal Limb Xor(Limb a, Limb b) => a.IsConstant && b.IsConstant ? Limb.Of(a.Value ^ b.Value)
        : a.IsZero ? b
        : b.IsZero ? a
        : Binary(OpCodes.Xor, a, b);

    internal Limb Not(Limb a)
    {
        if (a.IsConstant)
        {
            return Limb.Of(~a.Value);
        }

        Load(a);
        Emit(OpCodes.Not);
        return StoreLimb();
    }

    /// <summary>a below b without sign, as 1 or 0.</summary>
    internal Limb Less(Limb a, Limb b) => a.IsConstant && b.IsConstant ? Limb.Of(a.Value < b.Value ? 1UL : 0)
        : b.IsZero ? Limb.Zero
        : Compare(OpCodes.Clt_Un, a, b);

    /// <summary>a below b in two's complement, as 1 or 0.</summary>
    internal Limb SignedLess(Limb a, Limb b) => a.IsConstant && b.IsConstant
        ? Limb.Of((long)a.Value < (long)b.Value ? 1UL : 0)
        : Compare(OpCodes.Clt, a, b);

    internal Limb AreEqual(Limb a, Limb b) => a.IsConstant && b.IsConstant
        ? Limb.Of(a.Value == b.Value ? 1UL : 0)
        : Compare(OpCodes.Ceq, a, b);

    internal Limb ShiftLeft(Limb a, int count) => count == 0 ? a
        : a.IsConstant ? Limb.Of(a.Value << count)
        : Shift(OpCodes.Shl, a, count);

    internal Limb ShiftRight(Limb a, int count) => count == 0 ? a
        : a.IsConstant ? Limb.Of(a.Value >> count)
        : Shift(OpCodes.Shr_Un, a, count);

    /// <summary>The limb with its bytes turned around, on the evaluation stack.</summary>
    internal void LoadReversed(Limb limb)
    {
        if (limb.IsConstant)
        {
            Constant((long)BinaryPrimitives.ReverseEndianness(limb.Value));
            return;
        }

        Load(limb);
        Call(CompiledSupport.ReverseMethod);
    }

    private Limb Binary(OpCode op, Limb a, Limb b)
    {
        Load(a);
        Load(b);
        Emit(op);
        return StoreLimb();
    }

    private Limb Compare(OpCode op, Limb a, Limb b)
    {
        Load(a);
        Load(b);
        Emit(op);
        Emit(OpCodes.Conv_U8);
        return StoreLimb();
    }

    private Limb Shift(OpCode op, Limb a, int count)
    {
        Load(a);
        Constant(count);
        Emit(op);
        return StoreLimb();
    }
}
