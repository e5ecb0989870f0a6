using System.Runtime.InteropServices;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Core.Execution.Evm;

/// <summary>The Ethereum Virtual Machine of every fork, Frontier to Osaka.</summary>
/// <remarks>
/// Calls do not recurse on the native stack: a CALL or CREATE puts a frame on an explicit stack of frames and leaves
/// the interpreter loop, and <see cref="RunFrames"/> goes on with whatever frame is on top:
/// <code>
///   Execute ──▶ BeginCall / BeginCreate ──▶ frame on top ──▶ Interpreter.Run ─┬─ Child: the new top runs
///                                                  ▲                          └─ Halted: Finish, result below
///                                                  └──────────────────────────────────────┘
/// </code>
/// An instance belongs to one thread; it may be entered again while it runs (by another engine that code called), and
/// then works above the frames that are there.
/// </remarks>
public sealed unsafe partial class EvmEngine : IExecutionEngine
{
    /// <summary>How deep messages may nest (Yellow Paper, section 8).</summary>
    public const int MaxDepth = 1024;

    /// <summary>Output buffers above this size are not kept between executions.</summary>
    private const int KeptOutputBytes = 1 << 20;

    private readonly FrameSlabs _slabs = new();
    private readonly IExecutionEngine? _foreign;
    private Frame[] _frames = new Frame[8];
    private int _top = -1;
    private InstructionTable _table;
    private TransactionContext _transaction;
    private byte[] _output = new byte[1024];
    private byte[] _returnData = [];
    private PairHashCache? _pairHashes;
    private int _returnLength;

    /// <summary>Read by compiled code where it jumps back.</summary>
    internal bool Stopped;

    /// <param name="foreign">The engine for code that begins with the WebAssembly magic, if there is one.</param>
    public EvmEngine(IExecutionEngine? foreign = null)
    {
        _foreign = foreign;
        _table = InstructionTable.For(ForkRules.Of(Fork.Osaka));
    }

    /// <summary>Watches every step; null (and then without cost) by default.</summary>
    public IEvmTracer? Tracer { get; set; }

    /// <summary>
    /// Ends the execution under way at the next jump back, call or return, as if a key were not loaded; another thread
    /// may set it. Until it is taken back, every execution ends so.
    /// </summary>
    public bool IsStopped
    {
        get => Volatile.Read(ref Stopped);
        set => Volatile.Write(ref Stopped, value);
    }

    /// <summary>
    /// Precompiled contracts that answer elsewhere (an address with the one whose contract it has) or nowhere (null),
    /// for simulations; null (and then without cost) by default.
    /// </summary>
    public IReadOnlyDictionary<Address, Address?>? MovedPrecompiles { get; set; }

    /// <summary>Digests of mapping keys.</summary>
    internal PairHashCache PairHashes => _pairHashes ??= new PairHashCache();

    internal WorldState State { get; private set; } = null!;

    internal BlockContext Block { get; private set; } = null!;

    internal ref readonly TransactionContext Transaction => ref _transaction;

    /// <summary>What the last call of the running frame returned.</summary>
    internal ReadOnlySpan<byte> ReturnData => _returnData.AsSpan(0, _returnLength);

    public ExecutionResult Execute(
        in Message message, in TransactionContext transaction, BlockContext block, WorldState state)
    {
        _transaction = transaction;
        Block = block;
        State = state;
        if (!ReferenceEquals(_table.Rules, block.Rules))
        {
            _table = InstructionTable.For(block.Rules);
        }

        var entered = _top;
        if (entered < 0)
        {
            _slabs.Trim();
            if (_output.Length > KeptOutputBytes)
            {
                _output = new byte[1024];
            }
        }

        ClearReturnData();
        try
        {
            return message.Kind is MessageKind.Create or MessageKind.Create2
                ? ExecuteCreate(message)
                : ExecuteCall(message);
        }
        finally
        {
            _top = entered;
        }
    }

    internal void ClearReturnData() => _returnLength = 0;

    /// <summary>Sets memory to a size in bytes (whole words), new bytes zero, and the frame's pointer anew.</summary>
    internal void GrowMemory(Frame frame, int size)
    {
        _slabs.EnsureMemory(frame.MemoryBase + size, frame.MemoryBase + frame.MemorySize);
        frame.Memory = _slabs.MemoryStart + frame.MemoryBase;
        NativeMemory.Clear(frame.Memory + frame.MemorySize, (nuint)(size - frame.MemorySize));
        frame.MemorySize = size;
    }

