using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using SuperVm.Core.Execution.Precompiles;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Execution.Evm;

/// <summary>A call that has been paid and may start.</summary>
/// <param name="Kind">Which kind of call.</param>
/// <param name="Target">The handle of the account that was named.</param>
/// <param name="Code">The code to run, delegations resolved.</param>
/// <param name="Value">Wei to move; zero for kinds that move none.</param>
/// <param name="Gas">The callee's gas, stipend included.</param>
internal readonly record struct PendingCall(MessageKind Kind, int Target, Code Code, UInt256 Value, long Gas)
{
    internal byte[] Input { get; init; } = [];

    internal int InputOffset { get; init; }

    internal int InputLength { get; init; }
}

/// <summary>How calls and creations start and end, from instructions and from outside.</summary>
public sealed unsafe partial class EvmEngine
{
    /// <summary>The array that memory lies in now; a call's input refers to it.</summary>
    internal byte[] MemoryArray => _slabs.MemoryArray;

    /// <summary>Starts a call of the running frame. Precompiles and accounts without code end at once.</summary>
    /// <returns>Gas that came back already; the rest comes with the end of the new frame.</returns>
    internal long BeginCall(Frame caller, in PendingCall call, UInt256* result)
    {
        var snapshot = State.TakeSnapshot();
        var foreign = IsForeign(call.Code);
        if (!foreign)
        {
            MoveValue(call.Kind, caller.Account, call.Target, call.Value);
        }

        if (Tracer is not null)
        {
            TraceEnter(caller, call);
        }

        var address = State.AddressOf(call.Target);
        if (TryPrecompile(address, out var precompile))
        {
            var gas = call.Gas;
            var status = RunPrecompile(precompile, call.Input.AsSpan(call.InputOffset, call.InputLength), ref gas);
            if (status != ExecutionStatus.Success)
            {
                State.Revert(snapshot);
            }

            *result = status == ExecutionStatus.Success ? UInt256.One : UInt256.Zero;
            CopyReturnData(caller);
            if (Tracer is not null)
            {
                TraceExit(status, gas);
            }

            return gas;
        }

        if (call.Code.Length == 0)
        {
            *result = UInt256.One;
            if (Tracer is not null)
            {
                TraceExit(ExecutionStatus.Success, call.Gas);
            }

            return call.Gas;
        }

        caller.HasChild = true;
        var frame = PushFrame(caller, call.Code, call.Gas, caller.Depth + 1);
        frame.Snapshot = snapshot;
        frame.Kind = call.Kind;
        frame.CodeAddress = address;
        frame.IsCreation = false;
        frame.IsForeign = foreign;
        frame.IsStatic = caller.IsStatic || call.Kind == MessageKind.StaticCall;
        frame.Input = call.Input;
        frame.InputOffset = call.InputOffset;
        frame.InputLength = call.InputLength;
        SetParties(frame, caller, call, address);
        return 0;
    }

    /// <summary>Starts a creation of the running frame; its nonce and gas have been taken.</summary>
    /// <returns>False where the account is not loaded. A collision (EIP-684, 7610) costs the gas given.</returns>
    internal bool BeginCreate(
        Frame caller, MessageKind kind, in Address address, Code initCode, in UInt256 value, long gas)
    {
        if (!OpenNewAccount(address, out var account))
        {
            caller.Fail(ExecutionStatus.NotLoaded);
            return false;
        }

        if (!State.CanCreateAt(account))
        {
            return true;
        }

        var snapshot = State.TakeSnapshot();
        caller.HasChild = true;
        var frame = PushFrame(caller, initCode, gas, caller.Depth + 1);
        frame.Snapshot = snapshot;
        frame.Caller = caller.Address;
        EnterCreation(frame, kind, account, value, caller.Account);
        return true;
    }

