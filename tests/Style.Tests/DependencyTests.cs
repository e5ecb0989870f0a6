using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace SuperVm.Style.Tests;

/// <summary>Who may see whom: the arrows between projects, and the order of Core's folders (ARCHITECTURE.md).</summary>
public sealed partial class DependencyTests
{
    private static readonly Dictionary<string, string[]> AllowedProjects = new()
    {
        ["Core"] = [],
        ["Hosting"] = ["Core"],
        ["Local"] = ["Core", "Hosting"],
        ["Azure"] = ["Core", "Hosting"],
        ["Gpu"] = ["Core"],
        ["Conformance"] = ["Core", "Hosting"],
        ["Simulation"] = ["Core"],
        ["Cli"] = ["Core", "Conformance", "Hosting", "Local", "Azure", "Gpu", "Simulation"],
        ["functions"] = ["Core", "Hosting", "Azure", "Gpu"],
    };

    /// <summary>A folder of Core may use those before it, never those after it.</summary>
    private static readonly string[] FolderOrder =
    [
        "Primitives", "Encoding", "Cryptography", "Ledger", "Storage", "State", "Execution", "Parallel", "Mempool",
        "Consensus", "CrossShard", "Proving", "Node",
    ];

    [Fact]
    public void Projects_refer_only_to_those_below_them()
    {
        var findings = new List<string>();
        foreach (var project in Repository.Files("*.csproj").Where(IsProgram))
        {
            var name = NameOf(project.Path);
            var allowed = AllowedProjects.GetValueOrDefault(name);
            foreach (var reference in References(project, "ProjectReference"))
            {
                var target = NameOf("src/" + reference.Split("src/").Last().TrimStart('.', '/'));
                if (allowed is null || !allowed.Contains(target))
                {
                    findings.Add($"{project.Path} refers to {target}");
                }
            }
        }

        Repository.ExpectNone(findings);
    }

    [Fact]
    public void Core_takes_no_packages_and_no_framework_but_the_base()
    {
        var core = Repository.Files("SuperVm.Core.csproj").Single();
        Assert.Empty(References(core, "PackageReference"));
        Assert.Empty(References(core, "FrameworkReference"));
    }

    [Fact]
    public void A_file_uses_only_namespaces_of_projects_that_its_own_may_see()
    {
        Repository.ExpectNone(
            from file in Repository.Sources
            where IsProgram(file)
            let own = NameOf(file.Path)
            from used in NamespacesUsed(file)
            let target = used.Name.Split('.')[1]
            where target != own && AllowedProjects.ContainsKey(target)
                && !AllowedProjects[own].Contains(target)
            select $"{file.Path}:{used.Line} uses {used.Name}");
    }

    [Fact]
    public void A_folder_of_Core_uses_only_the_folders_before_it()
    {
        Repository.ExpectNone(
            from file in Repository.Sources
            where file.IsIn("src/Core")
            let own = Rank(file.Path.Split('/')[2])
            from used in NamespacesUsed(file)
            let parts = used.Name.Split('.')
            where parts.Length > 2 && parts[1] == "Core" && Rank(parts[2]) > own
            select $"{file.Path}:{used.Line} uses {used.Name}");
    }

    [Fact]
    public void Every_folder_of_Core_has_its_place_in_the_order()
    {
        var folders = Repository.Sources.Where(file => file.IsIn("src/Core")).Select(file => file.Path.Split('/')[2]);
        Assert.Empty(folders.Distinct().Except(FolderOrder));
    }

    [Fact]
    public void The_engines_do_not_see_each_other_and_parallel_execution_sees_no_engine()
    {
        Repository.ExpectNone(
            from file in Repository.Sources
            from used in NamespacesUsed(file)
            where (file.IsIn("src/Core/Execution/Evm") && used.Name.StartsWith("SuperVm.Core.Execution.Wasm"))
                || (file.IsIn("src/Core/Execution/Wasm") && used.Name.StartsWith("SuperVm.Core.Execution.Evm"))
                || (file.IsIn("src/Core/Parallel") && EngineNamespace().IsMatch(used.Name))
            select $"{file.Path}:{used.Line} uses {used.Name}");
    }

    [Fact]
    public void A_namespace_says_where_its_file_lies()
    {
        Repository.ExpectNone(
            from file in Repository.Sources
            where file.IsIn("src") || file.IsIn("tests")
            let declared = Declared(file)
            where declared is not null && !IsAt(declared, Expected(file))
            select $"{file.Path} is in {declared}, not in {Expected(file)}");
    }

    [GeneratedRegex(@"\bSuperVm(\.[A-Z]\w*)+")]
    private static partial Regex QualifiedName();

    [GeneratedRegex(@"^SuperVm\.Core\.Execution\.(Evm|Wasm)\b")]
    private static partial Regex EngineNamespace();

    private static bool IsProgram(SourceFile file) => file.IsIn("src") || file.IsIn("functions");

    /// <summary>src/Core/… is Core, functions/… is functions.</summary>
    private static string NameOf(string path)
        => path.StartsWith("functions/", StringComparison.Ordinal) ? "functions" : path.Split('/')[1];

    private static IEnumerable<string> References(SourceFile project, string kind)
        => XDocument.Parse(string.Join('\n', project.Lines)).Descendants(kind)
            .Select(reference => reference.Attribute("Include")!.Value.Replace('\\', '/'));

    private static IEnumerable<(int Line, string Name)> NamespacesUsed(SourceFile file)
    {
        foreach (var (number, code) in file.Code())
        {
            if (code.StartsWith("namespace ", StringComparison.Ordinal))
            {
                continue;
            }

            foreach (Match match in QualifiedName().Matches(code))
            {
                yield return (number, match.Value);
            }
        }
    }

    private static int Rank(string folder) => Array.IndexOf(FolderOrder, folder);

    private static string? Declared(SourceFile file) => file.Lines
        .Where(line => line.StartsWith("namespace ", StringComparison.Ordinal))
        .Select(line => line["namespace ".Length..].TrimEnd(';', ' ', '{'))
        .FirstOrDefault();

    /// <summary>
    /// A folder of files that belong to one type may share the namespace above it; an engine may not.
    /// </summary>
    private static bool IsAt(string declared, string expected)
    {
        var shared = EngineNamespace().IsMatch(expected) ? 4 : 3;
        return declared == expected
            || (expected.StartsWith(declared + ".", StringComparison.Ordinal) && declared.Split('.').Length >= shared);
    }

    /// <summary>
    /// src/Core/State/X.cs is in SuperVm.Core.State; tests/Core.Tests/State/X.cs in SuperVm.Core.Tests.State.
    /// </summary>
    private static string Expected(SourceFile file)
        => string.Join('.', file.Path.Split('/')[1..^1].Prepend("SuperVm"));
}
