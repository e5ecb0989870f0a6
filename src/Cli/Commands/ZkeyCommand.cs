using System.CommandLine;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;
using SuperVm.Hosting.Proving;
using SuperVm.Local.Proofs;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm zkey …`: looks into proving keys, and makes them for development.</summary>
internal sealed class ZkeyCommand : ICommandModule
{
    private readonly Argument<string> _key = new("zkey") { Description = "Proving key of snarkjs" };

    private readonly Option<bool> _check = new("--check")
    {
        Description = "Check every point: on its curve and in its subgroup",
    };

    private readonly Option<string?> _output = new("--output", "-o")
    {
        Description = "Where it goes; standard output where left out",
    };

    private readonly Argument<string> _circuit = new("r1cs") { Description = "Circuit, as circom writes it" };

    private readonly Argument<string> _made = new("zkey") { Description = "Where the key goes" };

    public Command Create()
    {
        var info = new Command("info", "Sizes of a proving key; with --check, whether its points are sound")
        {
            _key, _check,
        };
        info.SetAction((parsed, cancellation) => Task.FromResult(
            ProofFiles.Guarded("zkey info", () => Info(parsed, cancellation))));
        var export = new Command("export-verification-key", "The verification key of a proving key, as JSON")
        {
            _key, _output,
        };
        export.SetAction(parsed => ProofFiles.Guarded("zkey export-verification-key", () => Export(parsed)));
        var make = new Command("make-dev", "Make a proving key in seconds. NOT FOR PRODUCTION: its secrets are known")
        {
            _circuit, _made,
        };
        make.SetAction(parsed => ProofFiles.Guarded("zkey make-dev", () => Make(parsed)));
        return new Command("zkey", "Look into proving keys, and make them for development") { info, export, make };
    }

    private int Info(ParseResult parsed, CancellationToken cancellation)
    {
        using var file = MappedFile.Open(parsed.GetRequiredValue(_key));
        var key = new ProvingKey(file);
        Show("protocol", "groth16");
        Show("curve", "bn128 (BN254)");
        Show("variables", key.Variables);
        Show("public values", key.Publics);
        Show("domain", key.DomainSize);
        Show("coefficients", key.CoefficientCount);
        Show("bytes", file.Length);
        Show("note", key.DevelopmentNote ?? "none");
        if (parsed.GetValue(_check))
        {
            KeyCheck.Run(key, new CpuProofBackend(), new SystemRandomSource(), cancellation);
            Show("points", "all on their curves and in their subgroups");
        }

        return 0;
    }

    private int Export(ParseResult parsed)
    {
        using var file = MappedFile.Open(parsed.GetRequiredValue(_key));
        ProofFiles.Write(parsed.GetValue(_output), SnarkJson.Write(new ProvingKey(file).VerificationKey));
        return 0;
    }

    private int Make(ParseResult parsed)
    {
        using var file = MappedFile.Open(parsed.GetRequiredValue(_circuit));
        var circuit = new R1cs(file);
        using var key = File.Create(parsed.GetRequiredValue(_made));
        DevelopmentSetup.Write(circuit, new SystemRandomSource(), key);
        Console.Error.WriteLine($"Attention: {DevelopmentSetup.Note}");
        Console.Out.WriteLine(
            $"made a key for {circuit.Constraints} constraints and {circuit.Variables} wires, {key.Length} bytes");
        return 0;
    }

    private static void Show(string name, object value) =>
        Console.Out.WriteLine(FormattableString.Invariant($"{name,-14} {value}"));
}
