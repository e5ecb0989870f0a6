using SuperVm.Core.Ledger;

namespace SuperVm.Cli.Commands;

/// <summary>What the operator asked for cannot be done; the message says why.</summary>
internal sealed class InvalidConfigurationException(string message) : Exception(message);

/// <summary>Genesis files on disk.</summary>
internal static class GenesisFile
{
    /// <exception cref="InvalidConfigurationException">No such file, or no genesis in it.</exception>
    internal static Genesis Read(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists)
        {
            throw new InvalidConfigurationException($"{path}: no such file");
        }

        if (file.Length > GenesisReader.MaximumBytes)
        {
            throw new InvalidConfigurationException($"{path} is too large for a genesis file");
        }

        var decoded = GenesisReader.Read(File.ReadAllBytes(path));
        return decoded.Succeeded
            ? decoded.Value
            : throw new InvalidConfigurationException($"{path} is no genesis file: {decoded.Error}");
    }
}
