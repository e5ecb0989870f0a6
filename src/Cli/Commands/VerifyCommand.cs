using System.CommandLine;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;
using SuperVm.Local.Proofs;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm verify KEY PUBLIC PROOF`: checks a Groth16 proof.</summary>
internal sealed class VerifyCommand : ICommandModule
{
    private readonly Argument<string> _key = new("key")
    {
        Description = "Verification key (JSON) or proving key (.zkey)",
    };

    private readonly Argument<string> _public = new("public") { Description = "Public values (JSON)" };

    private readonly Argument<string> _proof = new("proof") { Description = "Proof (JSON)" };

    public Command Create()
    {
        var command = new Command("verify", "Check a Groth16 proof of snarkjs' format") { _key, _public, _proof };
        command.SetAction(parsed => ProofFiles.Guarded("verify", () => Verify(parsed)));
        return command;
    }

    /// <summary>Reads a verification key from JSON, or from a proving key.</summary>
    internal static VerificationKey ReadKey(string path)
    {
        if (!path.EndsWith(".zkey", StringComparison.OrdinalIgnoreCase))
        {
            return SnarkJson.ReadVerificationKey(ProofFiles.Read(path));
        }

        using var file = MappedFile.Open(path);
        return new ProvingKey(file).VerificationKey;
    }

    private int Verify(ParseResult parsed)
    {
        var key = ReadKey(parsed.GetRequiredValue(_key));
        var publics = SnarkJson.ReadPublics(ProofFiles.Read(parsed.GetRequiredValue(_public)));
        var proof = SnarkJson.ReadProof(ProofFiles.Read(parsed.GetRequiredValue(_proof)));
        var verdict = Verifier.Verify(key, proof, publics);
        Console.Out.WriteLine(verdict switch
        {
            Verdict.Valid => "valid",
            Verdict.Invalid => "invalid: the equation does not hold (another proof, other values or another key)",
            Verdict.WrongCount => $"invalid: {publics.Length} public values, the key has {key.Publics}",
            Verdict.NotBelowModulus => "invalid: a public value is not below r",
            _ => "invalid: a point is not in its group",
        });
        return verdict == Verdict.Valid ? 0 : 1;
    }
}