    private ExecutionResult ExecuteCall(in Message message)
    {
        if (!State.TryOpen(message.Recipient, out var recipient) || !State.TryOpen(message.CodeAddress, out var source)
            || !State.TryOpen(message.Caller, out var caller) || !TryResolveCode(source, out var code))
        {
            return new ExecutionResult { Status = ExecutionStatus.NotLoaded };
        }

        if (Refusal(message, caller) is { } refusal)
        {
            return new ExecutionResult { Status = refusal, GasLeft = message.Gas };
        }

        var gas = (long)Math.Min(message.Gas, long.MaxValue);
        var excess = message.Gas - (ulong)gas;
        var snapshot = State.TakeSnapshot();
        var foreign = IsForeign(code);
        if (!foreign)
        {
            MoveValue(message.Kind, caller, recipient, message.Value);
        }

        Tracer?.OnEnter(message);
        var input = ArrayOf(message.Input);
        if (TryPrecompile(message.CodeAddress, out var precompile))
        {
            var status = RunPrecompile(precompile, input, ref gas);
            if (status != ExecutionStatus.Success)
            {
                State.Revert(snapshot);
            }

            return AtOnce(status, (ulong)gas + (gas == 0 && status != ExecutionStatus.Success ? 0 : excess));
        }

        if (code.Length == 0)
        {
            return AtOnce(ExecutionStatus.Success, message.Gas);
        }

        var level = _top + 1;
        var frame = PushFrame(_top < 0 ? null : _frames[_top], code, gas, message.Depth);
        frame.Snapshot = snapshot;
        frame.Kind = message.Kind;
        frame.CodeAddress = message.CodeAddress;
        frame.IsCreation = false;
        frame.IsForeign = foreign;
        frame.IsStatic = message.IsStatic || message.Kind == MessageKind.StaticCall;
        frame.Account = recipient;
        frame.Address = message.Recipient;
        frame.Caller = message.Caller;
        frame.Value = message.Value;
        frame.Input = input.Array!;
        frame.InputOffset = input.Offset;
        frame.InputLength = input.Count;
        return WithExcess(RunFrames(level), excess);
    }

    private ExecutionResult ExecuteCreate(in Message message)
    {
        if (!State.TryOpen(message.Caller, out var caller) || !OpenNewAccount(message.Recipient, out var account))
        {
            return new ExecutionResult { Status = ExecutionStatus.NotLoaded };
        }

        if (Refusal(message, caller) is { } refusal)
        {
            return new ExecutionResult { Status = refusal, GasLeft = message.Gas };
        }

        Tracer?.OnEnter(message);
        if (!State.CanCreateAt(account))
        {
            return AtOnce(ExecutionStatus.CreateCollision, 0);
        }

        var gas = (long)Math.Min(message.Gas, long.MaxValue);
        var level = _top + 1;
        var snapshot = State.TakeSnapshot();
        var frame = PushFrame(
            _top < 0 ? null : _frames[_top], new Code(message.Input.Span, Hash256.Zero), gas, message.Depth);
        frame.Snapshot = snapshot;
        frame.Caller = message.Caller;
        EnterCreation(frame, message.Kind, account, message.Value, caller);
        return WithExcess(RunFrames(level), message.Gas - (ulong)gas);
    }

    /// <summary>Why a message from outside cannot start: too deep, or its value is not there.</summary>
    private ExecutionStatus? Refusal(in Message message, int caller)
    {
        if (message.Depth > MaxDepth)
        {
            return ExecutionStatus.DepthExceeded;
        }

        var moves = message.Kind is not (MessageKind.DelegateCall or MessageKind.StaticCall);
        return moves && State.Balance(caller) < message.Value ? ExecutionStatus.InsufficientBalance : null;
    }

    private ExecutionResult AtOnce(ExecutionStatus status, ulong gasLeft)
    {
        var result = new ExecutionResult
        {
            Status = status, GasLeft = gasLeft, Output = _returnData.AsMemory(0, _returnLength),
        };
        Tracer?.OnExit(result);
        return result;
    }

    /// <summary>Gives back gas beyond what a frame counts with, which no code can use up.</summary>
    private static ExecutionResult WithExcess(in ExecutionResult result, ulong excess)
    {
        var returned = excess == 0 || result.Status is not (ExecutionStatus.Success or ExecutionStatus.Revert);
        return returned ? result : result with { GasLeft = result.GasLeft + excess };
    }

    /// <summary>
    /// The code of an account, or of the one it delegates to, which becomes warm without price (EIP-7702).
    /// </summary>
    private bool TryResolveCode(int account, out Code code)
    {
        if (!State.TryGetCode(account, out code))
        {
            return false;
        }

        if (!_table.Rules.Eip7702 || !code.IsDelegation(out var target))
        {
            return true;
        }

        var resolved = State.Declare(target);
        State.WarmAccount(resolved);
        return State.TryLoad(resolved) && State.TryGetCode(resolved, out code);
    }

    /// <summary>
    /// The account of a new contract; it is warm from here on, whatever becomes of the creation (EIP-2929).
    /// </summary>
    private bool OpenNewAccount(in Address address, out int account)
    {
        account = State.Declare(address);
        if (_table.Rules.Eip2929)
        {
            State.WarmAccount(account);
        }

        return State.TryLoad(account);
    }

