using System.Text.Json;
using Azure;
using Azure.Identity;
using Microsoft.Azure.Cosmos;
using SuperVm.Core.Storage;

namespace SuperVm.Azure;

/// <summary>Makes the ports' failures of the services'.</summary>
/// <remarks>
/// A service that cannot be reached shows itself in many ways: after the last try of Azure.Core's pipeline as an
/// <see cref="AggregateException"/>, in the midst of a body as an <see cref="IOException"/>, after the network's
/// time-out as a cancellation that nobody asked for, without a token as an
/// <see cref="AuthenticationFailedException"/>. A role waits for a <see cref="StoreException"/> and gives up on
/// everything else, so each of them has to be one.
/// </remarks>
internal static class CloudFailure
{
    /// <summary>Whether the service, or the way to it, failed; false where the program did.</summary>
    internal static bool IsOf(Exception failure) => failure switch
    {
        RequestFailedException or CosmosException or AuthenticationFailedException => true,
        HttpRequestException or IOException => true,
        OperationCanceledException cancelled => !cancelled.CancellationToken.IsCancellationRequested,
        AggregateException tries => tries.InnerExceptions.Count > 0 && tries.InnerExceptions.All(IsOf),
        _ => false,
    };

    internal static StoreException Of(string what, Exception failure) =>
        failure is RequestFailedException { Status: > 0 } answer
        ? new($"{what}: the service answered {answer.Status} {answer.ErrorCode}.", failure)
        : new($"{what}: the service is not reached: {FirstOf(failure).Message}", failure);

    /// <summary>Whether what a service answered cannot be read: no JSON, or not as it was written.</summary>
    internal static bool IsDamage(Exception failure) =>
        failure is JsonException or FormatException or InvalidOperationException or KeyNotFoundException
            or OverflowException or ArgumentException;

    internal static bool Is(RequestFailedException failure, int status, string code)
        => failure.Status == status && failure.ErrorCode == code;

    private static Exception FirstOf(Exception failure) =>
        failure is AggregateException { InnerExceptions: [var first, ..] } ? first : failure;
}
