using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Tests.JsonRpc;

/// <summary>Sending in a name without its key, and what else Hardhat's and Foundry's users set on a node.</summary>
public sealed class ImpersonationTests : IDisposable
{
    private const string Treasury = "0x00000000000000000000000000000000000000cc";
    private const string Beneficiary = "0x00000000000000000000000000000000000000dd";
    private const string Spend = $$"""{"from":"{{Treasury}}","to":"{{Beneficiary}}","value":"0x5"}""";

    private readonly TestNode _node = new();

    public ImpersonationTests()
    {
        // A contract, which can sign nothing anywhere.
        _node.Call("anvil_setCode", $"\"{Treasury}\",\"0x6001600055\"");
        _node.Call("anvil_setBalance", $"\"{Treasury}\",\"0xde0b6b3a7640000\"");
    }

    public void Dispose() => _node.Dispose();

    [Theory]
    [InlineData("anvil_impersonateAccount", "anvil_stopImpersonatingAccount")]
    [InlineData("hardhat_impersonateAccount", "hardhat_stopImpersonatingAccount")]
    public void A_contract_sends_while_it_is_impersonated_and_not_before_or_after(string begin, string end)
    {
        Assert.Equal((-32000, "unknown account"), _node.Fail("eth_sendTransaction", Spend));
        _node.Call(begin, $"\"{Treasury}\"");
        var hash = _node.Call("eth_sendTransaction", Spend);
        _node.Call("evm_mine");
        var receipt = _node.Call("eth_getTransactionReceipt", $"\"{hash}\"");
        Assert.Equal("0x1", receipt.GetProperty("status").GetString());
        Assert.Equal(Treasury, receipt.GetProperty("from").GetString());
        Assert.Equal(
            Treasury, _node.Call("eth_getTransactionByHash", $"\"{hash}\"").GetProperty("from").GetString());
        Assert.Equal("0x5", _node.Call("eth_getBalance", $"\"{Beneficiary}\",\"latest\"").GetString());
        var trace = _node.Call("debug_traceTransaction", $$"""
            "{{hash}}",{"tracer":"callTracer"}
            """);
        Assert.Equal(Treasury, trace.GetProperty("from").GetString());

        Assert.True(_node.Call(end, $"\"{Treasury}\"").GetBoolean());
        Assert.False(_node.Call(end, $"\"{Treasury}\"").GetBoolean());
        Assert.Equal((-32000, "unknown account"), _node.Fail("eth_sendTransaction", Spend));
    }

    [Fact]
    public void Everybody_is_impersonated_where_that_is_asked_for()
    {
        _node.Call("anvil_autoImpersonateAccount", "true");
        _node.Call("eth_sendTransaction", Spend);
        _node.Call("anvil_autoImpersonateAccount", "false");
        Assert.Equal((-32000, "unknown account"), _node.Fail("eth_sendTransaction", Spend));
    }

    /// <summary>Two accounts that send the same are told apart by the mark alone.</summary>
    [Fact]
    public void Transactions_of_two_impersonated_accounts_have_hashes_of_their_own()
    {
        _node.Call("anvil_setBalance", $"\"{Beneficiary}\",\"0xde0b6b3a7640000\"");
        _node.Call("anvil_autoImpersonateAccount", "true");
        var fields = "\"to\":\"0x00000000000000000000000000000000000000ee\",\"value\":\"0x1\",\"nonce\":\"0x0\"";
        var first = _node.Call("eth_sendTransaction", $$"""{"from":"{{Treasury}}",{{fields}}}""").GetString();
        var second = _node.Call("eth_sendTransaction", $$"""{"from":"{{Beneficiary}}",{{fields}}}""").GetString();
        Assert.NotEqual(first, second);
        _node.Call("evm_mine");
        Assert.Equal(2, _node.Chain.Head.Block.Transactions.Count);
    }

    /// <summary>The mark is no signature of the account: from outside it is somebody else's, or nobody's.</summary>
    [Fact]
    public void A_marked_transaction_that_comes_raw_is_not_taken_for_the_accounts()
    {
        _node.Call("anvil_impersonateAccount", $"\"{Treasury}\"");
        var forged = Impersonation.Send(
            new Transaction
            {
                Type = TransactionType.DynamicFee, ChainId = _node.Chain.ChainId, GasLimit = 21_000,
                MaxFeePerGas = 3_000_000_000, To = Address.FromNumber(0xEE), Value = 1,
            },
            Address.Parse(Treasury));
        var (code, message) = _node.Fail("eth_sendRawTransaction", TestNode.Raw(forged));
        Assert.Equal(-32000, code);
        Assert.Matches("invalid sender|insufficient funds", message);
    }

    [Fact]
    public void The_next_block_alone_has_the_random_value_that_was_set()
    {
        var value = Keccak256Of("chosen");
        _node.Call("hardhat_setPrevRandao", $"\"{value}\"");
        _node.Call("evm_mine");
        Assert.Equal(value, _node.Chain.Head.Header.MixHash);
        _node.Call("evm_mine");
        Assert.NotEqual(value, _node.Chain.Head.Header.MixHash);
    }

    [Fact]
    public void A_reset_leads_back_to_the_genesis_block_and_forks_nothing()
    {
        _node.Call("eth_sendRawTransaction", TestNode.Raw(_node.Transfer(0, 0)));
        _node.Call("evm_mine");
        Assert.Contains("forking", _node.Fail("hardhat_reset", """{"forking":{"jsonRpcUrl":"x"}}""").Message);
        _node.Call("eth_sendRawTransaction", TestNode.Raw(_node.Transfer(0, 1)));
        Assert.True(_node.Call("hardhat_reset").GetBoolean());
        Assert.Equal("0x0", _node.Call("eth_blockNumber").GetString());
        Assert.Equal("0x0", _node.Call("eth_getTransactionCount", $"\"{_node.Accounts[0].Address}\",\"pending\"")
            .GetString());
        Assert.Equal("0x", _node.Call("eth_getCode", $"\"{Treasury}\",\"latest\"").GetString());
    }

    [Fact]
    public void The_nodes_words_for_tools_name_its_chain_and_its_head()
    {
        var words = _node.Call("hardhat_metadata");
        Assert.Equal(_node.Chain.ChainId, words.GetProperty("chainId").GetUInt64());
        Assert.Equal(_node.Chain.Head.Hash.ToString(), words.GetProperty("latestBlockHash").GetString());
        Assert.StartsWith("SuperVM/", words.GetProperty("clientVersion").GetString());
    }

    private static Hash256 Keccak256Of(string text) =>
        Core.Cryptography.Keccak256.Hash(System.Text.Encoding.ASCII.GetBytes(text));
}
