using System.Security.Cryptography;
using SuperVm.Core.Proving;

namespace SuperVm.Hosting.Proving;

/// <summary>The operating system's randomness.</summary>
public sealed class SystemRandomSource : IRandomSource
{
    public void Fill(Span<byte> bytes) => RandomNumberGenerator.Fill(bytes);
}
