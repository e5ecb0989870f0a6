using System.Text.Json;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>Attributes of a block to build, and transactions to build it of.</summary>
internal ref partial struct RpcParams
{
    /// <summary>PayloadAttributesV3 of the engine API.</summary>
    internal bool PayloadAttributes(out BlockAttributes attributes)
    {
        attributes = new BlockAttributes();
        if (!Required() || !IsToken(JsonTokenType.StartObject, "payload attributes"))
        {
            return false;
        }

        ulong timestamp = 0;
        Hash256 randao = default, root = default;
        Address coinbase = default;
        List<Core.Ledger.Withdrawal> withdrawals = [];
        while (NextField())
        {
            var ok = _reader switch
            {
                _ when Is("timestamp"u8) => FieldValue() && ReadQuantity64(out timestamp),
                _ when Is("prevRandao"u8) => FieldValue() && ReadHash(out randao),
                _ when Is("suggestedFeeRecipient"u8) => FieldValue() && ReadAddress(out coinbase),
                _ when Is("parentBeaconBlockRoot"u8) => NullField() || ReadHash(out root),
                _ when Is("withdrawals"u8) => NullField() || ReadWithdrawals(withdrawals),
                _ => _reader.Read() && _reader.TrySkip(),
            };
            if (!ok)
            {
                return false;
            }
        }

        attributes = new BlockAttributes
        {
            Coinbase = coinbase, Timestamp = timestamp, PrevRandao = randao, ParentBeaconBlockRoot = root,
            Withdrawals = withdrawals,
        };
        return true;
    }

    /// <summary>An array of envelopes; null where it is null.</summary>
    internal bool OptionalEnvelopes(out List<byte[]>? envelopes)
    {
        envelopes = null;
        if (!Optional())
        {
            return true;
        }

        return ReadList(envelopes = [], MaximumListItems, "transactions", AsData);
    }

    internal bool OptionalData(out byte[] data)
    {
        data = [];
        return !Optional() || ReadData(out data);
    }
}
