using System.Text.Json;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc;

namespace SuperVm.Hosting.Tests.JsonRpc;

/// <summary>What methods answer on a node that mines only when it is told to.</summary>
public sealed class MethodTests : IDisposable
{
    private const string Returns42 = "0x602a60005260206000f3";
    private const string RevertsWithNo = "0x7f08c379a000000000000000000000000000000000000000000000000000000000600052"
        + "60206004526002602452614e6f60f01b60445260646000fd";

    private readonly TestNode _node = new();

    public void Dispose() => _node.Dispose();

    private string Account(int number) => $"\"{_node.Accounts[number].Address}\"";

    [Theory]
    [InlineData("latest")]
    [InlineData("pending")]
    [InlineData("safe")]
    [InlineData("finalized")]
    [InlineData("earliest")]
    [InlineData("0x0")]
    public void Every_tag_names_a_block(string tag)
    {
        Assert.Equal("0x21e19e0c9bab2400000", _node.Call("eth_getBalance", $"{Account(0)},\"{tag}\"").GetString());
        Assert.Equal("0x0", _node.Call("eth_getTransactionCount", $"{Account(0)},\"{tag}\"").GetString());
        Assert.NotEqual("null", _node.Call("eth_getBlockByNumber", $"\"{tag}\",false").ToString());
    }

    [Fact]
    public void A_block_object_names_a_block_by_hash_or_number()
    {
        var hash = _node.Chain.Head.Hash;
        Assert.Equal("0x0", _node.Call(
            "eth_getTransactionCount", $"{Account(0)},{{\"blockNumber\":\"0x0\"}}").GetString());
        Assert.Equal("0x0", _node.Call(
            "eth_getTransactionCount",
            $"{Account(0)},{{\"blockHash\":\"{hash}\",\"requireCanonical\":true}}").GetString());
        Assert.Equal(-32602, _node.Fail("eth_getTransactionCount", $"{Account(0)},{{}}").Code);
        Assert.Equal(-32001, _node.Fail(
            "eth_getBalance", $"{Account(0)},{{\"blockHash\":\"{Hash256.Zero}\"}}").Code);
        Assert.Equal(-32000, _node.Fail("eth_getBalance", $"{Account(0)},\"0x1\"").Code);
    }

    [Fact]
    public void A_raw_transaction_waits_is_mined_and_has_a_receipt()
    {
        var transfer = _node.Transfer(0, 0);
        Assert.Equal(
            transfer.Hash.ToString(), _node.Call("eth_sendRawTransaction", TestNode.Raw(transfer)).GetString());
        var hash = $"\"{transfer.Hash}\"";
        Assert.Equal("null", _node.Call("eth_getTransactionByHash", hash).GetProperty("blockHash").GetRawText());
        Assert.Equal("0x1", _node.Call("eth_getTransactionCount", $"{Account(0)},\"pending\"").GetString());
        Assert.Equal("0x1", _node.Call("eth_getBalance",
            "\"0x000000000000000000000000000000000000beef\",\"pending\"").GetString());
        Assert.Equal("null", _node.Call("eth_getTransactionReceipt", hash).GetRawText());
        _node.Call("evm_mine");
        var receipt = _node.Call("eth_getTransactionReceipt", hash);
        Assert.Equal("0x1", receipt.GetProperty("status").GetString());
        Assert.Equal("0x5208", receipt.GetProperty("gasUsed").GetString());
        Assert.Equal("0x1", _node.Call("eth_getTransactionByHash", hash).GetProperty("blockNumber").GetString());
        Assert.Equal("0x0", _node.Call("txpool_status").GetProperty("pending").GetString());
    }

