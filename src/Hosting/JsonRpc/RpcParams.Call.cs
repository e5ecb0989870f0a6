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
            if (Is("input"u8) || Is("data"u8))
            {
                var isInput = Is("input"u8);
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
        && (Is(""u8) || Is("0x"u8));

    private readonly CallField CallFieldOf() => _reader switch
    {
        _ when Is("from"u8) => CallField.From,
        _ when Is("to"u8) => CallField.To,
        _ when Is("gas"u8) || Is("gasLimit"u8) => CallField.Gas,
        _ when Is("gasPrice"u8) => CallField.GasPrice,
        _ when Is("maxFeePerGas"u8) => CallField.MaxFeePerGas,
        _ when Is("maxPriorityFeePerGas"u8) => CallField.MaxPriorityFeePerGas,
        _ when Is("maxFeePerBlobGas"u8) => CallField.MaxFeePerBlobGas,
        _ when Is("value"u8) => CallField.Value,
        _ when Is("nonce"u8) => CallField.Nonce,
        _ when Is("chainId"u8) => CallField.ChainId,
        _ when Is("type"u8) => CallField.Type,
        _ when Is("accessList"u8) => CallField.AccessList,
        _ when Is("blobVersionedHashes"u8) => CallField.BlobVersionedHashes,
        _ when Is("authorizationList"u8) => CallField.AuthorizationList,
        _ => CallField.Other,
    };

    private bool ReadAccessList(List<AccessListEntry> entries) => ReadList(
        entries, MaximumListItems, "access list entries",
        static (ref self, out entry) => self.ReadAccessListEntry(out entry));

    private bool ReadAccessListEntry(out AccessListEntry entry)
    {
        entry = default!;
        if (!IsToken(JsonTokenType.StartObject, "an access list entry"))
        {
            return false;
        }

        Address? address = null;
        var slots = new List<UInt256>();
        while (NextField())
        {
            if (Is("address"u8))
            {
                if (!FieldValue() || !ReadAddress(out var given))
                {
                    return false;
                }

                address = given;
            }
            else if (Is("storageKeys"u8))
            {
                if (!NullField() && !ReadSlotList(slots))
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

        entry = new AccessListEntry(known, slots);
        return true;
    }

    private bool ReadHashes(List<Hash256> hashes) => ReadList(hashes, MaximumListItems, "hashes", AsHash);

    private bool ReadAuthorizations(List<Authorization> authorizations) => ReadList(
        authorizations, MaximumListItems, "authorizations",
        static (ref self, out one) => self.ReadAuthorization(out one));

    private bool ReadAuthorization(out Authorization authorization)
    {
        UInt256 chainId = default, parity = default, r = default, s = default;
        Address address = default;
        var nonce = 0UL;
        authorization = null!;
        if (!IsToken(JsonTokenType.StartObject, "an authorization"))
        {
            return false;
        }

        while (NextField())
        {
            var ok = _reader switch
            {
                _ when Is("chainId"u8) => FieldValue() && ReadQuantity(out chainId),
                _ when Is("address"u8) => FieldValue() && ReadAddress(out address),
                _ when Is("nonce"u8) => FieldValue() && ReadQuantity64(out nonce),
                _ when Is("yParity"u8) => FieldValue() && ReadQuantity(out parity),
                _ when Is("r"u8) => FieldValue() && ReadQuantity(out r),
                _ when Is("s"u8) => FieldValue() && ReadQuantity(out s),
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
