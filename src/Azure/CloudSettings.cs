using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Identity;

namespace SuperVm.Azure;

/// <summary>Where the storage account and the document database are, and how the program shows who it is.</summary>
/// <remarks>
/// In the cloud there are end points only, and the managed identity of the app opens them. A key is accepted for an
/// emulator on this machine alone, so that no secret of a cloud account can end up in a setting.
/// </remarks>
public sealed record CloudSettings
{
    public required Uri QueueEndpoint { get; init; }

    public required Uri BlobEndpoint { get; init; }

    public required Uri TableEndpoint { get; init; }

    public required Uri DocumentEndpoint { get; init; }

    /// <summary>The database of the documents; each validator has its own.</summary>
    public required string Database { get; init; }

    /// <summary>The blob container.</summary>
    public required string BlobContainer { get; init; }

    /// <summary>Account and base64 key of a storage emulator; null in the cloud.</summary>
    public EmulatorKey? StorageKey { get; init; }

    /// <summary>The base64 key of a document emulator; null in the cloud.</summary>
    public string? DocumentKey { get; init; }

    /// <summary>The client id of a user-assigned identity; null takes what the environment offers.</summary>
    public string? IdentityClientId { get; init; }

    /// <summary>Carries the storage services' requests instead of a socket; null outside of tests.</summary>
    internal HttpMessageHandler? Transport { get; init; }

    /// <summary>A client's options, with the transport where there is one.</summary>
    internal T Carried<T>(T options)
        where T : ClientOptions
    {
        if (Transport is { } handler)
        {
            options.Transport = new HttpClientTransport(handler);
        }

        return options;
    }

    /// <exception cref="ArgumentException">A key stands beside an end point that is not of this machine.</exception>
    public void Require()
    {
        Uri[] storage = [QueueEndpoint, BlobEndpoint, TableEndpoint];
        if ((StorageKey is not null && !storage.All(point => point.IsLoopback))
            || (DocumentKey is not null && !DocumentEndpoint.IsLoopback))
        {
            throw new ArgumentException("Keys are for emulators on this machine; the cloud is opened by an identity.");
        }
    }

    /// <summary>The identity for end points without a key.</summary>
    public TokenCredential Credential() => IdentityClientId is null
        ? new DefaultAzureCredential()
        : new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(IdentityClientId));
}

/// <summary>The account of a storage emulator.</summary>
public sealed record EmulatorKey(string Account, string Base64Key);
