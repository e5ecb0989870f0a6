namespace SuperVm.Local.Tests.Storage;

/// <summary>A new directory beside the tests' program, removed afterwards.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    internal TemporaryFolder() => Directory.CreateDirectory(Root);

    internal string Root { get; } = Path.Combine(AppContext.BaseDirectory, "stores", Guid.NewGuid().ToString("N"));

    internal string At(string name) => Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
