using System.Text.RegularExpressions;

namespace SuperVm.Style.Tests;

/// <summary>Time, randomness, files and network come into Core through ports; tests do not wait for clocks.</summary>
public sealed partial class BannedCallTests
{
    /// <summary>Files that may call what the others may not, each with its reason.</summary>
    private static readonly Dictionary<string, string> Exempt = new()
    {
        ["src/Core/Primitives/HashMix.cs"] = "hash codes are seeded once a process; nothing in consensus follows them",
        ["src/Cli/Bench/Blocks/DistantState.cs"] = "a store at milliseconds' distance is played by waiting",
    };

    [Fact]
    public void Core_has_no_clock_files_network_console_or_randomness_of_its_own()
    {
        Repository.ExpectNone(
            from file in Repository.Sources
            where file.IsIn("src/Core") && !Exempt.ContainsKey(file.Path)
            from line in file.Code()
            let match = OutsideWorld().Match(line.Code)
            where match.Success
            select $"{file.Path}:{line.Number} calls {match.Value}");
    }

    [Fact]
    public void Nothing_sleeps()
    {
        Repository.ExpectNone(
            from file in Repository.Sources
            where (file.IsIn("src") || file.IsIn("tests")) && !Exempt.ContainsKey(file.Path)
            from line in file.Code()
            let match = file.IsIn("tests") ? AnyWaiting().Match(line.Code) : Sleeping().Match(line.Code)
            where match.Success && !file.IsIn("tests/Style.Tests")
            select $"{file.Path}:{line.Number} calls {match.Value}");
    }

    [Fact]
    public void Nothing_is_left_for_later()
    {
        // Written in halves, so that this file does not find itself.
        var words = new[] { "Not" + "ImplementedException", "TO" + "DO", "FIX" + "ME", "HA" + "CK:" };
        Repository.ExpectNone(
            from file in Repository.Sources
            from line in file.Lines.Select((text, index) => (Text: text, Number: index + 1))
            from word in words
            where line.Text.Contains(word, StringComparison.Ordinal)
            select $"{file.Path}:{line.Number} says {word}");
    }

    [Fact]
    public void No_file_names_paths_of_a_machine_or_hosts_of_a_package_registry()
    {
        var words = new[] { "/wo" + "rk/", "/ho" + "me/", "/ro" + "ot/", "api.nu" + "get.org", "registry.np" + "mjs" };
        string[] patterns = ["*.cs", "*.csproj", "*.props", "*.md", "*.json", "*.yml", "*.mjs", "*.sh", "*.bicep"];
        Repository.ExpectNone(
            from file in patterns.SelectMany(Repository.Files)
            where !file.Path.EndsWith("package-lock.json", StringComparison.Ordinal)
            from line in file.Lines.Select((text, index) => (Text: text, Number: index + 1))
            from word in words
            where line.Text.Contains(word, StringComparison.Ordinal)
            select $"{file.Path}:{line.Number} names {word}");
    }

    [GeneratedRegex(@"\b(DateTime(Offset)?\.(Utc)?Now|Random\.Shared|new Random\b|RandomNumberGenerator|Guid\.NewGuid"
        + @"|Stopwatch\b|Environment\.(?!ProcessorCount|FailFast)\w+|(?<![\w.])(File|Directory|Path)\.[A-Z]\w*"
        + @"|FileStream|HttpClient|System\.Net\b|Socket\b|Console\.\w+|Thread\.Sleep|Task\.Delay|Process\.\w+)")]
    private static partial Regex OutsideWorld();

    [GeneratedRegex(@"\b(Thread\.Sleep|Task\.Delay)\b")]
    private static partial Regex AnyWaiting();

    [GeneratedRegex(@"\bThread\.Sleep\b")]
    private static partial Regex Sleeping();
}
