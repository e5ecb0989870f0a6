using System.Text.Json;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc.Methods;

namespace SuperVm.Hosting.JsonRpc.Tracing;

/// <summary>The tree of calls ("callTracer"), with the fields that geth's has.</summary>
internal sealed class CallTracer(TraceOptions options, int mostBytes) : ITransactionTracer
{
    /// <summary>Bytes of JSON that a call has beside its data, about.</summary>
    private const int CallBytes = 400;

    private readonly Stack<Frame> _open = [];
    private Frame? _root;
    private long _bytes;
    private int _logs;

    public bool IsTooLarge => _bytes > mostBytes;

    public void OnStep(in EvmStep step)
    {
    }

    public void OnEnter(in Message message)
    {
        var call = new Frame
        {
            Type = message.Kind.ToString().ToUpperInvariant(),
            From = message.Caller,
            To = message.Kind is MessageKind.CallCode or MessageKind.DelegateCall
                ? message.CodeAddress
                : message.Recipient,
            // A delegated call runs in its caller's place: who called is the contract itself.
            Value = message.Kind == MessageKind.StaticCall ? null : message.Value,
            Gas = message.Gas,
            Input = message.Input.ToArray(),
            IsCreation = message.Kind is MessageKind.Create or MessageKind.Create2,
        };
        if (message.Kind == MessageKind.DelegateCall)
        {
            call.From = message.Recipient;
        }

        _bytes += CallBytes + (2L * call.Input.Length);
        if (_root is null)
        {
            _root = call;
        }
        else if (!options.OnlyTopCall && !IsTooLarge)
        {
            _open.Peek().Calls.Add(call);
        }

        _open.Push(call);
    }

    public void OnExit(in ExecutionResult result)
    {
        var call = _open.Pop();
        call.GasUsed = call.Gas - Math.Min(call.Gas, result.GasLeft);
        call.Status = result.Status;
        call.Output = result.Output.ToArray();
        _bytes += 2L * call.Output.Length;
        if (!result.Succeeded)
        {
            call.Drop();
        }
    }

    public void OnSelfDestruct(in Address contract, in Address beneficiary, in UInt256 balance)
    {
        if (!options.OnlyTopCall && !IsTooLarge)
        {
            _bytes += CallBytes;
            _open.Peek().Calls.Add(
                new Frame { Type = "SELFDESTRUCT", From = contract, To = beneficiary, Value = balance });
        }
    }

    public void OnLog(Log log)
    {
        if (options.WithLog && (!options.OnlyTopCall || _open.Count == 1) && !IsTooLarge)
        {
            var call = _open.Peek();
            call.Logs.Add((log, _logs++, call.Calls.Count));
            _bytes += CallBytes + (2L * log.Data.Length);
        }
    }

    public void Write(Utf8JsonWriter json, Transaction transaction, in TracedOutcome outcome)
    {
        if (_root is not { } root)
        {
            json.WriteNullValue();
            return;
        }

        (root.Gas, root.GasUsed) = (transaction.GasLimit, outcome.GasUsed);
        if (root.IsCreation && outcome.Succeeded)
        {
            root.Output = outcome.Output;
        }

        Write(json, root);
    }

    private static void Write(Utf8JsonWriter json, Frame call)
    {
        json.WriteStartObject();
        json.WriteAddress("from"u8, call.From);
        json.WriteQuantity("gas"u8, call.Gas);
        json.WriteQuantity("gasUsed"u8, call.GasUsed);
        if (!call.IsCreation || call.Status == ExecutionStatus.Success)
        {
            json.WriteAddress("to"u8, call.To);
        }

        json.WriteHex("input"u8, call.Input);
        if (call.Output.Length > 0 && call.Status is ExecutionStatus.Success or ExecutionStatus.Revert)
        {
            json.WriteHex("output"u8, call.Output);
        }

        if (call.Status != ExecutionStatus.Success)
        {
            WriteError(json, call);
        }

        if (call.Calls.Count > 0)
        {
            json.WriteStartArray("calls"u8);
            foreach (var inner in call.Calls)
            {
                Write(json, inner);
            }

            json.WriteEndArray();
        }

        if (call.Logs.Count > 0)
        {
            WriteLogs(json, call);
        }

        if (call.Value is { } value)
        {
            json.WriteQuantity("value"u8, value);
        }

        json.WriteString("type"u8, call.Type);
        json.WriteEndObject();
    }

    private static void WriteError(Utf8JsonWriter json, Frame call)
    {
        const string Reverted = "execution reverted";
        json.WriteString(
            "error"u8, call.Status == ExecutionStatus.Revert ? Reverted : CallErrors.Describe(call.Status));
        var words = call.Status == ExecutionStatus.Revert ? CallErrors.Reverted(call.Output).Message : Reverted;
        if (words.Length > Reverted.Length)
        {
            json.WriteString("revertReason"u8, words[(Reverted.Length + 2)..]);
        }
    }

    private static void WriteLogs(Utf8JsonWriter json, Frame call)
    {
        json.WriteStartArray("logs"u8);
        foreach (var (log, index, position) in call.Logs)
        {
            json.WriteStartObject();
            json.WriteAddress("address"u8, log.Address);
            json.WriteStartArray("topics"u8);
            foreach (var topic in log.Topics)
            {
                json.WriteHexValue(topic.Bytes);
            }

            json.WriteEndArray();
            json.WriteHex("data"u8, log.Data);
            json.WriteQuantity("index"u8, (ulong)index);
            json.WriteQuantity("position"u8, (ulong)position);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private sealed class Frame
    {
        internal string Type = string.Empty;
        internal Address From, To;
        internal UInt256? Value;
        internal ulong Gas, GasUsed;
        internal byte[] Input = [];
        internal byte[] Output = [];
        internal ExecutionStatus Status = ExecutionStatus.Success;
        internal bool IsCreation;

        internal List<Frame> Calls { get; } = [];

        internal List<(Log Log, int Index, int Position)> Logs { get; } = [];

        /// <summary>A failed call and those within it left no logs.</summary>
        internal void Drop()
        {
            Logs.Clear();
            foreach (var inner in Calls)
            {
                inner.Drop();
            }
        }
    }
}
