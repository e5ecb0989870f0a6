using System.Text.Json;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc.Methods;

namespace SuperVm.Hosting.JsonRpc.Tracing;

/// <summary>The log of instructions (execution-apis, OpcodeTransactionTrace).</summary>
/// <remarks>
/// An instruction's price is known when the next one of its message begins, or the message ends: it is the difference
/// of the gas, what a call within brought back counted. Of a CALL it includes the gas given on, of a CREATE it does
/// not, as in geth. An SLOAD's value is known at the same moment.
/// </remarks>
internal sealed class InstructionTracer(TraceOptions options, int mostBytes) : ITransactionTracer
{
    /// <summary>Bytes of JSON that an entry has beside its lists, about; those of a word.</summary>
    private const int EntryBytes = 80;
    private const int WordBytes = 69;

    private readonly List<Entry> _entries = [];
    private readonly Stack<Level> _levels = [];
    private readonly Dictionary<Address, SortedDictionary<UInt256, UInt256>> _storage = [];
    private long _bytes;

    public bool IsTooLarge => _bytes > mostBytes;

    public void OnStep(in EvmStep step)
    {
        var level = _levels.Peek();
        Complete(level, step.Gas, step.Stack);
        level.Last = Keep(step);
        level.HasChild = false;
        level.IsOpen = true;
        if (level.Last is { } entry)
        {
            Prepare(entry, step);
        }
    }

    public void OnRefused(in EvmStep step, ExecutionStatus reason)
    {
        var level = _levels.Peek();
        Complete(level, step.Gas, step.Stack);
        level.IsOpen = false;
        if (Keep(step) is { } entry)
        {
            var isUndefined = reason == ExecutionStatus.InvalidOpcode;
            entry.Cost = isUndefined ? 0 : step.StaticGas;
            entry.Error = isUndefined ? null : CallErrors.Describe(reason);
        }
    }

    public void OnEnter(in Message message)
    {
        if (_levels.TryPeek(out var caller))
        {
            caller.HasChild = true;
            caller.IsCreating = message.Kind is MessageKind.Create or MessageKind.Create2;
            caller.Given = message.Gas;
        }

        _levels.Push(new Level());
    }

    public void OnExit(in ExecutionResult result)
    {
        var level = _levels.Pop();
        if (level is { IsOpen: true, Last: { } last })
        {
            var endsWell = result.Status is ExecutionStatus.Success or ExecutionStatus.Revert;
            last.Cost = last.Op switch
            {
                Opcode.Stop => 0,
                Opcode.Return or Opcode.Revert => last.Expansion,
                Opcode.SelfDestruct when endsWell => last.Gas - (long)result.GasLeft,
                _ => last.StaticGas,
            };
            last.Error = endsWell || last.Op == Opcode.Invalid ? null : CallErrors.Describe(result.Status);
        }

        if (_levels.TryPeek(out var caller))
        {
            caller.Returned = result.GasLeft;
        }
    }

    public void OnSelfDestruct(in Address contract, in Address beneficiary, in UInt256 balance)
    {
    }

