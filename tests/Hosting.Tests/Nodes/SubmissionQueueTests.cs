using System.Text;
using System.Text.Json;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Tests.Nodes;

public sealed class SubmissionQueueTests
{
    private const int PerAccount = 60;

    [Fact]
    public async Task Single_submissions_at_once_are_each_answered_with_their_own_id_and_hash()
    {
        using var node = new TestNode();
        var transfers = Enumerable.Range(0, 3).SelectMany(
            account => Enumerable.Range(0, PerAccount).Select(nonce => node.Transfer(account, (ulong)nonce))).ToArray();
        var answers = await Task.WhenAll(
            transfers.Select((transfer, id) => Task.Run(() => AnswerAsync(node, id, transfer))));
        for (var i = 0; i < transfers.Length; i++)
        {
            Assert.Equal(i, answers[i].GetProperty("id").GetInt32());
            Assert.Equal(transfers[i].Hash.ToString(), answers[i].GetProperty("result").GetString());
        }

        Assert.Equal(transfers.Length, node.Node.Pool.Count);
        Assert.Equal(transfers.Length, node.Node.Submissions.Counts.Submissions);
        Assert.Equal(transfers.Length, node.Rpc.Methods.Find("\"eth_sendRawTransaction\""u8)!.Calls);
    }

    [Fact]
    public async Task A_refused_one_does_not_touch_those_beside_it()
    {
        using var node = new TestNode();
        var good = node.Transfer(0, 0);
        var wrongChain = TransactionSigner.Sign(
            new Transaction { ChainId = 5, GasLimit = 21_000, MaxFeePerGas = 9_000_000_000, To = default(Address) },
            node.Accounts[1].PrivateKey);
        var answers = await Task.WhenAll(
            AnswerAsync(node, 1, wrongChain), AnswerAsync(node, 2, good), AnswerAsync(node, 3, good));
        Assert.Contains("chain id", answers[0].GetProperty("error").GetProperty("message").GetString());
        Assert.Equal(good.Hash.ToString(), answers[1].GetProperty("result").GetString());
        Assert.Contains("already known", answers[2].GetProperty("error").GetProperty("message").GetString());
        Assert.Equal(2, node.Rpc.Methods.Find("\"eth_sendRawTransaction\""u8)!.Errors);
    }

    [Fact]
    public async Task What_is_no_transaction_is_answered_as_in_a_batch()
    {
        using var node = new TestNode();
        foreach (var arguments in new[] { "", "\"0xzz\"", "\"0x01\"", "7", "\"0x01\",\"0x02\"" })
        {
            var body = $$"""{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":[{{arguments}}]}""";
            using var single = await node.Rpc.AnswerAsync(Encoding.UTF8.GetBytes(body));
            Assert.Equal(node.Answer(body), Encoding.UTF8.GetString(single.Bytes.Span));
        }
    }

    private static async Task<JsonElement> AnswerAsync(TestNode node, int id, Transaction transaction)
    {
        var body = $$"""
            {"jsonrpc":"2.0","id":{{id}},"method":"eth_sendRawTransaction","params":[{{TestNode.Raw(transaction)}}]}
            """;
        using var answer = await node.Rpc.AnswerAsync(Encoding.UTF8.GetBytes(body));
        return JsonDocument.Parse(answer.Bytes.ToArray()).RootElement;
    }
}
