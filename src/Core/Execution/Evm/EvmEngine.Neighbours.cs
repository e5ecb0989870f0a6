using SuperVm.Core.State;

namespace SuperVm.Core.Execution.Evm;

/// <summary>What the engine tells others: the engine for foreign code, and the tracer.</summary>
public sealed unsafe partial class EvmEngine
{
    /// <summary>Code of the WebAssembly engine begins with these bytes; no EVM code does anything with them.</summary>
    private static readonly byte[] WasmMagic = [0x00, (byte)'a', (byte)'s', (byte)'m'];

    private bool IsForeign(Code code) => _foreign is not null && code.Bytes.StartsWith(WasmMagic);

    /// <summary>
    /// Lets the other engine run a frame's message; its result stands in the frame and the return data.
    /// </summary>
    private void RunForeign(Frame frame)
    {
        var (transaction, block, state) = (_transaction, Block, State);
        var result = _foreign!.Execute(MessageOf(frame), transaction, block, state);
        (_transaction, Block, State) = (transaction, block, state);
        frame.Fault = result.Status;
        frame.Gas = (long)result.GasLeft;
        _returnData = result.Output.ToArray();
        _returnLength = _returnData.Length;
    }

    private static Message MessageOf(Frame frame) => new()
    {
        Kind = frame.Kind,
        Caller = frame.Caller,
        Recipient = frame.Address,
        CodeAddress = frame.CodeAddress,
        Value = frame.Value,
        Input = frame.IsCreation ? frame.Code.Memory : frame.Input.AsMemory(frame.InputOffset, frame.InputLength),
        Gas = (ulong)frame.Gas,
        IsStatic = frame.IsStatic,
        Depth = frame.Depth,
    };

    private void TraceEnter(Frame frame) => Tracer!.OnEnter(MessageOf(frame));

    private void TraceEnter(Frame caller, in PendingCall call)
    {
        var delegated = call.Kind is MessageKind.CallCode or MessageKind.DelegateCall;
        Tracer!.OnEnter(new Message
        {
            Kind = call.Kind,
            Caller = call.Kind == MessageKind.DelegateCall ? caller.Caller : caller.Address,
            Recipient = delegated ? caller.Address : State.AddressOf(call.Target),
            CodeAddress = State.AddressOf(call.Target),
            Value = call.Kind == MessageKind.DelegateCall ? caller.Value : call.Value,
            Input = call.Input.AsMemory(call.InputOffset, call.InputLength),
            Gas = (ulong)call.Gas,
            IsStatic = caller.IsStatic || call.Kind == MessageKind.StaticCall,
            Depth = caller.Depth + 1,
        });
    }

    private void TraceExit(ExecutionStatus status, long gas) => Tracer!.OnExit(new ExecutionResult
    {
        Status = status, GasLeft = (ulong)gas, Output = _returnData.AsMemory(0, _returnLength),
    });
}
