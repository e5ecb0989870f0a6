using System.Text.Json;
using SuperVm.Core.Ledger;

namespace SuperVm.Conformance;

/// <summary>Transaction tests: raw bytes with, for each fork, their hash and sender or a reason of refusal.</summary>
internal sealed class TransactionWorker : IConformanceWorker
{
    private const ulong ChainId = 1;

    public void RunFile(string file, CaseReport cases)
    {
        using var document = FixtureJson.Parse(file);
        foreach (var test in document.RootElement.Members("the file"))
        {
            if (!cases.Wants(test.Name))
            {
                continue;
            }

            if (test.Value.Find("result") is not { ValueKind: JsonValueKind.Object } results
                || test.Value.Find("txbytes") is not { } bytes)
            {
                cases.Fail(test.Name, "malformed fixture: result or txbytes is missing");
                continue;
            }

            foreach (var result in results.EnumerateObject())
            {
                if (cases.WantsFork(result.Name))
                {
                    cases.Run($"{test.Name} {result.Name}", () => Check(bytes, result.Name, result.Value));
                }
            }
        }
    }

    private static string? Check(JsonElement bytes, string forkName, JsonElement expected)
    {
        var fork = Networks.ForkNamed(forkName) ?? throw new FixtureException($"the fork {forkName} is not known");
        var rules = ForkRules.Of(fork);
        var refusal = Refusal(bytes.Bytes("txbytes"), rules, out var transaction);
        if (expected.Find("exception") is { } exception)
        {
            return refusal is null ? $"accepted, expected {exception}" : null;
        }

        if (refusal is not null || transaction is null)
        {
            return $"refused: {refusal}";
        }

        var hash = expected.Member("hash").Hash("hash");
        if (transaction.Hash != hash)
        {
            return $"hash {transaction.Hash}, expected {hash}";
        }

        var sender = expected.Member("sender").Address("sender");
        if (transaction.Sender != sender)
        {
            return $"sender {transaction.Sender}, expected {sender}";
        }

        var gas = expected.Find("intrinsicGas")?.UInt64("intrinsicGas");
        var intrinsic = IntrinsicGas.Of(transaction, rules).Base;
        return gas is null || gas == intrinsic ? null : $"intrinsic gas {intrinsic}, expected {gas}";
    }

    /// <summary>The named rule that refuses the bytes, or null.</summary>
    internal static string? Refusal(byte[] bytes, ForkRules rules, out Transaction? transaction)
    {
        var decoded = TransactionCodec.Decode(bytes);
        transaction = decoded.Value;
        if (!decoded.Succeeded)
        {
            return $"{nameof(TransactionError.Malformed)}: {decoded.Error}";
        }

        var error = TransactionValidator.ValidateStateless(decoded.Value, rules, ChainId);
        if (error == TransactionError.None && !TransactionSigner.TryRecoverSender(decoded.Value, out _))
        {
            error = TransactionError.InvalidSignature;
        }

        return error == TransactionError.None ? null : error.ToString();
    }
}
