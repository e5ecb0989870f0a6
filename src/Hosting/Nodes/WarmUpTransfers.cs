using SuperVm.Core.Ledger;
using SuperVm.Core.Mempool;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Nodes;

/// <summary>Transfers that a node executes and forgets when it starts: the hot code is compiled by then.</summary>
internal static class WarmUpTransfers
{
    private const int Count = 128;

    /// <summary>Signed transfers of the first account; none where the node holds no keys.</summary>
    internal static IReadOnlyList<Transaction> Of(
        IReadOnlyList<DevAccount> accounts, NextBlock next, TransactionPool pool)
    {
        if (accounts.Count == 0)
        {
            return [];
        }

        var first = pool.NextNonce(accounts[0].Address) ?? 0;
        var transfers = new List<Transaction>(Count);
        for (var i = 0UL; i < Count; i++)
        {
            var signed = TransactionSigner.Sign(
                new Transaction
                {
                    ChainId = next.Rules.Eip155 ? next.ChainId : null,
                    Nonce = first + i,
                    GasLimit = IntrinsicGas.Transaction,
                    MaxFeePerGas = next.BaseFee,
                    MaxPriorityFeePerGas = next.BaseFee,
                    To = Address.FromNumber(i + 1_000_000),
                },
                accounts[0].PrivateKey);
            // Decoded again, so that its sender is recovered as that of any other.
            transfers.Add(TransactionCodec.Decode(TransactionCodec.Encode(signed)).Value!);
        }

        return transfers;
    }
}
