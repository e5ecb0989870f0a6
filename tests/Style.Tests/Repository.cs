namespace SuperVm.Style.Tests;

/// <summary>The files of the repository, read once.</summary>
internal static class Repository
{
    private static readonly string[] SkippedFolders =
        [".git", "artifacts", "bin", "obj", "node_modules", "TestResults", ".supervm", ".vs", ".vscode", ".idea"];

    internal static string Root { get; } = FindRoot();

    /// <summary>Every C# file, by its path from the root with forward slashes.</summary>
    internal static IReadOnlyList<SourceFile> Sources { get; } = Files("*.cs");

    internal static IReadOnlyList<SourceFile> Files(string pattern)
    {
        var found = new List<SourceFile>();
        Gather(new DirectoryInfo(Root), pattern, found);
        found.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        return found;
    }

    /// <summary>Fails with one line a finding.</summary>
    internal static void ExpectNone(IEnumerable<string> findings)
    {
        Assert.NotEmpty(Sources);
        var all = findings.ToList();
        Assert.True(all.Count == 0, string.Join('\n', all.Prepend($"{all.Count} finding(s):").Take(60)));
    }

    private static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "SuperVm.sln")))
            {
                return at.FullName;
            }
        }

        throw new InvalidOperationException("The tests lie outside of the repository.");
    }

    private static void Gather(DirectoryInfo folder, string pattern, List<SourceFile> found)
    {
        foreach (var file in folder.EnumerateFiles(pattern))
        {
            var path = Path.GetRelativePath(Root, file.FullName).Replace('\\', '/');
            found.Add(new(path, File.ReadAllLines(file.FullName)));
        }

        foreach (var below in folder.EnumerateDirectories())
        {
            if (!SkippedFolders.Contains(below.Name))
            {
                Gather(below, pattern, found);
            }
        }
    }
}

/// <summary>A text file and its lines.</summary>
internal sealed record SourceFile(string Path, string[] Lines)
{
    internal bool IsIn(string folder) => Path.StartsWith(folder + "/", StringComparison.Ordinal);

    /// <summary>Line numbers (from 1) with what stands before a line comment.</summary>
    internal IEnumerable<(int Number, string Code)> Code()
    {
        for (var i = 0; i < Lines.Length; i++)
        {
            var line = Lines[i];
            var comment = line.TrimStart().StartsWith("//", StringComparison.Ordinal)
                ? 0
                : line.IndexOf(" // ", StringComparison.Ordinal);
            yield return (i + 1, comment < 0 ? line : line[..comment]);
        }
    }
}