    [Fact]
    public void Refusals_have_the_words_that_clients_know()
    {
        string Send(Transaction transaction) => _node.Fail("eth_sendRawTransaction", TestNode.Raw(transaction)).Message;
        _node.Call("eth_sendRawTransaction", TestNode.Raw(_node.Transfer(0, 0)));
        Assert.Equal("already known", Send(_node.Transfer(0, 0)));
        Assert.Equal("replacement transaction underpriced", Send(_node.Transfer(0, 0, cap: 3_000_000_001)));
        Assert.StartsWith(
            "insufficient funds for gas * price + value", Send(_node.Transfer(1, 0, value: TestNode.Ether * 10_000)));
        Assert.StartsWith("max fee per gas less than block base fee", Send(_node.Transfer(1, 0, cap: 10)));
        Assert.StartsWith("max priority fee per gas higher", Send(_node.Transfer(1, 0, tip: 4_000_000_000)));
        _node.Call("evm_mine");
        Assert.Equal("nonce too low: next nonce 1, tx nonce 0", Send(_node.Transfer(0, 0, cap: 5_000_000_000)));
        Assert.StartsWith("failed to decode", _node.Fail("eth_sendRawTransaction", "\"0x02c0\"").Message);
        Assert.Equal(-32602, _node.Fail("eth_sendRawTransaction", "\"0x1\"").Code);
    }

