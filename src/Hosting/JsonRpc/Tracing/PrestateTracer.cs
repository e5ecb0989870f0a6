using System.Text.Json;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Hosting.JsonRpc.Tracing;

/// <summary>
/// What a transaction touched as it was before ("prestateTracer"), or with diffMode what it changed, before and after;
/// with the fields that geth's has.
/// </summary>
/// <remarks>
/// Accounts: sender, recipient, fee recipient, authorities, whatever an instruction names or creates, and where code is
/// delegated to (EIP-7702). Slots: those that SLOAD and SSTORE name. An account that was not there before is left out
/// of what was before, unless includeEmpty asks for it; one that is not there after is left out of what is after.
/// </remarks>
internal sealed class PrestateTracer(TraceOptions options, int mostBytes) : ITransactionTracer
{
    /// <summary>Bytes of JSON that an account and a slot have, about.</summary>
    private const int AccountBytes = 130, SlotBytes = 140;

    private readonly SortedDictionary<Address, SortedSet<UInt256>> _touched = [];
    private readonly List<Address> _called = [];
    private Dictionary<Address, View> _before = [];
    private Dictionary<Address, View> _after = [];
    private bool _hasBegun;
    private long _bytes;

    public bool IsTooLarge => _bytes > mostBytes;

    public void OnStep(in EvmStep step)
    {
        switch (step.Opcode)
        {
            case Opcode.SLoad or Opcode.SStore:
                if (Touch(step.Contract) is { } slots && !options.DisableStorage && slots.Add(step.Stack[^1]))
                {
                    _bytes += SlotBytes;
                }

                break;
            case Opcode.Balance or Opcode.ExtCodeSize or Opcode.ExtCodeCopy or Opcode.ExtCodeHash
                or Opcode.SelfDestruct:
                Touch(Address.FromWord(step.Stack[^1]));
                break;
            case Opcode.Call or Opcode.CallCode or Opcode.DelegateCall or Opcode.StaticCall:
                Call(Address.FromWord(step.Stack[^2]));
                break;
            default:
                break;
        }
    }

    public void OnEnter(in Message message)
    {
        if (!_hasBegun || message.Kind is MessageKind.Create or MessageKind.Create2)
        {
            _hasBegun = true;
            Call(message.Recipient);
        }
    }

    public void OnExit(in ExecutionResult result)
    {
    }

    public void OnSelfDestruct(in Address contract, in Address beneficiary, in UInt256 balance)
    {
    }

    public void OnExecuted(Transaction transaction, BlockContext block, IStateReader before)
    {
        Touch(transaction.Sender!.Value);
        Touch(block.Coinbase);
        foreach (var authorization in transaction.Authorizations)
        {
            if (AuthorizationSigner.TryRecover(authorization, out var authority))
            {
                Touch(authority);
            }
        }

        foreach (var address in _called)
        {
            if (new View(before, address, []).Code.IsDelegation(out var target))
            {
                Touch(target);
            }
        }

        _before = Views(before);
    }

    public void OnApplied(IStateReader after)
    {
        if (options.DiffMode && !IsTooLarge)
        {
            _after = Views(after);
        }
    }

    public void Write(Utf8JsonWriter json, Transaction transaction, in TracedOutcome outcome)
    {
        if (!options.DiffMode)
        {
            WriteBefore(json);
            return;
        }

        json.WriteStartObject();
        json.WritePropertyName("post"u8);
        WriteAfter(json);
        json.WritePropertyName("pre"u8);
        WriteBefore(json);
        json.WriteEndObject();
    }

    private void Call(in Address address)
    {
        if (Touch(address) is not null)
        {
            _called.Add(address);
        }
    }

    /// <summary>The account's slots; null once nothing more is kept.</summary>
    private SortedSet<UInt256>? Touch(in Address address)
    {
        if (_touched.TryGetValue(address, out var slots) || IsTooLarge)
        {
            return slots;
        }

        _bytes += AccountBytes;
        return _touched[address] = [];
    }

