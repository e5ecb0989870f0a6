namespace SuperVm.Cli.Commands;

/// <summary>A file of audit lines, each written before its call is answered; only its owner may read.</summary>
internal sealed class AuditFile : IDisposable
{
    private readonly Lock _gate = new();
    private readonly StreamWriter _file;

    /// <exception cref="IOException">It cannot be opened.</exception>
    internal AuditFile(string path)
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.Read,
        };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        _file = new StreamWriter(path, options) { AutoFlush = true };
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _file.Dispose();
        }
    }

    internal void Write(string line)
    {
        lock (_gate)
        {
            _file.WriteLine(line);
        }
    }
}
