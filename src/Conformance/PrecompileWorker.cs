using System.Security.Cryptography;
using System.Text.Json;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Conformance;

/// <summary>Vectors of precompiled contracts, each called through the engine as a message to its address.</summary>
/// <remarks>
/// go-ethereum's and the EIPs' files (Input, Expected or ExpectedError, Gas), c-kzg's verify_kzg_proof (YAML) and
/// wycheproof's P-256 signatures. The file's name says which contract and which fork's price is meant.
/// </remarks>
internal sealed class PrecompileWorker : IConformanceWorker
{
    private const ulong Gas = 1UL << 40;
    private const string WycheproofFile = "ecdsa_secp256r1_sha256_p1363_test";

    private static readonly Dictionary<string, (ulong Address, Fork Fork)> Contracts =
        new(StringComparer.OrdinalIgnoreCase)
        {
            ["ecRecover"] = (1, Fork.Frontier),
            ["modexp"] = (5, Fork.Byzantium),
            ["modexp_eip2565"] = (5, Fork.Berlin),
            ["modexp_eip7883"] = (5, Fork.Osaka),
            ["bn256Add"] = (6, Fork.Istanbul),
            ["bn256ScalarMul"] = (7, Fork.Istanbul),
            ["bn256Pairing"] = (8, Fork.Istanbul),
            ["blake2F"] = (9, Fork.Istanbul),
            ["pointEvaluation"] = (0x0A, Fork.Cancun),
            ["verify_kzg_proof"] = (0x0A, Fork.Cancun),
            ["blsG1Add"] = (0x0B, Fork.Prague),
            ["blsG1Mul"] = (0x0C, Fork.Prague),
            ["blsG1MultiExp"] = (0x0C, Fork.Prague),
            ["blsG2Add"] = (0x0D, Fork.Prague),
            ["blsG2Mul"] = (0x0E, Fork.Prague),
            ["blsG2MultiExp"] = (0x0E, Fork.Prague),
            ["blsPairing"] = (0x0F, Fork.Prague),
            ["blsMapG1"] = (0x10, Fork.Prague),
            ["blsMapG2"] = (0x11, Fork.Prague),
            ["add_G1_bls"] = (0x0B, Fork.Prague),
            ["mul_G1_bls"] = (0x0C, Fork.Prague),
            ["msm_G1_bls"] = (0x0C, Fork.Prague),
            ["add_G2_bls"] = (0x0D, Fork.Prague),
            ["mul_G2_bls"] = (0x0E, Fork.Prague),
            ["msm_G2_bls"] = (0x0E, Fork.Prague),
            ["pairing_check_bls"] = (0x0F, Fork.Prague),
            ["map_fp_to_G1_bls"] = (0x10, Fork.Prague),
            ["map_fp2_to_G2_bls"] = (0x11, Fork.Prague),
            ["p256Verify"] = (0x100, Fork.Osaka),
            ["test-vectors"] = (0x100, Fork.Osaka),
            [WycheproofFile] = (0x100, Fork.Osaka),
        };

    private readonly EvmEngine _engine = new();
    private readonly WorldState _world = new();

    /// <summary>Whether a file's name is that of vectors for a contract.</summary>
    internal static bool Takes(string file) => Contracts.ContainsKey(NameOf(file));

    public void RunFile(string file, CaseReport cases)
    {
        var name = NameOf(file);
        if (!Contracts.TryGetValue(name, out var contract))
        {
            cases.Fail(name, "no precompiled contract is known for this file's name");
            return;
        }

        if (!cases.WantsFork(contract.Fork.ToString()))
        {
            return;
        }

        if (file.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase))
        {
            var test = Path.GetFileName(Path.GetDirectoryName(file)) ?? name;
            if (cases.Wants(test))
            {
                cases.Run(test, () => CheckKzg(File.ReadAllLines(file)));
            }

            return;
        }

        using var document = FixtureJson.Parse(file);
        if (name == WycheproofFile)
        {
            RunWycheproof(document.RootElement, cases);
            return;
        }

