using System.Diagnostics;
using SuperVm.Ports.Tests;

namespace SuperVm.Proofs.Tests;

/// <summary>The program's verbs of proofs, as a user calls them.</summary>
[Collection(SnarkjsCollection.Name)]
[NeedsCommand("npm", "Node 20 or newer is not installed: circom and snarkjs run on it")]
public sealed class ProgramTests : IDisposable
{
    private readonly SnarkjsFixture _fixture;
    private readonly string _folder = Directory.CreateTempSubdirectory("supervm-proofs-").FullName;

    public ProgramTests(SnarkjsFixture fixture) => _fixture = fixture;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [PortFact]
    public async Task A_key_is_made_looked_into_proved_with_and_verified_with()
    {
        await ExpectAsync(0, "made a key for", "zkey", "make-dev", _fixture.FileOf("cipher.r1cs"), "dev.zkey");
        await ExpectAsync(0, "all on their curves", "zkey", "info", "dev.zkey", "--check");
        await ExpectAsync(0, "Not for production", "zkey", "info", "dev.zkey");
        await ExpectAsync(0, "proved", "prove", "dev.zkey", _fixture.FileOf("cipher.wtns"), "--calldata", "calldata");
        await ExpectAsync(0, "valid", "verify", "dev.zkey", "public.json", "proof.json");
        await ExpectAsync(0, "", "zkey", "export-verification-key", "dev.zkey", "-o", "vkey.json");
        await ExpectAsync(0, "valid", "verify", "vkey.json", "public.json", "proof.json");
        await ExpectAsync(0, "contract Groth16Verifier", "export-solidity", "vkey.json");
        Assert.StartsWith("[\"0x", await File.ReadAllTextAsync(Path.Combine(_folder, "calldata")));

        var publics = await File.ReadAllTextAsync(Path.Combine(_folder, "public.json"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "other.json"), publics.Replace("\"1\"", "\"2\""));
        await ExpectAsync(1, "does not hold", "verify", "vkey.json", "other.json", "proof.json");
    }

    [PortFact]
    public async Task What_cannot_be_used_is_refused_with_its_reason()
    {
        var (key, witness) = (_fixture.FileOf("cipher.zkey"), _fixture.FileOf("cipher.wtns"));
        await ExpectAsync(1, "nowhere.zkey", "prove", "nowhere.zkey", witness);
        await ExpectAsync(1, "another kind of file", "prove", witness, witness);
        await ExpectAsync(1, "not of one circuit", "prove", key, _fixture.FileOf("matrices.wtns"));
        await ExpectAsync(1, "no such file", "verify", "nowhere.json", "nowhere.json", "nowhere.json");
        await ExpectAsync(1, "protocol", "verify", _fixture.FileOf("index.json"), "public.json", "proof.json");
    }

    /// <summary>Runs the program in a folder of its own; its words and complaints together have the text.</summary>
    private async Task ExpectAsync(int status, string text, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(
            "dotnet", [Path.Combine(AppContext.BaseDirectory, "supervm.dll"), .. arguments])
        {
            WorkingDirectory = _folder, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var words = process.StandardOutput.ReadToEndAsync();
        var complaints = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Contains(text, await words + complaints, StringComparison.Ordinal);
        Assert.Equal(status, process.ExitCode);
    }
}
