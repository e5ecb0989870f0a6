using System.Diagnostics;
using System.Text.Json;
using SuperVm.Core.Primitives;
using SuperVm.Core.Proving;
using SuperVm.Core.Proving.Groth16;
using SuperVm.Hosting.Proving;
using SuperVm.Local.Proofs;
using SuperVm.Ports.Tests;

namespace SuperVm.Proofs.Tests;

/// <summary>One circuit of tests/Proofs/circuits.mjs with all that this code and snarkjs made of it.</summary>
/// <param name="Name">Its name there.</param>
/// <param name="Constraints">After circom's optimization.</param>
/// <param name="Ceremony">Whether its key comes from a ceremony of snarkjs, or from a development setup.</param>
/// <param name="Proof">Made here.</param>
/// <param name="Publics">Public values.</param>
/// <param name="Judgement">What snarkjs and solc said.</param>
public sealed record CheckedCircuit(
    string Name, int Constraints, bool Ceremony, Proof Proof, UInt256[] Publics, JsonElement Judgement);

/// <summary>
/// circom compiles the circuits, snarkjs makes keys and proofs, this code makes proofs, snarkjs judges them and solc
/// compiles their verifiers: once for all tests of this project.
/// </summary>
public sealed class SnarkjsFixture : IAsyncLifetime
{
    private static readonly string[] Big = ["domain_2_16", "domain_2_17"];

    private readonly List<CheckedCircuit> _circuits = [];

    public IReadOnlyList<CheckedCircuit> Circuits => _circuits;

    public string FileOf(string name) => Path.Combine(Work, name);

    private static string Scripts { get; } = FindScripts();

    private static string Work { get; } = Path.Combine(Scripts, "..", "..", "artifacts", "tests", "proofs");

    public async Task InitializeAsync()
    {
        if (!PortFactDiscoverer.IsInstalled("npm"))
        {
            return; // every test is skipped
        }

        if (!File.Exists(Path.Combine(Scripts, "node_modules", ".package-lock.json")))
        {
            await RunAsync("npm", "ci", "--no-audit", "--no-fund");
        }

        if (Directory.Exists(Work))
        {
            Directory.Delete(Work, recursive: true);
        }

        Directory.CreateDirectory(Work);
        await RunAsync("node", "make.mjs", Work);
        var index = ReadIndex();
        if (Environment.GetEnvironmentVariable("SUPERVM_TEST_ALL") == "1")
        {
            await RunAsync("node", ["make.mjs", Work, .. Big]);
            index = [.. index, .. ReadIndex()];
            await File.WriteAllTextAsync(FileOf("index.json"), JsonSerializer.Serialize(index));
        }

        var made = index.Select(Prove).ToArray();
        await RunAsync("node", "check.mjs", Work);
        using var results = JsonDocument.Parse(await File.ReadAllBytesAsync(FileOf("results.json")));
        foreach (var circuit in made)
        {
            _circuits.Add(circuit with { Judgement = results.RootElement.GetProperty(circuit.Name).Clone() });
        }
    }

    public Task DisposeAsync()
    {
        if (Directory.Exists(Work))
        {
            Directory.Delete(Work, recursive: true);
        }

        return Task.CompletedTask;
    }

    private JsonElement[] ReadIndex() =>
        JsonSerializer.Deserialize<JsonElement[]>(File.ReadAllBytes(FileOf("index.json")))!;

    private CheckedCircuit Prove(JsonElement entry)
    {
        var name = entry.GetProperty("name").GetString()!;
        var ceremony = entry.GetProperty("ceremony").GetBoolean();
        var random = new SystemRandomSource();
        if (!ceremony)
        {
            using var circuit = MappedFile.Open(FileOf($"{name}.r1cs"));
            using var file = File.Create(FileOf($"{name}.zkey"));
            DevelopmentSetup.Write(new R1cs(circuit), random, file);
        }

        using var keyFile = MappedFile.Open(FileOf($"{name}.zkey"));
        using var witnessFile = MappedFile.Open(FileOf($"{name}.wtns"));
        var key = new ProvingKey(keyFile);
        var witness = new Witness(witnessFile);
        var proof = new Prover(new CpuProofBackend(), random).Prove(key, witness);
        var publics = Prover.PublicsOf(key, witness);
        File.WriteAllText(FileOf($"{name}.proof.json"), SnarkJson.Write(proof));
        File.WriteAllText(FileOf($"{name}.public.json"), SnarkJson.Write(publics));
        File.WriteAllText(FileOf($"{name}.own.vkey.json"), SnarkJson.Write(key.VerificationKey));
        File.WriteAllText(FileOf($"{name}.calldata"), SolidityVerifier.Calldata(proof, publics));
        File.WriteAllText(FileOf($"{name}.sol"), SolidityVerifier.Write(key.VerificationKey));
        return new CheckedCircuit(
            name, entry.GetProperty("constraints").GetInt32(), ceremony, proof, publics, default);
    }

    private static async Task RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Scripts, RedirectStandardInput = true, RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        process.StandardInput.Close();
        var words = process.StandardOutput.ReadToEndAsync();
        var complaints = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {arguments[0]}: {await words}{complaints}");
        }
    }

    private static string FindScripts()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "SuperVm.sln")))
        {
            at = at.Parent ?? throw new InvalidOperationException("The tests lie outside of the repository.");
        }

        return Path.Combine(at.FullName, "tests", "Proofs");
    }
}
