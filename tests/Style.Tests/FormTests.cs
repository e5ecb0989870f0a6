namespace SuperVm.Style.Tests;

/// <summary>Sizes that keep a room liveable.</summary>
public sealed class FormTests
{
    private const int MostLines = 450;
    private const int MostColumns = 120;

    /// <summary>Files that may be longer or wider, each with its reason.</summary>
    private static readonly Dictionary<string, string> Exempt = new()
    {
    };

    [Fact]
    public void A_file_has_at_most_450_lines()
    {
        Repository.ExpectNone(
            from file in Repository.Sources
            where file.Lines.Length > MostLines && !Exempt.ContainsKey(file.Path)
            select $"{file.Path} has {file.Lines.Length} lines");
    }

    [Fact]
    public void A_line_has_at_most_120_columns()
    {
        Repository.ExpectNone(
            from file in Repository.Sources
            where !Exempt.ContainsKey(file.Path)
            from line in file.Lines.Select((text, index) => (Text: text, Number: index + 1))
            where line.Text.Length > MostColumns
            select $"{file.Path}:{line.Number} has {line.Text.Length} columns");
    }

    [Fact]
    public void Lines_end_without_blanks_and_hold_no_tabulators()
    {
        Repository.ExpectNone(
            from file in Repository.Sources
            from line in file.Lines.Select((text, index) => (Text: text, Number: index + 1))
            where line.Text.EndsWith(' ') || line.Text.Contains('\t')
            select $"{file.Path}:{line.Number}");
    }

    [Fact]
    public void Namespaces_are_file_scoped_and_nothing_is_folded_into_regions()
    {
        Repository.ExpectNone(
            from file in Repository.Sources
            from line in file.Code()
            where line.Code.TrimStart().StartsWith("#region", StringComparison.Ordinal)
                || (line.Code.StartsWith("namespace ", StringComparison.Ordinal) && !line.Code.EndsWith(';'))
            select $"{file.Path}:{line.Number} {line.Code.Trim()}");
    }

    [Fact]
    public void Every_exemption_is_still_needed()
    {
        Repository.ExpectNone(
            from path in Exempt.Keys
            let file = Repository.Sources.FirstOrDefault(file => file.Path == path)
            where file is null
                || (file.Lines.Length <= MostLines && file.Lines.All(line => line.Length <= MostColumns))
            select $"{path} needs no exemption");
    }
}