        // The EIP's own P-256 vectors state the price of RIP-7212, half of EIP-7951's.
        var checkGas = name != "test-vectors";
        foreach (var vector in document.RootElement.Items("the file"))
        {
            var test = vector.Find("Name")?.GetString() ?? string.Empty;
            if (cases.Wants(test))
            {
                cases.Run(test, () => CheckVector(vector, contract.Address, contract.Fork, checkGas));
            }
        }
    }

    private string? CheckVector(JsonElement vector, ulong address, Fork fork, bool checkGas)
    {
        var result = Call(vector.BytesMember("Input"), address, fork);
        if (vector.Find("ExpectedError") is not null)
        {
            return result.Succeeded ? "succeeded, but should fail" : null;
        }

        var expected = vector.BytesMember("Expected");
        if (Difference(result, expected) is { } difference)
        {
            return difference;
        }

        var gas = checkGas ? vector.Find("Gas")?.UInt64("Gas") : null;
        var used = Gas - result.GasLeft;
        return gas is null || gas == used ? null : $"gas {used}, expected {gas}";
    }

    private static string? Difference(in ExecutionResult result, byte[] expected)
    {
        if (!result.Succeeded)
        {
            return $"failed: {result.Status}";
        }

        return result.Output.Span.SequenceEqual(expected)
            ? null
            : $"output {Hex.Encode(result.Output.Span)}, expected {Hex.Encode(expected)}";
    }

    private string? CheckKzg(string[] lines)
    {
        var commitment = YamlBytes(lines, "commitment");
        var hash = SHA256.HashData(commitment);
        hash[0] = 1;
        byte[] input =
            [.. hash, .. YamlBytes(lines, "z"), .. YamlBytes(lines, "y"), .. commitment, .. YamlBytes(lines, "proof")];
        var succeeded = Call(input, 0x0A, Fork.Cancun).Succeeded;
        var expected = YamlText(lines, "output") == "true";
        return succeeded == expected ? null : $"succeeded: {succeeded}, expected: {expected}";
    }

    private void RunWycheproof(JsonElement root, CaseReport cases)
    {
        foreach (var group in root.Member("testGroups").Items("testGroups"))
        {
            var key = group.Member("publicKey").BytesMember("uncompressed");
            foreach (var test in group.Member("tests").Items("tests"))
            {
                var name = $"tcId {test.Find("tcId")} {test.Find("comment")}";
                var signature = test.BytesMember("sig");
                if (!cases.Wants(name))
                {
                    continue;
                }

                cases.Run(name, () =>
                {
                    // A signature of another length makes an input of another length, which the contract refuses.
                    byte[] input = [.. SHA256.HashData(test.BytesMember("msg")), .. signature, .. key.AsSpan(1)];
                    byte[] expected = test.TextMember("result") == "valid" ? UInt256.One.ToBigEndian() : [];
                    return Difference(Call(input, 0x100, Fork.Osaka), expected);
                });
            }
        }
    }

    private ExecutionResult Call(byte[] input, ulong number, Fork fork)
    {
        var rules = ForkRules.Of(fork);
        _world.Reset(EmptyStateReader.Instance, rules);
        var address = Address.FromNumber(number);
        var message = new Message
        {
            Kind = MessageKind.Call, Recipient = address, CodeAddress = address, Input = input, Gas = Gas,
        };
        var block = new BlockContext { Rules = rules, ChainId = 1, BlockHashes = NumberHashes.Instance };
        return _engine.Execute(message, new TransactionContext { BlobHashes = [] }, block, _world);
    }

    private static string NameOf(string file)
    {
        if (file.EndsWith(".yaml", StringComparison.OrdinalIgnoreCase))
        {
            return file.Contains("verify_kzg_proof", StringComparison.Ordinal) ? "verify_kzg_proof" : string.Empty;
        }

        var name = Path.GetFileNameWithoutExtension(file);
        return name.StartsWith("fail-", StringComparison.Ordinal) ? name["fail-".Length..] : name;
    }

    private static byte[] YamlBytes(string[] lines, string key) =>
        Hex.TryDecode(YamlText(lines, key), out var bytes) ? bytes : throw new FixtureException($"{key} is no hex");

    private static string YamlText(string[] lines, string key)
    {
        var line = Array.Find(lines, line => line.TrimStart().StartsWith(key + ":", StringComparison.Ordinal))
            ?? throw new FixtureException($"{key} is missing");
        return line[(line.IndexOf(':') + 1)..].Trim().Trim('\'', '"');
    }
}
