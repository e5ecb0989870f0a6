using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Conformance;

/// <summary>Compares all that consensus sees of a block which was executed in two ways.</summary>
public static class OutcomeDifference
{
    /// <summary>The first difference in words; null where there is none.</summary>
    public static string? Between(BlockOutcome serial, BlockOutcome parallel)
    {
        if ((serial.Error, serial.GasUsed, serial.BlobGasUsed, serial.RequestsHash)
            != (parallel.Error, parallel.GasUsed, parallel.BlobGasUsed, parallel.RequestsHash))
        {
            return $"{parallel.Error}, gas {parallel.GasUsed}, blob gas {parallel.BlobGasUsed}, requests "
                + $"{parallel.RequestsHash}; serially {serial.Error}, {serial.GasUsed}, {serial.BlobGasUsed}, "
                + $"{serial.RequestsHash}";
        }

        if (!serial.LeftOut.SequenceEqual(parallel.LeftOut))
        {
            return "other transactions are left out than serially";
        }

        if (serial.Receipts.Count != parallel.Receipts.Count)
        {
            return $"{parallel.Receipts.Count} receipts, serially {serial.Receipts.Count}";
        }

        for (var i = 0; i < serial.Receipts.Count; i++)
        {
            if (!ReceiptCodec.Encode(serial.Receipts[i]).AsSpan().SequenceEqual(
                ReceiptCodec.Encode(parallel.Receipts[i])))
            {
                return $"receipt {i} is not the serial one";
            }
        }

        return serial.State.NewCode.Keys.Order().SequenceEqual(parallel.State.NewCode.Keys.Order())
            ? BetweenStates(serial.State, parallel.State)
            : "other code is deployed than serially";
    }

    private static string? BetweenStates(BlockState serial, BlockState parallel)
    {
        var (expected, actual) = (ChangedOf(serial), ChangedOf(parallel));
        foreach (var (address, account) in expected)
        {
            if (!actual.TryGetValue(address, out var other))
            {
                return $"{address} is as before the block, serially it is not";
            }

            if (account.Exists != other.Exists || (account.Exists && account.Current != other.Current))
            {
                return $"{address} is {Describe(other)}, serially {Describe(account)}";
            }

            if (!SlotsOf(account).SequenceEqual(SlotsOf(other)))
            {
                return $"slots of {address} are not the serial ones";
            }
        }

        return actual.Keys.Where(address => !expected.ContainsKey(address))
            .Select(address => $"{address} is changed, serially it is not").FirstOrDefault();
    }

    /// <summary>Accounts that are not after the block what they were before it.</summary>
    private static SortedDictionary<Address, BlockAccount> ChangedOf(BlockState state) => new(state.Accounts
        .Where(account => account.Exists != account.OriginalExists
            || (account.Exists && account.Current != account.Original) || SlotsOf(account).Any())
        .ToDictionary(account => account.Address));

    private static IEnumerable<(UInt256 Slot, UInt256 Value)> SlotsOf(BlockAccount account) => account.Slots
        .Where(slot => slot.Value.Current != slot.Value.Original)
        .OrderBy(slot => slot.Key).Select(slot => (slot.Key, slot.Value.Current));

    private static string Describe(BlockAccount account) => account.Exists
        ? $"nonce {account.Current.Nonce}, balance {account.Current.Balance}, code {account.Current.CodeHash}"
        : "gone";
}
