using Azure;
using SuperVm.Core.Storage;

namespace SuperVm.Azure;

/// <summary>Makes the ports' failures of the services'.</summary>
internal static class CloudFailure
{
    internal static StoreException Of(string what, RequestFailedException failure)
        => new($"{what}: the service answered {failure.Status} {failure.ErrorCode}.", failure);

    internal static bool Is(RequestFailedException failure, int status, string code)
        => failure.Status == status && failure.ErrorCode == code;
}