    [Fact]
    public void A_batch_of_raw_transactions_is_answered_one_by_one()
    {
        var good = _node.Transfer(0, 0);
        string Item(int id, string raw) =>
            $"{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"eth_sendRawTransaction\",\"params\":[{raw}]}}";
        var next = TestNode.Raw(_node.Transfer(0, 1));
        var answer = _node.Answer(
            $"[{Item(1, TestNode.Raw(good))},{Item(2, "\"0x00\"")},{Item(3, "7")},{Item(4, next)}]");
        using var json = JsonDocument.Parse(answer);
        Assert.Equal(good.Hash.ToString(), json.RootElement[0].GetProperty("result").GetString());
        Assert.Equal(-32000, json.RootElement[1].GetProperty("error").GetProperty("code").GetInt32());
        Assert.Equal(-32602, json.RootElement[2].GetProperty("error").GetProperty("code").GetInt32());
        Assert.True(json.RootElement[3].TryGetProperty("result", out _));
        Assert.Equal(2, _node.Node.Pool.Count);
    }

    [Fact]
    public void Calls_run_code_that_overrides_put_there()
    {
        var to = "\"to\":\"0x00000000000000000000000000000000000000aa\"";
        var code = $"{{\"0x00000000000000000000000000000000000000aa\":{{\"code\":\"{Returns42}\"}}}}";
        Assert.EndsWith("2a", _node.Call("eth_call", $"{{{to}}},\"latest\",{code}").GetString());
        Assert.Equal("0x", _node.Call("eth_call", $"{{{to}}},\"latest\"").GetString());
        // SLOAD(1): the first word of the answer is what the override put into the slot.
        const string LoadsSlot1 = "0x60015460005260206000f3";
        foreach (var kind in (string[])["state", "stateDiff"])
        {
            var slots = $"{{\"0x00000000000000000000000000000000000000aa\":{{\"code\":\"{LoadsSlot1}\","
                + $"\"{kind}\":{{\"0x1\":\"0x07\"}}}}}}";
            Assert.EndsWith("07", _node.Call("eth_call", $"{{{to}}},\"latest\",{slots}").GetString());
        }

        // NUMBER with a block override.
        var number = "{\"0x00000000000000000000000000000000000000aa\":{\"code\":\"0x4360005260206000f3\"}}";
        Assert.EndsWith(
            "0099", _node.Call("eth_call", $"{{{to}}},\"latest\",{number},{{\"number\":\"0x99\"}}").GetString());
        // A balance makes a transfer possible that the account could not pay.
        var rich = "{\"0x00000000000000000000000000000000000000bb\":{\"balance\":\"0x64\"}}";
        var pays = $"{{\"from\":\"0x00000000000000000000000000000000000000bb\",{to},\"value\":\"0x64\"}}";
        Assert.Equal(-32000, _node.Fail("eth_call", $"{pays},\"latest\"").Code);
        Assert.Equal("0x", _node.Call("eth_call", $"{pays},\"latest\",{rich}").GetString());
    }

    [Fact]
    public void A_revert_has_code_3_its_data_and_its_reason()
    {
        var response = _node.Respond("eth_call", $"{{\"input\":\"{RevertsWithNo}\"}}").GetProperty("error");
        Assert.Equal(3, response.GetProperty("code").GetInt32());
        Assert.StartsWith("0x08c379a0", response.GetProperty("data").GetString());
        Assert.StartsWith("execution reverted", response.GetProperty("message").GetString());
    }

    [Fact]
    public void Call_gas_may_go_up_to_the_block_without_a_cap_of_its_own()
    {
        // GAS: what is left at the first instruction.
        var call = "{\"to\":\"0x00000000000000000000000000000000000000aa\",\"gas\":\"0x3b9aca00\"}";
        var gas = "{\"0x00000000000000000000000000000000000000aa\":{\"code\":\"0x5a60005260206000f3\"}}";
        var left = UInt256.Parse(_node.Call("eth_call", $"{call},\"latest\",{gas}").GetString());
        Assert.True(left > 999_000_000);
    }

    [Fact]
    public void An_estimate_is_the_least_gas_that_is_enough()
    {
        // Deploys a contract that keeps a slot: creation has costs that depend on what it leaves.
        var create = $"{{\"from\":{Account(0)},\"input\":\"0x600160005560016000f3\"";
        var gas = _node.Call("eth_estimateGas", create + "}").GetString()!;
        _node.Call("eth_call", $"{create},\"gas\":\"{gas}\"}}");
        var less = (UInt256.Parse(gas) - 1).ToQuantity();
        Assert.Equal(-32000, _node.Fail("eth_call", $"{create},\"gas\":\"{less}\"}}").Code);
        Assert.Equal("0x5208", _node.Call(
            "eth_estimateGas", $"{{\"from\":{Account(0)},\"to\":{Account(1)},\"value\":\"0x1\"}}").GetString());
        Assert.Contains("allowance", _node.Fail("eth_estimateGas", "{\"input\":\"0x5b600056\"}").Message);
    }

    private JsonElement Logs(string filter) => _node.Call("eth_getLogs", filter);

    [Fact]
    public void Logs_are_found_by_address_and_topic()
    {
        // Creation code that emits LOG1 with topic 7 and no data.
        var request = $"{{\"from\":{Account(0)},\"input\":\"0x600760006000a1\",\"gas\":\"0x30d40\"}}";
        var hash = _node.Call("eth_sendTransaction", request).GetString();
        _node.Call("evm_mine");
        var topic = $"\"0x{7:x64}\"";
        Assert.Equal(1, Logs($"{{\"fromBlock\":\"0x0\",\"topics\":[{topic}]}}").GetArrayLength());
        Assert.Equal(1, Logs($"{{\"fromBlock\":\"0x0\",\"topics\":[[null,\"{Hash256.Zero}\"]]}}").GetArrayLength());
        var log = Logs("{\"fromBlock\":\"0x0\",\"topics\":[null]}")[0];
        Assert.Equal(hash, log.GetProperty("transactionHash").GetString());
        var address = log.GetProperty("address").GetString();
        Assert.Equal(1, Logs($"{{\"fromBlock\":\"0x0\",\"address\":\"{address}\"}}").GetArrayLength());
        Assert.Equal(0, Logs($"{{\"fromBlock\":\"0x0\",\"topics\":[\"{Hash256.Zero}\"]}}").GetArrayLength());
        Assert.Equal(0, Logs($"{{\"fromBlock\":\"0x0\",\"topics\":[null,null]}}").GetArrayLength());
        Assert.Equal(-32602, _node.Fail("eth_getLogs", "{\"fromBlock\":\"0x1\",\"toBlock\":\"0x0\"}").Code);
    }

    [Fact]
    public void Messages_are_signed_with_the_prefix_of_erc_191()
    {
        var text = _node.Call("personal_sign", $"\"0x616263\",{Account(1)}").GetString()!;
        var signature = Convert.FromHexString(text[2..]);
        var digest = Keccak256.Hash("\u0019Ethereum Signed Message:\n3abc"u8);
        var (r, s) = (UInt256.FromBigEndian(signature.AsSpan(0, 32)), UInt256.FromBigEndian(signature.AsSpan(32, 32)));
        Assert.True(Secp256k1.TryRecover(digest, r, s, (byte)(signature[64] - 27), out var signer));
        Assert.Equal(_node.Accounts[1].Address, signer);
        Assert.Equal(-32000, _node.Fail("personal_sign", $"\"0x00\",\"{Address.FromNumber(9)}\"").Code);
    }

    [Fact]
    public void Addresses_are_written_with_the_checksum_of_eip_55() => Assert.Equal(
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        AddressText.Checksummed(Address.Parse("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed")));
}