    /// <summary>Runs the top frame, and those it begins, until the frame at the level has ended.</summary>
    private ExecutionResult RunFrames(int level)
    {
        while (true)
        {
            if (Stopped)
            {
                return new ExecutionResult { Status = ExecutionStatus.NotLoaded };
            }

            var frame = _frames[_top];
            if (frame.IsForeign)
            {
                RunForeign(frame);
            }
            else if (RunFrame(frame) == FrameExit.Child)
            {
                continue;
            }

            var status = Finish(frame);
            if (Tracer is not null)
            {
                TraceExit(status, frame.Gas);
            }

            _top--;
            if (status == ExecutionStatus.NotLoaded)
            {
                return new ExecutionResult { Status = status };
            }

            if (_top < level)
            {
                return new ExecutionResult
                {
                    Status = status,
                    GasLeft = (ulong)frame.Gas,
                    Output = frame.IsCreation && status == ExecutionStatus.Success
                        ? frame.CreatedCode
                        : _returnData.AsMemory(0, _returnLength),
                };
            }

            Resume(_frames[_top], frame, status);
        }
    }

    /// <summary>Ends a frame: deploys created code, undoes what failed, and leaves the output as return data.</summary>
    private ExecutionStatus Finish(Frame frame)
    {
        var status = frame.Fault;
        var outputs = status is ExecutionStatus.Success or ExecutionStatus.Revert;
        if (status == ExecutionStatus.Success && frame.IsCreation)
        {
            status = Deploy(frame);
            outputs = false;
        }

        if (status != ExecutionStatus.Success)
        {
            State.Revert(frame.Snapshot);
            if (status != ExecutionStatus.Revert)
            {
                frame.Gas = 0;
            }
        }

        if (frame.IsForeign)
        {
            return status;
        }

        if (outputs && frame.OutputLength > 0)
        {
            if (_output.Length < frame.OutputLength)
            {
                _output = new byte[Math.Max(frame.OutputLength, 2 * _output.Length)];
            }

            new ReadOnlySpan<byte>(frame.Memory + frame.OutputOffset, frame.OutputLength).CopyTo(_output);
            _returnData = _output;
            _returnLength = frame.OutputLength;
        }
        else
        {
            _returnLength = 0;
        }

        return status;
    }

    /// <summary>Hands a finished frame's result to its caller: success flag or address, gas, output.</summary>
    private void Resume(Frame caller, Frame ended, ExecutionStatus status)
    {
        Refresh(caller);
        caller.HasChild = false;
        caller.Gas += ended.Gas;
        var result = caller.Stack + caller.StackHeight - 1;
        if (status != ExecutionStatus.Success)
        {
            *result = UInt256.Zero;
        }
        else
        {
            *result = ended.IsCreation ? ended.Address.ToWord() : UInt256.One;
        }

        CopyReturnData(caller);
    }

    /// <summary>Copies return data to where the caller's call wanted it, as far as there is room.</summary>
    private void CopyReturnData(Frame caller)
    {
        var length = Math.Min(caller.ReturnLength, _returnLength);
        if (length > 0)
        {
            _returnData.AsSpan(0, length).CopyTo(new Span<byte>(caller.Memory + caller.ReturnOffset, length));
        }
    }

    private void Refresh(Frame frame)
    {
        frame.Stack = _slabs.StackStart + frame.StackBase;
        frame.Memory = _slabs.MemoryStart + frame.MemoryBase;
    }

    /// <summary>A frame above the top one, or the engine's first, at the start of its code.</summary>
    private Frame PushFrame(Frame? below, Code code, long gas, int depth)
    {
        if (++_top == _frames.Length)
        {
            Array.Resize(ref _frames, _frames.Length * 2);
        }

        var frame = _frames[_top] ??= new Frame(this);
        frame.StackBase = below is null ? 0 : below.StackBase + below.StackHeight;
        frame.MemoryBase = below is null ? 0 : below.MemoryBase + below.MemorySize;
        _slabs.EnsureStack(frame.StackBase);
        Refresh(frame);
        frame.Code = code;
        frame.Analysis = CodeAnalysis.Of(code);
        frame.Table = _table;
        frame.Depth = depth;
        frame.Gas = gas;
        frame.Pc = 0;
        frame.StackHeight = 0;
        frame.MemorySize = 0;
        frame.MemoryGas = 0;
        frame.HasChild = false;
        frame.IsForeign = false;
        frame.Fault = ExecutionStatus.OutOfGas;
        frame.OutputLength = 0;
        return frame;
    }
}
