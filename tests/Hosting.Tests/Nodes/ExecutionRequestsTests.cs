using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Tests.Nodes;

public sealed class ExecutionRequestsTests
{
    private static readonly Address WithdrawalRequests = Address.Parse("0x00000961ef480eb55e80d19ad83579a64c007002");
    private static readonly DevAccount Account = DevGenesis.AccountsOf(Mnemonic.Development, 1)[0];

    private static readonly Genesis Genesis = DevGenesis.Create(
        ChainSpec.DevelopmentChainId, Fork.Osaka, [Account], TestNode.Ether * 10, 1_700_000_000);

    private static readonly BlockAttributes Attributes = new() { Timestamp = 1_700_000_002 };

    [Fact]
    public async Task A_made_block_tells_its_withdrawal_requests_over_a_store_and_over_documents()
    {
        var publicKey = Enumerable.Repeat((byte)0xAB, 48).ToArray();
        var call = TransactionSigner.Sign(
            new Transaction
            {
                Type = TransactionType.DynamicFee,
                ChainId = ChainSpec.DevelopmentChainId,
                GasLimit = 500_000,
                MaxFeePerGas = 10_000_000_000,
                To = WithdrawalRequests,
                Value = 1,
                Data = (byte[])[.. publicKey, 0, 0, 0, 0, 0, 0, 0, 5],
            },
            Account.PrivateKey);
        // EIP-7685's type, then EIP-7002's source, key and amount, which the contract turns to little-endian.
        byte[] expected = [1, .. Account.Address.ToArray(), .. publicKey, 5, 0, 0, 0, 0, 0, 0, 0];

        using var single = Chain.Open(new MemoryKeyValueStore(), Genesis);
        using var documents = await DocumentChain.OpenAsync(
            new(new InMemoryDocumentStore(), new InMemoryBlobStore(), new InMemoryRowStore(), TimeProvider.System),
            Genesis);
        ProducedBlock[] made =
        [
            single.Build(Attributes, [call]), single.Produce(Attributes, [call]),
            documents.Build(Attributes, [call]), documents.Produce(Attributes, [call]),
        ];
        Assert.All(made, block => Assert.Equal([expected], block.Requests));
        Assert.Single(made.Select(block => block.Block.Hash).Distinct());
    }
}
