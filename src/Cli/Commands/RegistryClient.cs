using System.Text.Json;
using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Commands;

/// <summary>The validator registry of a chain, spoken to over any of its nodes' JSON-RPC.</summary>
internal sealed class RegistryClient(RpcClient rpc)
{
    private static readonly TimeSpan PollPeriod = TimeSpan.FromMilliseconds(200);

    /// <summary>The chain's id.</summary>
    internal async Task<ulong> ChainIdAsync(CancellationToken cancellation) =>
        (await rpc.QuantityAsync("eth_chainId", cancellation)).ToUInt64Saturating();

    /// <summary>A key's entry.</summary>
    /// <exception cref="InvalidConfigurationException">The chain has no registry.</exception>
    internal async Task<RegistryEntry> FindAsync(Address key, CancellationToken cancellation) =>
        RegistryViews.ReadValidator(await ViewAsync(RegistryViews.Validator(key), cancellation)) ?? throw NoRegistry();

    /// <summary>Whoever votes from the next epoch on, with stakes in wei.</summary>
    internal async Task<IReadOnlyList<(Address Key, UInt256 Stake)>> ListAsync(CancellationToken cancellation) =>
        RegistryViews.ReadValidators(await ViewAsync(RegistryViews.Validators(), cancellation)) ?? throw NoRegistry();

    /// <summary>When a validator that left may withdraw.</summary>
    internal async Task<(UInt256 Time, UInt256 Epoch)> WithdrawableAsync(
        Address key, CancellationToken cancellation) =>
        RegistryViews.ReadWithdrawable(await ViewAsync(RegistryViews.WithdrawableFrom(key), cancellation))
        ?? throw NoRegistry();

    /// <summary>The epoch under way: number, last block, validators with their power, the power of all.</summary>
    internal async Task<RunningEpoch> EpochAsync(CancellationToken cancellation)
    {
        var answer = await rpc.AskAsync("supervm_getValidators", cancellation);
        if (answer.Result is not { ValueKind: JsonValueKind.Object } epoch)
        {
            throw new InvalidConfigurationException($"the node tells no validators: {answer.Message}");
        }

        return new RunningEpoch(
            Number(epoch, "epoch"), Number(epoch, "firstBlock"), Number(epoch, "lastBlock"),
            epoch.GetProperty("kind").GetString()!, Number(epoch, "totalPower"),
            epoch.GetProperty("validators").EnumerateArray().ToDictionary(
                one => Address.Parse(one.GetProperty("address").GetString()!), one => Number(one, "power")));
    }

    /// <summary>Sends a call from an account and waits until it is in a block; answers the block's number.</summary>
    /// <exception cref="InvalidConfigurationException">
    /// The registry or the node refuses it; then nothing was sent, or it says so.
    /// </exception>
    internal async Task<ulong> SendAsync(
        byte[] accountKey, byte[] data, UInt256 value, TimeSpan patience, CancellationToken cancellation)
    {
        var account = Secp256k1.AddressOf(accountKey);
        var call = new
        {
            from = account.ToString(), to = ValidatorRegistry.Address.ToString(), value = value.ToQuantity(),
            data = Hex.Encode(data),
        };
        var estimate = await rpc.AskAsync("eth_estimateGas", cancellation, call);
        if (estimate.Result is not { ValueKind: JsonValueKind.String } gas
            || !UInt256.TryParse(gas.GetString(), out var gasNeeded))
        {
            var reason = estimate.Data is { } revert ? RegistryViews.ReadRefusal(revert) : null;
            throw new InvalidConfigurationException($"refused: {reason ?? estimate.Message}");
        }

        var tip = await rpc.QuantityAsync("eth_maxPriorityFeePerGas", cancellation);
        var price = await rpc.QuantityAsync("eth_gasPrice", cancellation);
        var nonce = await rpc.QuantityAsync("eth_getTransactionCount", cancellation, account.ToString(), "pending");
        var transaction = TransactionSigner.Sign(
            new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = await ChainIdAsync(cancellation),
                Nonce = nonce.ToUInt64Saturating(), To = ValidatorRegistry.Address, Value = value, Data = data,
                // What the state is when its turn comes may cost some more than now.
                GasLimit = gasNeeded.ToUInt64Saturating() / 4 * 5,
                MaxFeePerGas = (price + price) + tip, MaxPriorityFeePerGas = tip,
            },
            accountKey);
        var hash = Hex.Encode(await rpc.BytesAsync(
            "eth_sendRawTransaction", cancellation, Hex.Encode(TransactionCodec.Encode(transaction))));
        return await ReceiptAsync(hash, patience, cancellation);
    }

    private async Task<ulong> ReceiptAsync(string hash, TimeSpan patience, CancellationToken cancellation)
    {
        var began = TimeProvider.System.GetTimestamp();
        using var pause = new PeriodicTimer(PollPeriod);
        while (TimeProvider.System.GetElapsedTime(began) < patience)
        {
            if ((await rpc.AskAsync("eth_getTransactionReceipt", cancellation, hash)).Result
                is { ValueKind: JsonValueKind.Object } receipt)
            {
                var block = Number(receipt, "blockNumber");
                return Number(receipt, "status") == 1
                    ? block
                    : throw new InvalidConfigurationException($"transaction {hash} failed in block {block}");
            }

            await pause.WaitForNextTickAsync(cancellation);
        }

        throw new InvalidConfigurationException($"transaction {hash} is sent, but in no block yet");
    }

    private async Task<byte[]> ViewAsync(byte[] data, CancellationToken cancellation) => await rpc.BytesAsync(
        "eth_call", cancellation,
        new { to = ValidatorRegistry.Address.ToString(), data = Hex.Encode(data) }, "latest");

    private static InvalidConfigurationException NoRegistry() => new("the chain has no validator registry");

    private static ulong Number(JsonElement value, string name) =>
        UInt256.TryParse(value.GetProperty(name).GetString(), out var number) ? number.ToUInt64Saturating() : 0;
}

/// <summary>The epoch that a node is in.</summary>
internal sealed record RunningEpoch(
    ulong Number, ulong First, ulong Last, string Kind, ulong TotalPower, IReadOnlyDictionary<Address, ulong> Powers);
