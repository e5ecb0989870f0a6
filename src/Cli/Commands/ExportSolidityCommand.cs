using System.CommandLine;
using SuperVm.Core.Proving.Groth16;

namespace SuperVm.Cli.Commands;

/// <summary>`supervm export-solidity KEY`: a contract that checks proofs of a key.</summary>
internal sealed class ExportSolidityCommand : ICommandModule
{
    private readonly Argument<string> _key = new("key")
    {
        Description = "Verification key (JSON) or proving key (.zkey)",
    };

    private readonly Option<string?> _output = new("--output", "-o")
    {
        Description = "Where the source goes; standard output where left out",
    };

    public Command Create()
    {
        var command = new Command("export-solidity", "A Solidity contract that checks Groth16 proofs of a key")
        {
            _key, _output,
        };
        command.SetAction(parsed => ProofFiles.Guarded("export-solidity", () =>
        {
            var key = VerifyCommand.ReadKey(parsed.GetRequiredValue(_key));
            ProofFiles.Write(parsed.GetValue(_output), SolidityVerifier.Write(key));
            return 0;
        }));
        return command;
    }
}
