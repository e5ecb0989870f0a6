using System.Text.Json;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Conformance;

/// <summary>State tests: one transaction on a pre-state gives a state root and logs, or is refused.</summary>
/// <remarks>No block reward and no system calls belong to them.</remarks>
internal sealed class StateWorker(ConformanceOptions options) : IConformanceWorker
{
    /// <summary>Correct, but a single call of it takes more than a minute.</summary>
    private const string LeftOut = "CALLBlake2f_MaxRounds";

    private const ulong DefaultChainId = 1;

    private readonly ITransactionRunner _runner = options.CreateRunner();

    public void RunFile(string file, CaseReport cases)
    {
        using var document = FixtureJson.Parse(file);
        foreach (var test in document.RootElement.Members("the file"))
        {
            if (!cases.Wants(test.Name))
            {
                continue;
            }

            if (test.Value.Find("post") is not { ValueKind: JsonValueKind.Object } post)
            {
                cases.Fail(test.Name, "malformed fixture: post is missing");
                continue;
            }

            foreach (var fork in post.EnumerateObject())
            {
                if (cases.WantsFork(fork.Name))
                {
                    RunFork(test, fork, cases);
                }
            }
        }
    }

    private void RunFork(JsonProperty test, JsonProperty fork, CaseReport cases)
    {
        if (fork.Value.ValueKind != JsonValueKind.Array)
        {
            cases.Fail($"{test.Name} {fork.Name}", "malformed fixture: post is no array");
            return;
        }

        foreach (var expected in fork.Value.EnumerateArray())
        {
            if (test.Name.Contains(LeftOut, StringComparison.Ordinal))
            {
                cases.Skip();
                continue;
            }

            var name = $"{test.Name} {fork.Name} {IndexText(expected)}";
            cases.Run(name, () => Check(test.Value, fork.Name, expected));
        }
    }

    private static string IndexText(JsonElement expected)
    {
        var indexes = expected.Find("indexes");
        return $"d{indexes?.Find("data")} g{indexes?.Find("gas")} v{indexes?.Find("value")}";
    }

    private string? Check(JsonElement test, string forkName, JsonElement expected)
    {
        var config = test.Find("config");
        var fork = Networks.ForkNamed(forkName) ?? throw new FixtureException($"the fork {forkName} is not known");
        var chainId = config?.Find("chainid")?.UInt64("chainid") ?? DefaultChainId;
        var rules = Networks.SpecOf(forkName, config).RulesOf(fork);
        var block = StateFixture.Block(test.Member("env"), rules, chainId);
        var pre = PreState.Read(test.Member("pre"));
        var state = new MemoryState(pre);
        var refusal = Execute(test, expected, block, chainId, state, out var receipt);
        if (expected.Find("expectException") is { } exception)
        {
            return refusal is null
                ? $"accepted, expected {exception}"
                : CheckUnchanged(state, expected, rules, block);
        }

        if (refusal is not null)
        {
            return $"refused: {refusal}";
        }

        return Compare(state, expected, receipt);
    }

    /// <summary>Executes the case's transaction; the named rule that refused it, or null.</summary>
    private string? Execute(
        JsonElement test, JsonElement expected, BlockContext context, ulong chainId, MemoryState state,
        out Receipt receipt)
    {
        receipt = new Receipt();
        var transaction = Read(test, expected, chainId, out var refusal);
        if (transaction is null)
        {
            return refusal;
        }

        if (!TransactionSigner.TryRecoverSender(transaction, out _))
        {
            return nameof(TransactionError.InvalidSignature);
        }

        var block = new BlockOutcome(new BlockState(state));
        _runner.Run(
            new BlockInput { Context = context, Transactions = [transaction], ParentHash = Hash256.Zero }, block);
        if (block.LeftOut.Count > 0)
        {
            return block.LeftOut[0].Error.ToString();
        }

        receipt = block.Receipts[0];
        state.Apply(block.State);
        return null;
    }

    private static Transaction? Read(JsonElement test, JsonElement expected, ulong chainId, out string? refusal)
    {
        refusal = null;
        if (expected.Find("txbytes")?.Text("txbytes") is { Length: > 2 })
        {
            var decoded = TransactionCodec.Decode(expected.BytesMember("txbytes"));
            refusal = decoded.Succeeded ? null : $"{nameof(TransactionError.Malformed)}: {decoded.Error}";
            return decoded.Value;
        }

        var transaction =
            StateFixture.Transaction(test.Member("transaction"), StateIndexes.Of(expected), chainId);
        refusal = transaction is null ? $"{nameof(TransactionError.Malformed)}: a number has too many bits" : null;
        return transaction;
    }

    private static string? Compare(
        MemoryState state, JsonElement expected, Receipt receipt)
    {
        var root = expected.Member("hash").Hash("hash");
        var actual = state.Root;
        if (actual != root)
        {
            var difference = expected.Find("state") is { } accounts
                ? PreState.FirstDifference(PreState.Read(accounts), state)
                    ?? ExtraAccount(accounts, state)
                : null;
            return $"state root {actual}, expected {root}; {difference} (succeeded: {receipt.Succeeded}, "
                + $"gas used {receipt.GasUsed})";
        }

        var logsHash = Keccak256.Hash(ReceiptCodec.EncodeLogs(receipt.Logs));
        var expectedLogs = expected.Member("logs").Hash("logs");
        return logsHash == expectedLogs ? null : $"logs hash {logsHash}, expected {expectedLogs}";
    }

    private static string? ExtraAccount(JsonElement accounts, MemoryState state)
    {
        var expected = PreState.Read(accounts).Select(account => account.Address).ToHashSet();
        var extra = state.Addresses.Where(address => !expected.Contains(address)).ToList();
        return extra.Count == 0 ? null : $"{extra[0]} should not exist";
    }

    /// <summary>
    /// A refused transaction leaves the state as it was; some old fixtures before EIP-161 were made with a coinbase
    /// that was touched, and so created, nevertheless.
    /// </summary>
    private static string? CheckUnchanged(
        MemoryState state, JsonElement expected, ForkRules rules, BlockContext block)
    {
        var root = expected.Member("hash").Hash("hash");
        var actual = state.Root;
        if (actual == root)
        {
            return null;
        }

        if (!rules.Eip161 && state.ReadAccount(block.Coinbase, out _) == ReadStatus.Absent)
        {
            state.Set(new AllocatedAccount(block.Coinbase, 0, UInt256.Zero, null, null));
            if (state.Root == root)
            {
                return null;
            }
        }

        return $"state root {actual} after the refusal, expected {root}";
    }
}