    private void EnterCreation(Frame frame, MessageKind kind, int account, in UInt256 value, int creator)
    {
        frame.Kind = kind;
        frame.IsCreation = true;
        frame.IsStatic = false;
        frame.Account = account;
        frame.CodeAddress = frame.Address = State.AddressOf(account);
        frame.Value = value;
        frame.Input = [];
        frame.InputOffset = 0;
        frame.InputLength = 0;
        frame.CreatedCode = default;
        State.CreateContract(account);
        MoveValue(kind, creator, account, value);
        if (Tracer is not null && _top > 0)
        {
            TraceEnter(frame);
        }
    }

    /// <summary>Sets whose account and in whose name a called frame runs.</summary>
    private static void SetParties(Frame frame, Frame caller, in PendingCall call, in Address target)
    {
        switch (call.Kind)
        {
            case MessageKind.CallCode:
                (frame.Account, frame.Address) = (caller.Account, caller.Address);
                (frame.Caller, frame.Value) = (caller.Address, call.Value);
                break;
            case MessageKind.DelegateCall:
                (frame.Account, frame.Address) = (caller.Account, caller.Address);
                (frame.Caller, frame.Value) = (caller.Caller, caller.Value);
                break;
            default:
                (frame.Account, frame.Address) = (call.Target, target);
                (frame.Caller, frame.Value) = (caller.Address, call.Value);
                break;
        }
    }

    /// <summary>Moves wei and touches the receiver, be the value zero (EIP-161).</summary>
    private void MoveValue(MessageKind kind, int from, int to, in UInt256 value)
    {
        if (kind is MessageKind.CallCode or MessageKind.DelegateCall)
        {
            return;
        }

        if (kind == MessageKind.StaticCall || value.IsZero)
        {
            State.Touch(to);
            return;
        }

        State.SubtractBalance(from, value);
        State.AddBalance(to, value);
    }

    private bool TryPrecompile(in Address address, [NotNullWhen(true)] out Precompile? precompile)
    {
        if (MovedPrecompiles is not { } moved || !moved.TryGetValue(address, out var source))
        {
            return _table.Precompiles.TryGet(address, out precompile);
        }

        precompile = null;
        return source is { } known && _table.Precompiles.TryGet(known, out precompile);
    }

    /// <summary>Runs a precompiled contract; a failure takes all of its gas.</summary>
    private ExecutionStatus RunPrecompile(Precompile precompile, ReadOnlySpan<byte> input, ref long gas)
    {
        ClearReturnData();
        var price = precompile.GasOf(input);
        if (price > (ulong)gas)
        {
            gas = 0;
            return ExecutionStatus.OutOfGas;
        }

        if (!precompile.Run(input, out var output))
        {
            gas = 0;
            return ExecutionStatus.PrecompileFailure;
        }

        gas -= (long)price;
        _returnData = output;
        _returnLength = output.Length;
        return ExecutionStatus.Success;
    }

    /// <summary>Puts the code that init code returned into the state, at 200 gas a byte.</summary>
    private ExecutionStatus Deploy(Frame frame)
    {
        var rules = _table.Rules;
        var length = frame.OutputLength;
        var code = new ReadOnlySpan<byte>(frame.Memory + frame.OutputOffset, length);
        if (rules.Eip3541 && length > 0 && code[0] == 0xEF)
        {
            return ExecutionStatus.InvalidCodePrefix;
        }

        if (length > rules.MaxCodeSize)
        {
            return ExecutionStatus.CodeTooLarge;
        }

        var price = (long)length * GasCosts.CodeDepositByte;
        if (frame.Gas < price)
        {
            // Frontier left a contract without code and took nothing; Homestead made that a failure (EIP-2).
            return rules.Eip2 ? ExecutionStatus.OutOfGas : ExecutionStatus.Success;
        }

        frame.Gas -= price;
        if (length > 0)
        {
            var deployed = new Code(code);
            State.SetCode(frame.Account, deployed);
            frame.CreatedCode = deployed.Memory;
        }

        return ExecutionStatus.Success;
    }

    private static ArraySegment<byte> ArrayOf(ReadOnlyMemory<byte> memory) =>
        MemoryMarshal.TryGetArray(memory, out var segment) ? segment : new ArraySegment<byte>(memory.ToArray());
}
