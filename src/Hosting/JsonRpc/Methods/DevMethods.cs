using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>What only a development node does: time, mining and history at the developer's wish.</summary>
/// <remarks>The names are those of Ganache (evm_), Hardhat and anvil, of which clients know one or another.</remarks>
internal sealed class DevMethods(Node node) : IRpcModule
{
    private const ulong MaximumMinedBlocks = 100_000;
    private const int MaximumSnapshots = 10_000;

    private readonly SortedDictionary<ulong, TakenSnapshot> _snapshots = [];
    private ulong _lastSnapshot;

    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("evm_mine", Mine),
        ("anvil_mine", MineMany),
        ("hardhat_mine", MineMany),
        ("evm_snapshot", TakeSnapshot),
        ("anvil_snapshot", TakeSnapshot),
        ("evm_revert", Revert),
        ("anvil_revert", Revert),
        ("evm_increaseTime", IncreaseTime),
        ("anvil_increaseTime", IncreaseTime),
        ("evm_setNextBlockTimestamp", SetNextTimestamp),
        ("anvil_setNextBlockTimestamp", SetNextTimestamp),
        ("evm_setTime", SetTime),
        ("anvil_setTime", SetTime),
        ("evm_setAutomine", SetAutomine),
        ("anvil_setAutomine", SetAutomine),
        ("anvil_getAutomine", GetAutomine),
        ("hardhat_getAutomine", GetAutomine),
        ("evm_setIntervalMining", SetInterval),
        ("anvil_setIntervalMining", SetInterval),
        ("evm_setBlockGasLimit", SetGasLimit),
        ("anvil_setBlockGasLimit", SetGasLimit),
        ("anvil_setCoinbase", SetCoinbase),
        ("hardhat_setCoinbase", SetCoinbase),
        ("anvil_setNextBlockBaseFeePerGas", SetNextBaseFee),
        ("hardhat_setNextBlockBaseFeePerGas", SetNextBaseFee),
        ("anvil_reset", Reset),
        ("hardhat_reset", Reset),
        ("anvil_dropTransaction", DropTransaction),
        ("hardhat_dropTransaction", DropTransaction),
    ];

    private RpcError? Mine(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.OptionalQuantity64(out var timestamp) || !parameters.End())
        {
            return parameters.Error;
        }

        if (timestamp < node.Chain.Head.Header.Timestamp)
        {
            return RpcError.InvalidParams("the timestamp is below that of the newest block");
        }

        node.Producer.Mine(timestamp);
        reply.Json.WriteStringValue("0x0"u8);
        return null;
    }

    /// <summary>[count, seconds between blocks].</summary>
    private RpcError? MineMany(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.OptionalQuantity64(out var count) || !parameters.OptionalQuantity64(out var seconds)
            || !parameters.End())
        {
            return parameters.Error;
        }

        if (count > MaximumMinedBlocks)
        {
            return RpcError.InvalidParams($"at most {MaximumMinedBlocks} blocks");
        }

        for (var i = 0UL; i < (count ?? 1); i++)
        {
            if (i > 0 && seconds is { } step)
            {
                node.Clock.SetNext(node.Chain.Head.Header.Timestamp + step);
            }

            node.Producer.Mine();
        }

        reply.Json.WriteNullValue();
        return null;
    }

    private RpcError? TakeSnapshot(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.End())
        {
            return parameters.Error;
        }

        var id = node.Producer.Exclusively(() =>
        {
            var head = node.Chain.Head;
            _snapshots.Add(++_lastSnapshot, new TakenSnapshot(head.Number, head.Hash));
            if (_snapshots.Count > MaximumSnapshots)
            {
                _snapshots.Remove(_snapshots.Keys.First());
            }

            return _lastSnapshot;
        });
        reply.Json.WriteQuantityValue(id);
        return null;
    }

    /// <summary>Goes back to a snapshot, which is used up with those after it; false where it is not known.</summary>
    private RpcError? Revert(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Quantity64(out var id) || !parameters.End())
        {
            return parameters.Error;
        }

        var status = node.Producer.Exclusively<RewindStatus?>(() => RevertTo(id));
        if (status is RewindStatus.Pruned)
        {
            return RpcError.Server("the snapshot is too old: what its blocks overwrote is no longer kept");
        }

        reply.Json.WriteBooleanValue(status is RewindStatus.Done);
        return null;
    }

    private RewindStatus? RevertTo(ulong id)
    {
        if (!_snapshots.TryGetValue(id, out var snapshot)
            || node.Chain.GetHeader(snapshot.Number)?.Hash != snapshot.Hash)
        {
            return null;
        }

        var status = RewindTo(snapshot.Number);
        if (status == RewindStatus.Done)
        {
            foreach (var later in _snapshots.Keys.Where(key => key >= id).ToList())
            {
                _snapshots.Remove(later);
            }
        }

        return status;
    }

    /// <summary>The chain as it was after a block, and an empty pool.</summary>
    private RewindStatus RewindTo(ulong number)
    {
        var status = number == node.Chain.Head.Number ? RewindStatus.Done : node.Chain.Rewind(number);
        if (status == RewindStatus.Done)
        {
            node.Pool.Clear("the chain was set back");
            node.Journal?.Forget();
            node.Pool.Reset(node.Chain.StateAt(number).State!);
        }

        return status;
    }

    /// <summary>Back to the genesis block; an argument, with which others fork a chain, must be empty.</summary>
    private RpcError? Reset(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.OptionalEmptyObject("forking another chain is not supported") || !parameters.End())
        {
            return parameters.Error;
        }

        var status = node.Producer.Exclusively(() =>
        {
            var ended = RewindTo(0);
            if (ended == RewindStatus.Done)
            {
                _snapshots.Clear();
            }

            return ended;
        });
        if (status != RewindStatus.Done)
        {
            return RpcError.Server("the genesis block is too old: what later blocks overwrote is no longer kept");
        }

        reply.Json.WriteBooleanValue(true);
        return null;
    }

    private RpcError? IncreaseTime(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Quantity64(out var seconds) || !parameters.End())
        {
            return parameters.Error;
        }

        reply.Json.WriteNumberValue(node.Clock.Increase((long)Math.Min(seconds, long.MaxValue)));
        return null;
    }

    private RpcError? SetNextTimestamp(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Quantity64(out var timestamp) || !parameters.End())
        {
            return parameters.Error;
        }

        if (timestamp < node.Chain.Head.Header.Timestamp)
        {
            return RpcError.InvalidParams("the timestamp is below that of the newest block");
        }

        node.Clock.SetNext(timestamp);
        reply.Json.WriteNullValue();
        return null;
    }

    private RpcError? SetTime(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Quantity64(out var timestamp) || !parameters.End())
        {
            return parameters.Error;
        }

        node.Clock.Set(timestamp);
        reply.Json.WriteNumberValue(node.Clock.Offset);
        return null;
    }

    private RpcError? SetAutomine(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Flag(out var isOn) || !parameters.End())
        {
            return parameters.Error;
        }

        node.Producer.IsAutomatic = isOn;
        reply.Json.WriteBooleanValue(true);
        return null;
    }

    private RpcError? GetAutomine(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteBooleanValue(node.Producer.IsAutomatic);
        return parameters.End() ? null : parameters.Error;
    }

    /// <summary>Seconds with anvil_, milliseconds with evm_ as Hardhat has it: told apart by size.</summary>
    private RpcError? SetInterval(ref RpcParams parameters, RpcReply reply)
    {
        const ulong SmallestMilliseconds = 100;
        if (!parameters.Quantity64(out var interval) || !parameters.End())
        {
            return parameters.Error;
        }

        var seconds = interval >= SmallestMilliseconds ? interval / 1000.0 : interval;
        node.Producer.SetInterval(TimeSpan.FromSeconds(Math.Min(seconds, 86_400)));
        reply.Json.WriteBooleanValue(true);
        return null;
    }

    private RpcError? SetGasLimit(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Quantity64(out var gasLimit) || !parameters.End())
        {
            return parameters.Error;
        }

        if (gasLimit is < 5_000 or > long.MaxValue)
        {
            return RpcError.InvalidParams("a block's gas limit is 5000 to 2^63 - 1");
        }

        node.Producer.SetGasLimit(gasLimit);
        reply.Json.WriteBooleanValue(true);
        return null;
    }

    private RpcError? SetCoinbase(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Address(out var address) || !parameters.End())
        {
            return parameters.Error;
        }

        node.Producer.Coinbase = address;
        reply.Json.WriteNullValue();
        return null;
    }

    private RpcError? SetNextBaseFee(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Quantity(out var baseFee) || !parameters.End())
        {
            return parameters.Error;
        }

        node.Producer.SetNextBaseFee(baseFee);
        reply.Json.WriteNullValue();
        return null;
    }

    private RpcError? DropTransaction(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Hash(out var hash) || !parameters.End())
        {
            return parameters.Error;
        }

        if (node.Pool.Remove(hash, "dropped on request"))
        {
            reply.Json.WriteHexValue(hash.Bytes);
        }
        else
        {
            reply.Json.WriteNullValue();
        }

        return null;
    }

    private readonly record struct TakenSnapshot(ulong Number, Hash256 Hash);
}