    private Dictionary<Address, View> Views(IStateReader state)
    {
        var views = new Dictionary<Address, View>(_touched.Count);
        foreach (var (address, slots) in _touched)
        {
            var view = new View(state, address, slots);
            views.Add(address, view);
            _bytes += options.DisableCode ? 0 : 2L * view.Code.Length;
        }

        return views;
    }

    private void WriteBefore(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        foreach (var (address, slots) in _touched)
        {
            var before = _before[address];
            var after = options.DiffMode ? _after[address] : null;
            if ((!before.Exists && !options.IncludeEmpty) || (after is not null && !IsChanged(before, after, slots)))
            {
                continue;
            }

            json.WriteStartObject(address.ToString());
            json.WriteQuantity("balance"u8, before.Account.Balance);
            WriteCodeAndNonce(json, before.Code, before.Account.Nonce);
            WriteSlots(json, slots.Where(slot => after is not { Exists: true }
                || (before[slot] != after[slot] && !before[slot].IsZero)), before);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private void WriteAfter(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        foreach (var (address, slots) in _touched)
        {
            var (before, after) = (_before[address], _after[address]);
            if (!after.Exists || !IsChanged(before, after, slots))
            {
                continue;
            }

            json.WriteStartObject(address.ToString());
            if (after.Account.Balance != before.Account.Balance)
            {
                json.WriteQuantity("balance"u8, after.Account.Balance);
            }

            WriteCodeAndNonce(
                json,
                after.Code.Hash == before.Code.Hash ? Code.Empty : after.Code,
                after.Account.Nonce == before.Account.Nonce ? 0 : after.Account.Nonce);
            WriteSlots(json, slots.Where(slot => before[slot] != after[slot] && !after[slot].IsZero), after);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }

    private bool IsChanged(View before, View after, SortedSet<UInt256> slots) =>
        before.Exists != after.Exists
        || before.Account.Balance != after.Account.Balance
        || before.Account.Nonce != after.Account.Nonce
        || (!options.DisableCode && before.Code.Hash != after.Code.Hash)
        || slots.Any(slot => before[slot] != after[slot]);

    private void WriteCodeAndNonce(Utf8JsonWriter json, Code code, ulong nonce)
    {
        if (code.Length > 0 && !options.DisableCode)
        {
            json.WriteHex("code"u8, code.Bytes);
        }

        if (nonce > 0)
        {
            json.WriteNumber("nonce"u8, nonce);
        }
    }

    private static void WriteSlots(Utf8JsonWriter json, IEnumerable<UInt256> slots, View values)
    {
        var hasBegun = false;
        foreach (var slot in slots)
        {
            if (!hasBegun)
            {
                json.WriteStartObject("storage"u8);
                hasBegun = true;
            }

            json.WritePropertyName(new Hash256(slot.ToBigEndian()).ToString());
            json.WriteWordValue(values[slot]);
        }

        if (hasBegun)
        {
            json.WriteEndObject();
        }
    }

    /// <summary>An account in a state, with the slots that are asked for.</summary>
    private sealed class View
    {
        private readonly Dictionary<UInt256, UInt256> _slots;

        internal View(IStateReader state, in Address address, ICollection<UInt256> slots)
        {
            _slots = new Dictionary<UInt256, UInt256>(slots.Count);
            var isThere = state.ReadAccount(address, out var account) == ReadStatus.Found;
            Exists = isThere && (!account.IsEmpty || account.HasStorage);
            if (!isThere)
            {
                return;
            }

            Account = account;
            if (account.HasCode && state.ReadCode(account.CodeHash, out var code) == ReadStatus.Found)
            {
                Code = code!;
            }

            foreach (var slot in slots)
            {
                state.ReadSlot(address, slot, out var value);
                _slots[slot] = value;
            }
        }

        internal bool Exists { get; }

        internal Account Account { get; }

        internal Code Code { get; } = Code.Empty;

        internal UInt256 this[in UInt256 slot] => _slots.GetValueOrDefault(slot);
    }
}
