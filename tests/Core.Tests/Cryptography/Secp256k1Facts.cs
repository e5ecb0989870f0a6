using SuperVm.Core.Cryptography;

namespace SuperVm.Core.Tests.Cryptography;

/// <summary>A test of the native backend; where the library is not installed it is skipped with one line.</summary>
internal sealed class NativeSecp256k1FactAttribute : FactAttribute
{
    public NativeSecp256k1FactAttribute() => Skip = Secp256k1.Native is null
        ? "libsecp256k1 is not installed (Debian package libsecp256k1-1): the native backend is not tested."
        : null;
}

/// <summary>A test of the lanes; on a processor without AVX-512 it is skipped with one line.</summary>
internal sealed class AvxFactAttribute : FactAttribute
{
    public AvxFactAttribute() => Skip = SecpField8.IsSupported
        ? null
        : "This processor has no AVX-512 (F and DQ): eight elements side by side are not tested.";
}
