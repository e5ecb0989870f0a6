using System.Text;
using System.Text.Json;

namespace SuperVm.Conformance;

/// <summary>Request and response pairs of execution-apis over one chain, compared exactly.</summary>
/// <remarks>
/// <code>
///   // comment          // speconly: … the answer depends on the client: its shape is compared, not its values
///   >> request
///   &lt;&lt; response         error messages are free; codes and data are not
/// </code>
/// A file is one case. Files share their tree's node and run in the order of their names, as what one sends to the pool
/// another asks for.
/// </remarks>
internal sealed class RpcWorker(ConformanceOptions options) : IConformanceWorker, IDisposable
{
    private const string Request = ">> ";
    private const string Response = "<< ";
    private const string Comment = "//";
    private const string SpecOnly = "speconly";

    private RpcTree? _tree;

    internal static bool Takes(string file) => file.EndsWith(".io", StringComparison.Ordinal);

    public void RunFile(string file, CaseReport cases)
    {
        var name = $"{Path.GetFileName(Path.GetDirectoryName(file))}/{Path.GetFileNameWithoutExtension(file)}";
        if (cases.Wants(name))
        {
            cases.Run(name, () => Check(file));
        }
    }

    public void Dispose() => _tree?.Dispose();

    private string? Check(string file)
    {
        var folder = RpcTree.FolderOf(file);
        if (_tree?.Folder != folder)
        {
            _tree?.Dispose();
            _tree = null;
            _tree = RpcTree.Of(file, options);
        }

        byte[]? answer = null;
        var (specOnly, pairs) = (false, 0);
        string? difference = null;
        foreach (var line in File.ReadLines(file))
        {
            if (line.StartsWith(Comment, StringComparison.Ordinal))
            {
                specOnly |= line.Contains(SpecOnly, StringComparison.OrdinalIgnoreCase);
            }
            else if (line.StartsWith(Request, StringComparison.Ordinal))
            {
                answer = _tree.Answer(Encoding.UTF8.GetBytes(line[Request.Length..]));
            }
            else if (line.StartsWith(Response, StringComparison.Ordinal))
            {
                // The whole file is sent in any case: other files may count on it.
                difference ??= Compare(line[Response.Length..], answer, specOnly);
                (answer, pairs) = (null, pairs + 1);
            }
        }

        return pairs == 0 ? throw new FixtureException("no request with a response") : difference;
    }

    private static string? Compare(string expected, byte[]? answer, bool specOnly)
    {
        if (answer is null)
        {
            throw new FixtureException("a response without a request");
        }

        using var wanted = JsonDocument.Parse(expected);
        using var found = JsonDocument.Parse(answer);
        return specOnly
            ? JsonDifference.OfShape(wanted.RootElement, found.RootElement)
            : JsonDifference.Of(wanted.RootElement, found.RootElement);
    }
}
