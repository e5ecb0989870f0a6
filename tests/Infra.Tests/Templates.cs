using System.Diagnostics;
using System.Text.Json;
using SuperVm.Ports.Tests;

namespace SuperVm.Infra.Tests;

/// <summary>The tests that share the parsed templates: installed and parsed once for all of them.</summary>
[CollectionDefinition(Name)]
public sealed class TemplatesCollection : ICollectionFixture<Templates>
{
    public const string Name = "templates";
}

/// <summary>The templates under infra/bicep, parsed once by tree-sitter (parse.mjs).</summary>
public sealed class Templates : IAsyncLifetime
{
    public const string Reason = "npm is not installed (Node 20 or newer); the templates cannot be parsed";

    internal string Root { get; } = FindRoot();

    internal IReadOnlyList<BicepFile> Files { get; private set; } = [];

    /// <summary>Templates, without the files of parameters.</summary>
    internal IEnumerable<BicepFile> Code => Files.Where(file => file.Path.EndsWith(".bicep", StringComparison.Ordinal));

    internal IEnumerable<BicepFile> Parameters
        => Files.Where(file => file.Path.EndsWith(".bicepparam", StringComparison.Ordinal));

    internal BicepFile Main => File("main.bicep");

    internal BicepFile File(string name)
        => Files.Single(file => Path.GetFileName(file.Path) == name);

    public async Task InitializeAsync()
    {
        if (!PortFactDiscoverer.IsInstalled("npm"))
        {
            return; // every test that would ask for the templates is skipped
        }

        var folder = Path.Combine(Root, "tests", "Infra.Tests");
        if (!System.IO.File.Exists(Path.Combine(folder, "node_modules", ".package-lock.json")))
        {
            // The grammar is WebAssembly: no package has to compile anything.
            await RunAsync(folder, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund");
        }

        var sources = Directory
            .EnumerateFiles(Path.Combine(Root, "infra", "bicep"), "*.bicep*", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal);
        var json = await RunAsync(folder, "node", ["parse.mjs", .. sources]);
        Files = JsonSerializer.Deserialize<List<BicepFile>>(json, JsonSerializerOptions.Web)!;
    }

    public Task DisposeAsync() => Task.CompletedTask;

    private static async Task<string> RunAsync(string folder, string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
        }) ?? throw new InvalidOperationException($"{program} does not start.");
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} ended with {process.ExitCode}: {output}");
    }

    internal static string FindRoot()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!System.IO.File.Exists(Path.Combine(at.FullName, "SuperVm.sln")))
        {
            at = at.Parent ?? throw new InvalidOperationException("The tests lie outside of the repository.");
        }

        return at.FullName;
    }
}

/// <summary>What one file declares.</summary>
internal sealed record BicepFile(
    string Path,
    IReadOnlyList<string> Errors,
    IReadOnlyList<BicepParameter> Parameters,
    IReadOnlyList<BicepVariable> Variables,
    IReadOnlyList<BicepResource> Resources,
    IReadOnlyList<BicepModule> Modules,
    IReadOnlyList<BicepOutput> Outputs,
    IReadOnlyList<string> Uses,
    IReadOnlyList<BicepString> Strings,
    string? Using)
{
    /// <summary>A variable that is an array of literal strings.</summary>
    internal IReadOnlyList<string> Names(string variable) => Value(variable).EnumerateArray()
        .Select(item => item.GetString()!).ToList();

    internal JsonElement Value(string variable) => Variables.Single(found => found.Name == variable).Value;
}

internal sealed record BicepParameter(string Name, string? Type, bool HasDefault, IReadOnlyList<string> Decorators);

internal sealed record BicepVariable(string Name, JsonElement Value);

internal sealed record BicepResource(string Name, string Type, string Version, bool Existing, JsonElement Body);

internal sealed record BicepModule(string Name, string File, JsonElement Parameters);

internal sealed record BicepOutput(string Name, string Text);

internal sealed record BicepString(int Line, string Text);
