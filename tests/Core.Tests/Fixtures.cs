using System.Diagnostics;

namespace SuperVm.Core.Tests;

/// <summary>
/// Public conformance data: archives in <c>../shared/fixtures</c> beside the repository, unpacked once into artifacts.
/// </summary>
internal static class Fixtures
{
    private static readonly Lock Gate = new();

    /// <summary>The folder of solution and sources.</summary>
    internal static string RepositoryRoot { get; } = FindRoot();

    /// <summary>Where the archive would be; it need not exist.</summary>
    internal static string ArchivePath(string name) =>
        Path.GetFullPath(Path.Combine(RepositoryRoot, "..", "shared", "fixtures", name + ".tar.xz"));

    /// <summary>Null where the archive is there, else the line that says what is missing and how to get it.</summary>
    internal static string? WhyAbsent(string name) => File.Exists(ArchivePath(name))
        ? null
        : $"Conformance data is absent: put {name}.tar.xz into ../shared/fixtures beside the repository.";

    /// <summary>The folder with the archive's content, unpacked by <c>tar</c> at first use.</summary>
    internal static string Folder(string name)
    {
        var cache = Path.Combine(RepositoryRoot, "artifacts", "fixtures");
        var folder = Path.Combine(cache, name);
        lock (Gate)
        {
            if (Directory.Exists(folder))
            {
                return folder;
            }

            // Unpacked aside and then renamed, so that a broken or parallel run leaves no half folder behind.
            var aside = Path.Combine(cache, $".{name}.{Environment.ProcessId}");
            Directory.CreateDirectory(aside);
            using (var tar = Process.Start("tar", ["-xJf", ArchivePath(name), "-C", aside]))
            {
                tar.WaitForExit();
                if (tar.ExitCode != 0)
                {
                    throw new InvalidOperationException($"tar could not unpack {ArchivePath(name)}.");
                }
            }

            try
            {
                Directory.Move(aside, folder);
            }
            catch (IOException) when (Directory.Exists(folder))
            {
                Directory.Delete(aside, recursive: true);
            }

            return folder;
        }
    }

    private static string FindRoot()
    {
        for (var folder = AppContext.BaseDirectory; folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (File.Exists(Path.Combine(folder, "SuperVm.sln")))
            {
                return folder;
            }
        }

        throw new InvalidOperationException("The tests do not run inside the repository.");
    }
}

/// <summary>A test over conformance data; where the archive is absent it is skipped with one line.</summary>
internal sealed class FixtureFactAttribute : FactAttribute
{
    public FixtureFactAttribute(string archive) => Skip = Fixtures.WhyAbsent(archive);
}

/// <summary>
/// A parametrized test over conformance data; where the archive is absent it is skipped with one line.
/// </summary>
internal sealed class FixtureTheoryAttribute : TheoryAttribute
{
    public FixtureTheoryAttribute(string archive) => Skip = Fixtures.WhyAbsent(archive);
}