    public void Write(Utf8JsonWriter json, Transaction transaction, in TracedOutcome outcome)
    {
        json.WriteStartObject();
        json.WriteNumber("gas"u8, outcome.GasUsed);
        json.WriteBoolean("failed"u8, !outcome.Succeeded);
        json.WriteHex("returnValue"u8, outcome.Output);
        json.WriteStartArray("structLogs"u8);
        foreach (var entry in _entries)
        {
            Write(json, entry);
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Entry entry)
    {
        json.WriteStartObject();
        json.WriteNumber("pc"u8, entry.Pc);
        json.WriteString("op"u8, OpcodeNames.Of(entry.Op));
        json.WriteNumber("gas"u8, entry.Gas);
        json.WriteNumber("gasCost"u8, entry.Cost);
        json.WriteNumber("depth"u8, entry.Depth);
        if (entry.Error is { } error)
        {
            json.WriteString("error"u8, error);
        }

        if (entry.Refund != 0)
        {
            json.WriteNumber("refund"u8, entry.Refund);
        }

        if (entry.Stack is { } stack)
        {
            json.WriteStartArray("stack"u8);
            foreach (var word in stack)
            {
                json.WriteQuantityValue(word);
            }

            json.WriteEndArray();
        }

        if (entry.ReturnData is { Length: > 0 } data)
        {
            json.WriteHex("returnData"u8, data);
        }

        if (entry.Memory is { Length: > 0 } memory)
        {
            json.WriteStartArray("memory"u8);
            for (var at = 0; at < memory.Length; at += 32)
            {
                json.WriteHexValue(memory.AsSpan(at, 32));
            }

            json.WriteEndArray();
        }

        if (entry.Storage is { } slots)
        {
            json.WriteStartObject("storage"u8);
            foreach (var (slot, value) in slots)
            {
                json.WritePropertyName(Hex.Encode(WordOf(slot)));
                json.WriteWordValue(value);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private static byte[] WordOf(in UInt256 value)
    {
        var bytes = new byte[32];
        value.WriteBigEndian(bytes);
        return bytes;
    }

    private Entry? Keep(in EvmStep step)
    {
        if (IsTooLarge || (options.Limit > 0 && (ulong)_entries.Count >= options.Limit))
        {
            return null;
        }

        var entry = new Entry
        {
            Pc = step.Pc,
            Op = step.Opcode,
            Gas = step.Gas,
            StaticGas = step.StaticGas,
            Depth = step.Depth + 1,
            Refund = step.Refund,
            Contract = step.Contract,
            Stack = options.DisableStack ? null : step.Stack.ToArray(),
            Memory = options.EnableMemory ? step.Memory.ToArray() : null,
            ReturnData = options.EnableReturnData ? step.ReturnData.ToArray() : null,
        };
        _bytes += EntryBytes + (WordBytes * ((entry.Stack?.Length ?? 0) + ((entry.Memory?.Length ?? 0) / 32L)))
            + (2L * (entry.ReturnData?.Length ?? 0));
        _entries.Add(entry);
        return entry;
    }

    /// <summary>Notes what only the operands tell, while they are there.</summary>
    private void Prepare(Entry entry, in EvmStep step)
    {
        var stack = step.Stack;
        switch (entry.Op)
        {
            case Opcode.Return or Opcode.Revert when stack.Length >= 2:
                entry.Expansion = ExpansionOf(step.Memory.Length, stack[^1], stack[^2]);
                break;
            case Opcode.SLoad when stack.Length >= 1 && !options.DisableStorage:
                entry.Slot = stack[^1];
                break;
            case Opcode.SStore when stack.Length >= 2 && !options.DisableStorage:
                Note(entry, stack[^1], stack[^2]);
                break;
        }
    }

    private void Complete(Level level, long gasNow, ReadOnlySpan<UInt256> stackNow)
    {
        if (level is not { IsOpen: true, Last: { } last })
        {
            return;
        }

        last.Cost = last.Gas - gasNow;
        if (level.HasChild)
        {
            last.Cost += (long)level.Returned - (level.IsCreating ? (long)level.Given : 0);
        }

        if (last.Slot is { } slot && !stackNow.IsEmpty)
        {
            Note(last, slot, stackNow[^1]);
        }
    }

    private void Note(Entry entry, in UInt256 slot, in UInt256 value)
    {
        if (!_storage.TryGetValue(entry.Contract, out var slots))
        {
            _storage.Add(entry.Contract, slots = []);
        }

        slots[slot] = value;
        entry.Storage = [.. slots];
        _bytes += 2L * WordBytes * slots.Count;
    }

    /// <summary>Gas of memory up to the end of the range (Yellow Paper, H.1).</summary>
    private static long ExpansionOf(int size, in UInt256 offset, in UInt256 length)
    {
        if (length.IsZero || !offset.IsUInt64 || !length.IsUInt64)
        {
            return 0;
        }

        var words = (long)((offset.U0 + length.U0 + 31) / 32);
        return words <= size / 32 ? 0 : PriceOf(words) - PriceOf(size / 32);
    }

    private static long PriceOf(long words) => (3 * words) + (words * words / 512);

    /// <summary>A message that runs.</summary>
    private sealed class Level
    {
        internal Entry? Last;
        internal bool IsOpen, HasChild, IsCreating;
        internal ulong Given, Returned;
    }

    private sealed class Entry
    {
        internal int Pc, Depth;
        internal Opcode Op;
        internal long Gas, StaticGas, Cost, Expansion, Refund;
        internal string? Error;
        internal Address Contract;
        internal UInt256? Slot;
        internal UInt256[]? Stack;
        internal byte[]? Memory, ReturnData;
        internal KeyValuePair<UInt256, UInt256>[]? Storage;
    }
}
