using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;
using SuperVm.Gpu;
using SuperVm.Hosting.Proving;
using SuperVm.Local.Proofs;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm prove ZKEY WTNS`: makes a Groth16 proof from snarkjs' files.</summary>
internal sealed class ProveCommand : ICommandModule
{
    private readonly Argument<string> _key = new("zkey") { Description = "Proving key of snarkjs" };

    private readonly Argument<string> _witness = new("wtns")
    {
        Description = "Witness, as circom's calculator or `snarkjs wtns calculate` writes it",
    };

    private readonly Option<string> _proof = new("--proof")
    {
        Description = "Where the proof goes", DefaultValueFactory = _ => "proof.json",
    };

    private readonly Option<string> _public = new("--public")
    {
        Description = "Where the public values go", DefaultValueFactory = _ => "public.json",
    };

    private readonly Option<string?> _calldata = new("--calldata")
    {
        Description = "Where the Solidity verifier's arguments go",
    };

    private readonly Option<bool> _processors = new("--cpu") { Description = "Leave a GPU alone" };

    private readonly Option<bool> _quiet = new("--quiet") { Description = "No progress" };

    public Command Create()
    {
        var command = new Command("prove", "Make a Groth16 proof from a snarkjs .zkey and a .wtns")
        {
            _key, _witness, _proof, _public, _calldata, _processors, _quiet,
        };
        command.SetAction((parsed, cancellation) => Task.FromResult(
            ProofFiles.Guarded("prove", () => Prove(parsed, cancellation))));
        return command;
    }

    private int Prove(ParseResult parsed, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        using var keyFile = MappedFile.Open(parsed.GetRequiredValue(_key));
        using var witnessFile = MappedFile.Open(parsed.GetRequiredValue(_witness));
        var key = new ProvingKey(keyFile);
        var witness = new Witness(witnessFile);
        IProofBackend backend = new CpuProofBackend();
        if (!parsed.GetValue(_processors))
        {
            backend = GpuProofBackend.Best(backend, parsed.GetValue(_quiet) ? _ => { } : Console.Error.WriteLine);
        }

        using var progress = new ProgressLine(parsed.GetValue(_quiet) ? null : Console.Error);
        var proof = new Prover(backend, new SystemRandomSource()).Prove(key, witness, progress.Show, cancellation);
        progress.Dispose();
        var publics = Prover.PublicsOf(key, witness);
        ProofFiles.Write(parsed.GetRequiredValue(_proof), SnarkJson.Write(proof));
        ProofFiles.Write(parsed.GetRequiredValue(_public), SnarkJson.Write(publics));
        if (parsed.GetValue(_calldata) is { } calldata)
        {
            ProofFiles.Write(calldata, SolidityVerifier.Calldata(proof, publics));
        }

        if (key.DevelopmentNote is { } note)
        {
            Console.Error.WriteLine($"Attention: {note}");
        }

        var seconds = Stopwatch.GetElapsedTime(started).TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture);
        using var self = Process.GetCurrentProcess();
        Console.Out.WriteLine(
            $"proved {key.Variables} variables, domain {key.DomainSize}, in {seconds} s, at most "
            + $"{self.PeakWorkingSet64 >> 20} MB of memory ({backend.Name})");
        return 0;
    }

    /// <summary>One line that shows how far it is, on a terminal; nothing elsewhere.</summary>
    private sealed class ProgressLine(TextWriter? writer) : IDisposable
    {
        private const int Width = 30;

        private readonly Lock _gate = new();
        private TextWriter? _writer = Console.IsErrorRedirected ? null : writer;
        private int _shown = -1;

        internal void Show(ProofStage stage, double part)
        {
            var done = (int)(part * Width);
            lock (_gate)
            {
                if (_writer is null || _shown == ((int)stage * 1000) + done)
                {
                    return;
                }

                _shown = ((int)stage * 1000) + done;
                _writer.Write($"\r{stage,-12} {new string('#', done)}{new string('.', Width - done)}");
            }
        }

        public void Dispose()
        {
            lock (_gate)
            {
                _writer?.Write($"\r{new string(' ', Width + 13)}\r");
                _writer = null;
            }
        }
    }
}
