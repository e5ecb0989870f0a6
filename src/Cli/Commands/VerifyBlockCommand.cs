using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using SuperVm.Core.Consensus;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm verify-block`: whether blocks are final, knowing the genesis and trusting nobody.</summary>
internal sealed class VerifyBlockCommand : ICommandModule
{
    private const int DoesNotHold = 1;

    private readonly Argument<string> _blocks = new("blocks")
    {
        Description = "A block's number, a range A..B, or finalized", DefaultValueFactory = _ => "finalized",
    };

    private readonly Option<string?> _config = new("--config", "-c")
    {
        Description = "A validator's configuration, whose genesis and first validators are trusted",
    };

    private readonly Option<string?> _genesis = new("--genesis")
    {
        Description = "A genesis.json that holds the validator registry, instead of --config",
    };

    private readonly Option<string> _rpc = new("--rpc")
    {
        Description = "The node that brings the proofs; it is not trusted",
        DefaultValueFactory = _ => "http://127.0.0.1:8545",
    };

    private readonly Option<string?> _file = new("--file")
    {
        Description = "A file that brings the proofs, instead of --rpc",
    };

    private readonly Option<string?> _export = new("--export") { Description = "Keep the proofs in this file" };

    public Command Create()
    {
        var command = new Command(
            "verify-block", "Check that blocks are final: certificates and attestations, from genesis over all epochs")
        {
            _blocks, _config, _genesis, _rpc, _file, _export,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        try
        {
            return await VerifyAsync(parsed, cancellation);
        }
        catch (Exception refusal) when (refusal is InvalidConfigurationException or IOException
            or UnauthorizedAccessException or ArgumentException or UriFormatException)
        {
            await Console.Error.WriteLineAsync($"supervm verify-block: {refusal.Message}");
            return 2;
        }
    }

    private async Task<int> VerifyAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var verifier = VerifierOf(parsed.GetValue(_config), parsed.GetValue(_genesis));
        using var client = new HttpClient
        {
            Timeout = TimeSpan.FromSeconds(30), MaxResponseContentBufferSize = RpcProofs.MaximumAnswerBytes,
        };
        IProofSource source = parsed.GetValue(_file) is { } file
            ? new FileProofs(file)
            : new RpcProofs(client, new Uri(parsed.GetValue(_rpc)!));
        var (first, last) = await RangeAsync(parsed.GetValue(_blocks)!, source, cancellation);
        var kept = new ProofFile([], []);
        var error = await VerifyAsync(verifier, source, first, last, kept, cancellation);
        if (error is not null)
        {
            await Console.Error.WriteLineAsync($"does not hold: {error}");
            return DoesNotHold;
        }

        if (parsed.GetValue(_export) is { } export)
        {
            await File.WriteAllBytesAsync(
                export, JsonSerializer.SerializeToUtf8Bytes(kept, ProofJson.Default.ProofFile), cancellation);
        }

        return 0;
    }

    /// <summary>The first thing that does not hold, or null.</summary>
    private static async Task<string?> VerifyAsync(
        LightVerifier verifier, IProofSource source, ulong first, ulong last, ProofFile kept,
        CancellationToken cancellation)
    {
        Console.WriteLine($"genesis {verifier.GenesisHash}, {Describe(verifier.Epoch)}");
        for (var number = first; number <= last || !verifier.IsComplete; number++)
        {
            while (verifier.EpochOf(number) > verifier.Epoch.Number)
            {
                var wanted = verifier.Epoch.Number + 1;
                if (await source.EpochAsync(wanted, cancellation) is not { } step)
                {
                    return $"nobody brings the step to epoch {wanted}";
                }

                if (verifier.TakeEpoch(step) is { } broken)
                {
                    return broken;
                }

                kept.Epochs.Add(Hex.Encode(step));
                Console.WriteLine($"epoch {wanted}: {Describe(verifier.Epoch)}");
            }

            if (await source.BlockAsync(number, cancellation) is not { } proof)
            {
                return $"nobody brings block {number} with its proofs";
            }

            var answer = verifier.Take(proof);
            if (!answer.Holds)
            {
                return answer.Error;
            }

            if (answer.Header!.Number != number)
            {
                return $"block {number} was asked for, {answer.Header.Number} is brought";
            }

            kept.Blocks.Add(new ProofEntry(
                Hex.Encode(proof.Block), Text(proof.Attestation), Text(proof.Commit)));
            if (number == last)
            {
                var which = first == last ? $"block {last} holds" : $"blocks {first}..{last} hold";
                Console.WriteLine($"{which}: {answer.Header.Hash}, state root {answer.Header.Header.StateRoot}");
            }
        }

        return null;
    }

    private static string Describe(Epoch epoch) => string.Create(
        CultureInfo.InvariantCulture,
        $"{epoch.Validators.Count} validators, power {epoch.Validators.TotalPower}, from block {epoch.First}");

    private static string? Text(byte[]? bytes) => bytes is null ? null : Hex.Encode(bytes);

    private static LightVerifier VerifierOf(string? config, string? genesis)
    {
        if ((config is null) == (genesis is null))
        {
            throw new InvalidConfigurationException("--config or --genesis says what is trusted; one of them");
        }

        if (genesis is not null)
        {
            return LightVerifier.Of(GenesisFile.Read(genesis), null, new Secp256k1Verifier());
        }

        var read = ValidatorConfig.Read(config!);
        var chain = read.GenesisBlock(DevGenesis.AccountsOf(Mnemonic.Development, read.Accounts));
        var set = new ValidatorSet(
            [.. read.Options().Validators.Select(peer => new Validator(peer.Address, peer.Power))]);
        return LightVerifier.Of(chain, set, new Secp256k1Verifier());
    }

    private static async Task<(ulong First, ulong Last)> RangeAsync(
        string text, IProofSource source, CancellationToken cancellation)
    {
        if (text == "finalized")
        {
            var newest = await source.NewestAsync(cancellation);
            return newest > 0 ? (newest, newest) : throw new InvalidConfigurationException("there is no final block");
        }

        var parts = text.Split("..");
        if (parts.Length <= 2
            && ulong.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var first)
            && ulong.TryParse(parts[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            && first >= 1 && last >= first && last < ulong.MaxValue)
        {
            return (first, last);
        }

        throw new InvalidConfigurationException("blocks are N, A..B with 1 <= A <= B, or finalized");
    }
}
