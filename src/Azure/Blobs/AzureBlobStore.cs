using Azure;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using SuperVm.Core.Storage;

namespace SuperVm.Azure.Blobs;

/// <summary>The blob store over one container of Azure Blob Storage.</summary>
/// <remarks>A body is stored by one request with <c>If-None-Match: *</c>: whole, and by one writer only.</remarks>
public sealed class AzureBlobStore : IBlobStore
{
    private readonly BlobContainerClient _container;
    private readonly CloudCounters _counters;

    public AzureBlobStore(CloudSettings settings, CloudCounters counters)
    {
        _counters = counters;
        _container = ContainerOf(settings);
    }

    /// <summary>The container that the settings name, with their key or identity.</summary>
    internal static BlobContainerClient ContainerOf(CloudSettings settings)
    {
        settings.Require();
        var options = settings.Carried(new BlobClientOptions());
        var service = settings.StorageKey is { } key
            ? new BlobServiceClient(
                settings.BlobEndpoint, new StorageSharedKeyCredential(key.Account, key.Base64Key), options)
            : new BlobServiceClient(settings.BlobEndpoint, settings.Credential(), options);
        return service.GetBlobContainerClient(settings.BlobContainer);
    }

    /// <summary>Makes the container where it is not: for emulators, which no template deploys.</summary>
    public async Task CreateContainerAsync(CancellationToken cancellation = default)
    {
        _counters.BlobOperation();
        await _container.CreateIfNotExistsAsync(cancellationToken: cancellation);
    }

    public async Task<bool> PutAsync(
        string name, ReadOnlyMemory<byte> body, CancellationToken cancellation = default)
    {
        BlobLimits.Require(name, body.Length);
        try
        {
            return await UploadOrMakeAsync(name, body, cancellation);
        }
        catch (Exception failure) when (CloudFailure.IsOf(failure))
        {
            throw CloudFailure.Of($"Storing {name}", failure);
        }
    }

    public async Task<ReadOnlyMemory<byte>?> GetAsync(string name, CancellationToken cancellation = default)
    {
        BlobLimits.Require(name);
        try
        {
            _counters.BlobOperation();
            BlobDownloadResult found = await _container.GetBlobClient(name).DownloadContentAsync(cancellation);
            return found.Content.ToMemory();
        }
        catch (RequestFailedException missing) when (missing.Status == 404)
        {
            return null;
        }
        catch (Exception failure) when (CloudFailure.IsOf(failure))
        {
            throw CloudFailure.Of($"Reading {name}", failure);
        }
    }

    public async Task<bool> DeleteAsync(string name, CancellationToken cancellation = default)
    {
        BlobLimits.Require(name);
        try
        {
            _counters.BlobOperation();
            return await _container.GetBlobClient(name).DeleteIfExistsAsync(cancellationToken: cancellation);
        }
        catch (RequestFailedException missing) when (IsNoContainer(missing))
        {
            return false;
        }
        catch (Exception failure) when (CloudFailure.IsOf(failure))
        {
            throw CloudFailure.Of($"Deleting {name}", failure);
        }
    }

    internal static bool IsNoContainer(RequestFailedException failure)
        => CloudFailure.Is(failure, 404, BlobErrorCode.ContainerNotFound.ToString());

    private async Task<bool> UploadOrMakeAsync(
        string name, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        try
        {
            return await UploadAsync(name, body, cancellation);
        }
        catch (RequestFailedException missing) when (IsNoContainer(missing))
        {
            _counters.BlobOperation();
            await _container.CreateIfNotExistsAsync(cancellationToken: cancellation);
            return await UploadAsync(name, body, cancellation);
        }
    }

    private async Task<bool> UploadAsync(string name, ReadOnlyMemory<byte> body, CancellationToken cancellation)
    {
        var options = new BlobUploadOptions
        {
            Conditions = new() { IfNoneMatch = ETag.All },
            TransferOptions = new() { InitialTransferSize = BlobLimits.MostBytes },
        };
        try
        {
            _counters.BlobOperation();
            await _container.GetBlobClient(name).UploadAsync(new BinaryData(body), options, cancellation);
            return true;
        }
        catch (RequestFailedException taken) when (taken.Status is 409 or 412)
        {
            return false;
        }
    }
}
