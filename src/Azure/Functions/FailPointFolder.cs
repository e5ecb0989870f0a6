using System.Diagnostics;
using System.Globalization;

namespace SuperVm.Azure.Functions;

/// <summary>
/// Kills the process where a test wants it: at the fail point whose name a file of the folder has, once. The file holds
/// how often the point is passed before.
/// </summary>
internal sealed class FailPointFolder(string folder)
{
    private readonly Lock _gate = new();

    internal void Reach(string name)
    {
        var file = Path.Combine(folder, name);
        lock (_gate)
        {
            if (!File.Exists(file))
            {
                return;
            }

            if (int.TryParse(File.ReadAllText(file), CultureInfo.InvariantCulture, out var left) && left > 0)
            {
                File.WriteAllText(file, (left - 1).ToString(CultureInfo.InvariantCulture));
                return;
            }

            File.Delete(file);
            using var self = Process.GetCurrentProcess();
            self.Kill();
        }
    }
}
