using System.Globalization;
using SuperVm.Core.Storage;

namespace SuperVm.Local.Storage;

/// <summary>Keeps a second process (or a second opening in this one) away from a store's directory.</summary>
/// <remarks>
/// An exclusive flock on a file, which the runtime takes for <see cref="FileShare.None"/> on Unix; the system releases
/// it when the process ends, however it ends. The owner's process id stands in a file of its own, as the locked one
/// cannot be read by others; it only serves the message.
/// </remarks>
internal sealed class StoreLock : IDisposable
{
    private readonly FileStream _file;

    private StoreLock(FileStream file) => _file = file;

    /// <exception cref="StoreException">Somebody else has the store open.</exception>
    internal static StoreLock Take(string root)
    {
        FileStream file;
        try
        {
            file = new FileStream(
                Path.Combine(root, StoreLayout.LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e is not DirectoryNotFoundException and not PathTooLongException)
        {
            throw new StoreException($"The store in {root} is open in another process{Owner(root)}: {e.Message}", e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StoreException($"The store in {root} cannot be locked: {e.Message}", e);
        }

        try
        {
            var process = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
            File.WriteAllText(Path.Combine(root, StoreLayout.OwnerName), process);
            return new(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            file.Dispose();
            throw new StoreException($"The store in {root} cannot be written: {e.Message}", e);
        }
    }

    public void Dispose() => _file.Dispose();

    private static string Owner(string root)
    {
        try
        {
            var text = File.ReadAllText(Path.Combine(root, StoreLayout.OwnerName));
            return int.TryParse(text, out var process) ? $" (process {process})" : "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
