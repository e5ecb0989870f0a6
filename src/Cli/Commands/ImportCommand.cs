using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using SuperVm.Core.Ledger;
using SuperVm.Core.Node;
using SuperVm.Core.Storage;
using SuperVm.Local.Storage;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm import FILE.rlp --genesis FILE`: validates and executes a file of blocks.</summary>
internal sealed class ImportCommand : ICommandModule
{
    private const long MaximumFileBytes = 2_000_000_000;

    private readonly Argument<string> _file = new("file") { Description = "Blocks as RLP, one behind the other" };

    private readonly Option<string> _genesis = new("--genesis")
    {
        Description = "A genesis.json as geth's", Required = true,
    };

    private readonly Option<string?> _data = new("--data") { Description = "Directory that keeps the chain" };

    public Command Create()
    {
        var command = new Command("import", "Validate and execute a file of RLP blocks") { _file, _genesis, _data };
        command.SetAction(Run);
        return command;
    }

    private int Run(ParseResult parsed)
    {
        try
        {
            return Import(parsed);
        }
        catch (Exception refusal) when (refusal is StoreException or IOException or UnauthorizedAccessException
            or InvalidConfigurationException)
        {
            Console.Error.WriteLine($"supervm import: {refusal.Message}");
            return 1;
        }
    }

    private int Import(ParseResult parsed)
    {
        var path = parsed.GetValue(_file)!;
        var genesis = GenesisFile.Read(parsed.GetValue(_genesis)!);
        var file = new FileInfo(path);
        if (!file.Exists || file.Length > MaximumFileBytes)
        {
            throw new InvalidConfigurationException(
                file.Exists ? $"{path} has more than {MaximumFileBytes} bytes" : $"{path}: no such file");
        }

        var data = parsed.GetValue(_data);
        using var store = data is null
            ? new MemoryKeyValueStore()
            : StoreFactory.Open(data, log: Console.Error.WriteLine);
        using var chain = Chain.Open(store, genesis);
        using var checkpoints = data is null ? null : PeriodicCheckpoints.Follow(chain, store, data, _ => { });
        return ImportAll(chain, File.ReadAllBytes(path), Console.Out);
    }

    private static int ImportAll(Chain chain, ReadOnlyMemory<byte> blocks, TextWriter output)
    {
        var started = Stopwatch.GetTimestamp();
        var gas = 0UL;
        string? damage = null;
        var (count, refusal) = chain.ImportSequence(Decoded());
        if ((refusal is null ? damage : $"{refusal.Status} {refusal.Rule} {refusal.Detail}".TrimEnd()) is { } reason)
        {
            return Refuse(output, count, reason);
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds;
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"imported {count} blocks, {gas / 1e6:F1} Mgas in {seconds:F2} s; "
            + $"head {chain.Head.Number} {chain.Head.Hash}"));
        return 0;

        IEnumerable<Block> Decoded()
        {
            while (!blocks.IsEmpty)
            {
                var length = BlockCodec.LengthOfFirst(blocks.Span, out var problem);
                if (length == 0)
                {
                    damage = $"the file is damaged there: {problem}";
                    yield break;
                }

                var decoded = BlockCodec.Decode(blocks.Span[..length]);
                if (!decoded.Succeeded)
                {
                    damage = $"it is no block: {decoded.Error}";
                    yield break;
                }

                blocks = blocks[length..];
                gas += decoded.Value.Header.GasUsed;
                yield return decoded.Value;
            }
        }
    }

    private static int Refuse(TextWriter output, int imported, string reason)
    {
        output.WriteLine($"imported {imported} blocks");
        Console.Error.WriteLine($"supervm import: block {imported + 1} of the file was refused: {reason}");
        return 1;
    }
}
