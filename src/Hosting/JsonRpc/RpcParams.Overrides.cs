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
                _ when Is("balance"u8) => Field(account, AsQuantity, static (to, balance) => to.Balance = balance),
                _ when Is("nonce"u8) => Field(account, AsQuantity64, static (to, nonce) => to.Nonce = nonce),
                _ when Is("code"u8) => Field(account, AsData, static (to, code) => to.Code = new Code(code)),
                _ when Is("state"u8) => NullField() || ReadSlotValues(account.State = []),
                _ when Is("stateDiff"u8) => NullField() || ReadSlotValues(account.StateDiff = []),
                _ when Is("movePrecompileToAddress"u8) =>
                    Field(account, AsAddress, static (to, target) => to.MovePrecompileTo = target),
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

    private bool ReadBlockOverride(BlockOverrides block) => _reader switch
    {
        _ when Is("number"u8) => Field(block, AsQuantity64, static (to, number) => to.Number = number),
        _ when Is("time"u8) => Field(block, AsQuantity64, static (to, time) => to.Time = time),
        _ when Is("gasLimit"u8) => Field(block, AsQuantity64, static (to, gas) => to.GasLimit = gas),
        _ when Is("feeRecipient"u8) || Is("coinbase"u8) =>
            Field(block, AsAddress, static (to, payee) => to.FeeRecipient = payee),
        _ when Is("prevRandao"u8) || Is("random"u8) || Is("difficulty"u8) =>
            Field(block, AsSlot, static (to, random) => to.PrevRandao = random),
        _ when Is("baseFeePerGas"u8) || Is("baseFee"u8) =>
            Field(block, AsQuantity, static (to, fee) => to.BaseFeePerGas = fee),
        _ when Is("blobBaseFee"u8) => Field(block, AsQuantity, static (to, fee) => to.BlobBaseFee = fee),
        _ when Is("beaconRoot"u8) => Field(block, AsHash, static (to, root) => to.BeaconRoot = root),
        _ when Is("withdrawals"u8) => NullField() || ReadWithdrawals(block.Withdrawals = []),
        _ => _reader.Read() && _reader.TrySkip(),
    };

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
