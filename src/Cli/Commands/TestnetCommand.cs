using System.CommandLine;
using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using SuperVm.Core.Consensus;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm testnet`: several validators on this machine, each a process of its own.</summary>
internal sealed class TestnetCommand : ICommandModule
{
    private const int MaximumValidators = 32;

    private readonly Option<int> _validators = new("--validators", "-n")
    {
        Description = "How many; 3f+1 bear f that fail", DefaultValueFactory = _ => 4,
    };

    private readonly Option<int> _basePort = new("--base-port")
    {
        Description = "First JSON-RPC port; the consensus ports follow the JSON-RPC ports",
        DefaultValueFactory = _ => 8545,
    };

    private readonly Option<string?> _data = new("--data")
    {
        Description = "Directory that keeps keys, configurations and chains; a temporary one where it is left out",
    };

    private readonly Option<ulong> _chainId = new("--chain-id")
    {
        Description = "EIP-155 chain id", DefaultValueFactory = _ => ChainSpec.DevelopmentChainId,
    };

    private readonly Option<bool> _prepareOnly = new("--prepare-only")
    {
        Description = "Write the configurations into --data and end",
    };

    public Command Create()
    {
        var command = new Command("testnet", "Run several PBFT validators on this machine, a process each")
        {
            _validators, _basePort, _data, _chainId, _prepareOnly,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var count = parsed.GetValue(_validators);
        var port = parsed.GetValue(_basePort);
        if (count is < 1 or > MaximumValidators || port < 1 || port + (2 * count) > 65_536)
        {
            await Console.Error.WriteLineAsync(
                $"supervm testnet: --validators takes 1 to {MaximumValidators}, --base-port a port with room above it");
            return 2;
        }

        var given = parsed.GetValue(_data);
        var data = given ?? Directory.CreateTempSubdirectory("supervm-testnet-").FullName;
        try
        {
            var configs = Prepare(data, count, port, parsed.GetValue(_chainId));
            return parsed.GetValue(_prepareOnly) ? 0 : await RunAllAsync(configs, port, cancellation);
        }
        catch (Exception refusal) when (refusal is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"supervm testnet: {refusal.Message}");
            return 1;
        }
        finally
        {
            if (given is null)
            {
                Directory.Delete(data, recursive: true);
            }
        }
    }

    /// <summary>The configurations' paths; what a directory holds from before stays as it is.</summary>
    private static List<string> Prepare(string data, int count, int basePort, ulong chainId)
    {
        Directory.CreateDirectory(data);
        var paths = Enumerable.Range(0, count).Select(i => Path.Combine(data, $"validator{i}.json")).ToList();
        if (paths.TrueForAll(File.Exists))
        {
            return paths;
        }

        var keys = paths.Select(_ => NewKey()).ToList();
        var entries = keys.Select((key, i) => new ValidatorEntry(
            new Secp256k1Signer(key).Address.ToString(), 1, $"http://{IPAddress.Loopback}:{basePort + count + i}"))
            .ToList();
        for (var i = 0; i < count; i++)
        {
            new ValidatorConfig
            {
                Key = Hex.Encode(keys[i]), Data = $"chain{i}", RpcPort = basePort + i,
                ConsensusPort = basePort + count + i, ChainId = chainId, Validators = entries,
            }.Write(paths[i]);
        }

        return paths;
    }

    /// <summary>A number below 2^255 and above 0 is below the group's order, so it is a key.</summary>
    internal static byte[] NewKey()
    {
        var key = RandomNumberGenerator.GetBytes(32);
        key[0] &= 0x7f;
        key[31] |= 1;
        return key;
    }

    private static async Task<int> RunAllAsync(List<string> configs, int basePort, CancellationToken cancellation)
    {
        await using var log = new LineLog(Console.Out);
        var processes = configs.Select((config, i) => Start(config, $"[{i}] ", log)).ToList();
        for (var i = 0; i < processes.Count; i++)
        {
            log.Write($"validator {i}: http://{IPAddress.Loopback}:{basePort + i}  process {processes[i].Id}");
        }

        var ends = processes.Select(process => process.WaitForExitAsync(CancellationToken.None)).ToList();
        await Task.WhenAny(StopSignal.RequestedAsync(cancellation), Task.WhenAll(ends));
        log.Write("stopping");
        foreach (var process in processes)
        {
            // A validator ends with its input.
            process.StandardInput.Close();
        }

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        foreach (var process in processes)
        {
            try
            {
                await process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
            }

            process.Dispose();
        }

        return 0;
    }

    private static Process Start(string config, string prefix, LineLog log)
    {
        // The program runs as `dotnet supervm.dll`, or as a file of its own.
        var program = Environment.ProcessPath!;
        var assembly = typeof(TestnetCommand).Assembly.Location;
        var arguments = new List<string>();
        if (Path.GetFileNameWithoutExtension(program) == "dotnet")
        {
            arguments.Add(assembly);
        }

        arguments.AddRange(["validator", "--config", config, "--until-input-ends"]);
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments)
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
            },
        };
        process.OutputDataReceived += (_, line) => Log(line.Data);
        process.ErrorDataReceived += (_, line) => Log(line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;

        void Log(string? line)
        {
            if (line is not null)
            {
                log.Write(prefix + line);
            }
        }
    }
}
