using SuperVm.Core.Proving;
using SuperVm.Hosting.Proving;

namespace SuperVm.Local.Proofs;

/// <summary>Circuits' keys in a folder: <c>NAME.zkey</c>, mapped into memory.</summary>
public sealed class FolderKeyFiles(string folder) : IKeyFiles
{
    public Task<ByteSource?> OpenAsync(string circuit, CancellationToken cancellation)
    {
        var path = Path.Combine(folder, circuit + ".zkey");
        return Task.FromResult<ByteSource?>(
            ProofJob.IsName(circuit) && File.Exists(path) ? MappedFile.Open(path) : null);
    }
}
