using System.Diagnostics;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Execution.Evm;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Cli.Bench;

/// <summary>Compute-heavy contracts (Evm/EvmBench.sol) on one thread: milliseconds and gas a second of each.</summary>
internal sealed class EvmBenchmark : IBenchmark
{
    private const ulong GasLimit = 1_000_000_000_000;

    private static readonly Address Caller = Address.FromNumber(0xCA11);
    private static readonly Address Compute = Address.FromNumber(0xC0);
    private static readonly Address Token = Address.FromNumber(0x70);
    private static readonly Address Payer = Address.FromNumber(0x9A);

    private static readonly EvmProgram[] Programs =
    [
        new("arithmetic", Compute, "arithmetic(uint256)", 535_000),
        new("division", Compute, "division(uint256)", 540_000),
        new("keccak", Compute, "hashes(uint256)", 300_000),
        new("storage", Compute, "writes(uint256)", 362_000),
        new("fibonacci", Compute, "fibonacci(uint256)", 28),
        new("sort", Compute, "sort(uint256)", 1_000),
        new("erc20", Payer, "pay(address,uint256)", 20_000),
        new("pairing", Compute, "pairings(uint256)", 200),
        new("modexp", Compute, "powers(uint256)", 10_000),
    ];

    public string Name => "evm";

    public string Description => "compute-heavy contracts on one thread, through the engine as eth_call uses it";

    public Task RunAsync(BenchContext context)
    {
        var world = new BenchWorld();
        foreach (var program in Programs)
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var milliseconds = new double[context.Runs];
            var gas = 0UL;
            for (var run = -2; run < context.Runs; run++)
            {
                var started = Stopwatch.GetTimestamp();
                gas = world.Run(program);
                if (run >= 0)
                {
                    milliseconds[run] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
                }
            }

            context.Report($"{program.Name}_ms", "ms", milliseconds);
            context.Report(
                $"{program.Name}_gas_rate", "Mgas/s", [.. milliseconds.Select(time => gas / 1_000.0 / time)]);
        }

        return Task.CompletedTask;
    }

    /// <summary>One call: a function of a contract, how often it does its work.</summary>
    private sealed record EvmProgram(string Name, Address To, string Signature, ulong Count)
    {
        internal byte[] Input()
        {
            var selector = Keccak256.Hash(System.Text.Encoding.ASCII.GetBytes(Signature)).Bytes[..4].ToArray();
            return Signature.Contains("address", StringComparison.Ordinal)
                ? [.. selector, .. Token.ToWord().ToBigEndian(), .. new UInt256(Count).ToBigEndian()]
                : [.. selector, .. new UInt256(Count).ToBigEndian()];
        }
    }

    /// <summary>The contracts' code as state, and the engine.</summary>
    private sealed class BenchWorld : IStateReader, IBlockHashSource
    {
        private readonly Dictionary<Address, Code> _contracts = [];
        private readonly EvmEngine _engine = new();
        private readonly WorldState _state = new();
        private readonly BlockContext _block;

        internal BenchWorld()
        {
            _block = new BlockContext
            {
                Rules = ForkRules.Of(Fork.Osaka), ChainId = 1, Number = 1, GasLimit = GasLimit, BlockHashes = this,
            };
            var codes = Resource("EvmBench.hex").Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => line.Split(' ')).ToDictionary(parts => parts[0], parts => Hex.Decode(parts[1]));
            _contracts[Compute] = new Code(codes["Compute"]);
            _contracts[Token] = new Code(codes["Token"]);
            _contracts[Payer] = new Code(codes["Payer"]);
        }

        /// <summary>Runs the program on the state as it was and answers the gas it used.</summary>
        internal ulong Run(EvmProgram program)
        {
            _state.Reset(this, _block.Rules);
            var result = _engine.Execute(
                new Message
                {
                    Kind = MessageKind.Call, Caller = Caller, Recipient = program.To, CodeAddress = program.To,
                    Gas = GasLimit, Input = program.Input(),
                },
                new TransactionContext { Origin = Caller, BlobHashes = [] }, _block, _state);
            return result.Succeeded
                ? GasLimit - result.GasLeft
                : throw new InvalidOperationException($"The program {program.Name} ended with {result.Status}.");
        }

        public ReadStatus ReadAccount(in Address address, out Account account)
        {
            var found = _contracts.TryGetValue(address, out var code);
            account = found ? new Account(1, UInt256.Zero, code!.Hash, false) : default;
            return found ? ReadStatus.Found : ReadStatus.Absent;
        }

        public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
        {
            value = default;
            return ReadStatus.Absent;
        }

        public ReadStatus ReadCode(in Hash256 codeHash, out Code? code)
        {
            var hash = codeHash;
            code = _contracts.Values.FirstOrDefault(known => known.Hash == hash);
            return code is null ? ReadStatus.Absent : ReadStatus.Found;
        }

        public Hash256 HashOf(ulong number) => Hash256.Zero;

        private static string Resource(string name)
        {
            using var stream = typeof(EvmBenchmark).Assembly.GetManifestResourceStream(name)
                ?? throw new InvalidOperationException($"The resource {name} is missing.");
            using var reader = new StreamReader(stream, System.Text.Encoding.ASCII);
            return reader.ReadToEnd();
        }
    }
}
