using System.Text.Json;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>State and block overrides of eth_call and its kin.</summary>
internal ref partial struct RpcParams
{
    private const int MaximumOverrides = 1_024;
    private const int MaximumOverriddenSlots = 65_536;

    /// <summary>An object of account overrides by address; null where it is left out.</summary>
    internal bool OptionalStateOverrides(out Dictionary<Address, AccountOverride>? overrides)
    {
        overrides = null;
        return !Optional() || ReadStateOverrides(overrides = []);
    }

    private bool ReadStateOverrides(Dictionary<Address, AccountOverride> overrides)
    {
        if (!IsToken(JsonTokenType.StartObject, "an object of state overrides"))
        {
            return false;
        }

        while (NextField())
        {
            if (overrides.Count >= MaximumOverrides || !NameAsAddress(out var address))
            {
                return Refuse($"state overrides are at most {MaximumOverrides} accounts by address");
            }

            if (!FieldValue() || !ReadAccountOverride(overrides[address] = new AccountOverride()))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>An object of block fields; null where it is left out.</summary>
    internal bool OptionalBlockOverrides(out BlockOverrides? overrides)
    {
        overrides = null;
        return !Optional() || ReadBlockOverrides(overrides = new BlockOverrides());
    }

    private bool ReadBlockOverrides(BlockOverrides overrides)
    {
        if (!IsToken(JsonTokenType.StartObject, "an object of block overrides"))
        {
            return false;
        }

        while (NextField())
        {
            if (!ReadBlockOverride(overrides))
            {
                return false;
            }
        }

        return true;
    }

    private bool ReadAccountOverride(AccountOverride account)
    {
        if (!IsToken(JsonTokenType.StartObject, "an account override"))
        {
            return false;
        }

        while (NextField())
        {
            var ok = _reader switch
            {
                _ when _reader.ValueTextEquals("balance"u8) =>
                    NullField() || (ReadQuantity(out var balance) && (account.Balance = balance) is not null),
                _ when _reader.ValueTextEquals("nonce"u8) =>
                    NullField() || (ReadQuantity64(out var nonce) && (account.Nonce = nonce) is not null),
                _ when _reader.ValueTextEquals("code"u8) =>
                    NullField() || (ReadData(out var code) && (account.Code = new Code(code)) is not null),
                _ when _reader.ValueTextEquals("state"u8) =>
                    NullField() || ReadSlotValues(account.State = []),
                _ when _reader.ValueTextEquals("stateDiff"u8) =>
                    NullField() || ReadSlotValues(account.StateDiff = []),
                _ when _reader.ValueTextEquals("movePrecompileToAddress"u8) =>
                    NullField() || (ReadAddress(out var target) && (account.MovePrecompileTo = target) is not null),
                _ => FieldValue() && Refuse("an override has balance, nonce, code, state or stateDiff"),
            };
            if (!ok)
            {
                return false;
            }
        }

        return account.State is null || account.StateDiff is null
            || Refuse("an account has both state and stateDiff");
    }

    private bool ReadBlockOverride(BlockOverrides block)
    {
        switch (_reader)
        {
            case var _ when _reader.ValueTextEquals("number"u8):
                return NullField() || (ReadQuantity64(out var number) && (block.Number = number) is not null);
            case var _ when _reader.ValueTextEquals("time"u8):
                return NullField() || (ReadQuantity64(out var time) && (block.Time = time) is not null);
            case var _ when _reader.ValueTextEquals("gasLimit"u8):
                return NullField() || (ReadQuantity64(out var gas) && (block.GasLimit = gas) is not null);
            case var _ when _reader.ValueTextEquals("feeRecipient"u8) || _reader.ValueTextEquals("coinbase"u8):
                return NullField() || (ReadAddress(out var payee) && (block.FeeRecipient = payee) is not null);
            case var _ when _reader.ValueTextEquals("prevRandao"u8) || _reader.ValueTextEquals("random"u8)
                || _reader.ValueTextEquals("difficulty"u8):
                return NullField() || (ReadSlot(out var random) && (block.PrevRandao = random) is not null);
            case var _ when _reader.ValueTextEquals("baseFeePerGas"u8) || _reader.ValueTextEquals("baseFee"u8):
                return NullField() || (ReadQuantity(out var fee) && (block.BaseFeePerGas = fee) is not null);
            case var _ when _reader.ValueTextEquals("blobBaseFee"u8):
                return NullField() || (ReadQuantity(out var blobFee) && (block.BlobBaseFee = blobFee) is not null);
            case var _ when _reader.ValueTextEquals("beaconRoot"u8):
                return NullField() || (ReadHash(out var root) && (block.BeaconRoot = root) is not null);
            case var _ when _reader.ValueTextEquals("withdrawals"u8):
                return NullField() || ReadWithdrawals(block.Withdrawals = []);
            default:
                SkipField();
                return true;
        }
    }

    private bool ReadSlotValues(Dictionary<UInt256, UInt256> slots)
    {
        if (!IsToken(JsonTokenType.StartObject, "an object of storage values by slot"))
        {
            return false;
        }

        Span<byte> scratch = stackalloc byte[256];
        while (NextField())
        {
            var fits = _reader.ValueSpan.Length <= scratch.Length;
            var size = fits ? _reader.CopyString(scratch) : 0;
            if (slots.Count >= MaximumOverriddenSlots || !JsonValues.TryQuantity(scratch[..size], out var slot))
            {
                return Refuse($"at most {MaximumOverriddenSlots} storage values by slot");
            }

            if (!FieldValue() || !ReadSlot(out var value))
            {
                return false;
            }

            slots[slot] = value;
        }

        return true;
    }

    /// <summary>Reads the field's name as an address.</summary>
    private readonly bool NameAsAddress(out Address address)
    {
        Span<byte> scratch = stackalloc byte[256];
        Span<byte> bytes = stackalloc byte[Core.Primitives.Address.Size];
        address = default;
        var size = _reader.ValueSpan.Length <= scratch.Length ? _reader.CopyString(scratch) : 0;
        if (!JsonValues.TryData(scratch[..size], bytes, out var length) || length != bytes.Length)
        {
            return false;
        }

        address = new Address(bytes);
        return true;
    }

    /// <summary>Steps to the field's value; whether it is null.</summary>
    private bool NullField() => _reader.Read() && _reader.TokenType == JsonTokenType.Null;
}
