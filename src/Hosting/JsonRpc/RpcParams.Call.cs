using System.Text.Json;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>Transaction objects.</summary>
internal ref partial struct RpcParams
{
    private const int MaximumListItems = 4_096;

    /// <summary>A transaction object; unknown fields are passed over, null ones count as left out.</summary>
    internal bool Call(out CallRequest call)
    {
        if (Required())
        {
            return ReadCall(out call);
        }

        call = new CallRequest();
        return false;
    }

    private bool ReadCall(out CallRequest call)
    {
        call = new CallRequest();
        if (!IsToken(JsonTokenType.StartObject, "a transaction object"))
        {
            return false;
        }

        byte[]? input = null, data = null;
        while (NextField())
        {
            if (_reader.ValueTextEquals("input"u8) || _reader.ValueTextEquals("data"u8))
            {
                var isInput = _reader.ValueTextEquals("input"u8);
                FieldValue();
                if (_reader.TokenType == JsonTokenType.Null)
                {
                    continue;
                }

                if (!ReadData(out var bytes))
                {
                    return false;
                }

                (input, data) = isInput ? (bytes, data) : (input, bytes);
            }
            else if (!ReadCallField(call))
            {
                return false;
            }
        }

        if (input is not null && data is not null && !input.AsSpan().SequenceEqual(data))
        {
            return Refuse("both \"data\" and \"input\" are set and not equal");
        }

        call.Data = input ?? data ?? [];
        return call.GasPrice is null || (call.MaxFeePerGas is null && call.MaxPriorityFeePerGas is null)
            || Refuse("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified");
    }

    private bool ReadCallField(CallRequest call)
    {
        var field = CallFieldOf();
        FieldValue();
        if (field == CallField.Other || _reader.TokenType == JsonTokenType.Null)
        {
            _reader.Skip();
            return true;
        }

        switch (field)
        {
            case CallField.From when ReadAddress(out var from):
                call.From = from;
                return true;
            case CallField.To when IsEmptyText():
                return true;
            case CallField.To when ReadAddress(out var to):
                call.To = to;
                return true;
            case CallField.Gas when ReadQuantity(out var gas):
                call.Gas = gas.ToUInt64Saturating();
                return true;
            case CallField.GasPrice when ReadQuantity(out var price):
                call.GasPrice = price;
                return true;
            case CallField.MaxFeePerGas when ReadQuantity(out var cap):
                call.MaxFeePerGas = cap;
                return true;
            case CallField.MaxPriorityFeePerGas when ReadQuantity(out var tip):
                call.MaxPriorityFeePerGas = tip;
                return true;
            case CallField.MaxFeePerBlobGas when ReadQuantity(out var blobCap):
                call.MaxFeePerBlobGas = blobCap;
                return true;
            case CallField.Value when ReadQuantity(out var value):
                call.Value = value;
                return true;
            case CallField.Nonce when ReadQuantity64(out var nonce):
                call.Nonce = nonce;
                return true;
            case CallField.ChainId when ReadQuantity64(out var chainId):
                call.ChainId = chainId;
                return true;
            case CallField.Type when ReadQuantity64(out var type):
                call.Type = type;
                return type <= (ulong)TransactionType.SetCode || Refuse("transaction type not supported");
            case CallField.AccessList:
                return ReadAccessList(call.AccessList = []);
            case CallField.BlobVersionedHashes:
                return ReadHashes(call.BlobVersionedHashes = []);
            case CallField.AuthorizationList:
                return ReadAuthorizations(call.Authorizations = []);
            default:
                return false;
        }
    }

    /// <summary>Some clients write a creation's recipient so.</summary>
    private readonly bool IsEmptyText() => _reader.TokenType == JsonTokenType.String
        && (_reader.ValueTextEquals(""u8) || _reader.ValueTextEquals("0x"u8));

    private readonly CallField CallFieldOf() => _reader switch
    {
        _ when _reader.ValueTextEquals("from"u8) => CallField.From,
        _ when _reader.ValueTextEquals("to"u8) => CallField.To,
        _ when _reader.ValueTextEquals("gas"u8) || _reader.ValueTextEquals("gasLimit"u8) => CallField.Gas,
        _ when _reader.ValueTextEquals("gasPrice"u8) => CallField.GasPrice,
        _ when _reader.ValueTextEquals("maxFeePerGas"u8) => CallField.MaxFeePerGas,
        _ when _reader.ValueTextEquals("maxPriorityFeePerGas"u8) => CallField.MaxPriorityFeePerGas,
        _ when _reader.ValueTextEquals("maxFeePerBlobGas"u8) => CallField.MaxFeePerBlobGas,
        _ when _reader.ValueTextEquals("value"u8) => CallField.Value,
        _ when _reader.ValueTextEquals("nonce"u8) => CallField.Nonce,
        _ when _reader.ValueTextEquals("chainId"u8) => CallField.ChainId,
        _ when _reader.ValueTextEquals("type"u8) => CallField.Type,
        _ when _reader.ValueTextEquals("accessList"u8) => CallField.AccessList,
        _ when _reader.ValueTextEquals("blobVersionedHashes"u8) => CallField.BlobVersionedHashes,
        _ when _reader.ValueTextEquals("authorizationList"u8) => CallField.AuthorizationList,
        _ => CallField.Other,
    };

    private bool ReadAccessList(List<AccessListEntry> entries)
    {
        if (!IsToken(JsonTokenType.StartArray, "an access list"))
        {
            return false;
        }

        while (Inside())
        {
            if (entries.Count >= MaximumListItems || !IsToken(JsonTokenType.StartObject, "an access list entry"))
            {
                return Refuse($"an access list has at most {MaximumListItems} entries");
            }

            Address? address = null;
            var slots = new List<UInt256>();
            while (NextField())
            {
                if (_reader.ValueTextEquals("address"u8))
                {
                    if (!FieldValue() || !ReadAddress(out var given))
                    {
                        return false;
                    }

                    address = given;
                }
                else if (_reader.ValueTextEquals("storageKeys"u8))
                {
                    if (!FieldValue() || (_reader.TokenType != JsonTokenType.Null && !ReadSlotList(slots)))
                    {
                        return false;
                    }
                }
                else
                {
                    SkipField();
                }
            }

            if (address is not { } known)
            {
                return Refuse("an access list entry has an address");
            }

            entries.Add(new AccessListEntry(known, slots));
        }

        return true;
    }

    private bool ReadHashes(List<Hash256> hashes)
    {
        if (!IsToken(JsonTokenType.StartArray, "an array of hashes"))
        {
            return false;
        }

        while (Inside())
        {
            if (hashes.Count >= MaximumListItems || !ReadHash(out var hash))
            {
                return Refuse($"an array of at most {MaximumListItems} hashes is expected");
            }

            hashes.Add(hash);
        }

        return true;
    }

    private bool ReadAuthorizations(List<Authorization> authorizations)
    {
        if (!IsToken(JsonTokenType.StartArray, "an array of authorizations"))
        {
            return false;
        }

        while (Inside())
        {
            if (authorizations.Count >= MaximumListItems || !IsToken(JsonTokenType.StartObject, "an authorization"))
            {
                return Refuse($"an array of at most {MaximumListItems} authorizations is expected");
            }

            if (!ReadAuthorization(out var authorization))
            {
                return false;
            }

            authorizations.Add(authorization);
        }

        return true;
    }

    private bool ReadAuthorization(out Authorization authorization)
    {
        UInt256 chainId = default, parity = default, r = default, s = default;
        Address address = default;
        var nonce = 0UL;
        authorization = null!;
        while (NextField())
        {
            var ok = _reader switch
            {
                _ when _reader.ValueTextEquals("chainId"u8) => FieldValue() && ReadQuantity(out chainId),
                _ when _reader.ValueTextEquals("address"u8) => FieldValue() && ReadAddress(out address),
                _ when _reader.ValueTextEquals("nonce"u8) => FieldValue() && ReadQuantity64(out nonce),
                _ when _reader.ValueTextEquals("yParity"u8) => FieldValue() && ReadQuantity(out parity),
                _ when _reader.ValueTextEquals("r"u8) => FieldValue() && ReadQuantity(out r),
                _ when _reader.ValueTextEquals("s"u8) => FieldValue() && ReadQuantity(out s),
                _ => _reader.Read() && _reader.TrySkip(),
            };
            if (!ok)
            {
                return false;
            }
        }

        authorization = new Authorization(chainId, address, nonce, parity, r, s);
        return true;
    }

    private enum CallField : byte
    {
        Other,
        From,
        To,
        Gas,
        GasPrice,
        MaxFeePerGas,
        MaxPriorityFeePerGas,
        MaxFeePerBlobGas,
        Value,
        Nonce,
        ChainId,
        Type,
        AccessList,
        BlobVersionedHashes,
        AuthorizationList,
    }
}
