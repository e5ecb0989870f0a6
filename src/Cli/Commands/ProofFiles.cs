using SuperVm.Core.Proving;

namespace SuperVm.Cli.Commands;

/// <summary>What the verbs of proofs share: reading small files, writing results, refusals.</summary>
internal static class ProofFiles
{
    /// <summary>Bytes of a JSON file that is read.</summary>
    private const long MostBytes = 64 << 20;

    /// <summary>Runs a verb's action; a refusal goes to standard error and makes the exit status 1.</summary>
    internal static int Guarded(string verb, Func<int> action)
    {
        try
        {
            return action();
        }
        catch (Exception refusal) when (refusal is ProofException or IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"supervm {verb}: {refusal.Message}");
            return 1;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine($"supervm {verb}: stopped");
            return 1;
        }
    }

    internal static byte[] Read(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.Length > MostBytes)
        {
            throw new ProofException(
                file.Exists ? $"{path} has more than {MostBytes} bytes." : $"{path}: no such file.");
        }

        return File.ReadAllBytes(path);
    }

    /// <summary>Writes a text to a file, or to standard output where there is none.</summary>
    internal static void Write(string? path, string text)
    {
        if (path is null)
        {
            Console.Out.WriteLine(text.TrimEnd('\n'));
        }
        else
        {
            File.WriteAllText(path, text);
        }
    }
}
