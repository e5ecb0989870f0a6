using System.Text;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Storage;

namespace SuperVm.Azure.Blobs;

/// <summary>Leases on empty blobs of one container.</summary>
public sealed class AzureLeaseStore : ILeaseStore
{
    private readonly BlobContainerClient _container;
    private readonly CloudCounters _counters;

    public AzureLeaseStore(CloudSettings settings, CloudCounters counters)
    {
        _counters = counters;
        _container = AzureBlobStore.ContainerOf(settings);
    }

    public async Task<ILease?> TryAcquireAsync(
        string name, TimeSpan duration, string? holder = null, CancellationToken cancellation = default)
    {
        LeaseLimits.Require(name, duration);
        try
        {
            return await AcquireOrMakeAsync(name, duration, holder, cancellation);
        }
        catch (Exception failure) when (CloudFailure.IsOf(failure))
        {
            throw CloudFailure.Of($"Leasing {name}", failure);
        }
    }

    private async Task<ILease?> AcquireOrMakeAsync(
        string name, TimeSpan duration, string? holder, CancellationToken cancellation)
    {
        try
        {
            return await AcquireAsync(name, duration, holder, cancellation);
        }
        catch (RequestFailedException missing) when (missing.Status == 404)
        {
            await MakeAsync(name, cancellation);
            return await AcquireAsync(name, duration, holder, cancellation);
        }
    }

    public async Task BreakAsync(string name, CancellationToken cancellation = default)
    {
        BlobLimits.Require(name);
        try
        {
            _counters.BlobOperation();
            await _container.GetBlobClient(name).GetBlobLeaseClient()
                .BreakAsync(TimeSpan.Zero, cancellationToken: cancellation);
        }
        catch (RequestFailedException none) when (none.Status is 404 or 409)
        {
            // Nobody holds it.
        }
        catch (Exception failure) when (CloudFailure.IsOf(failure))
        {
            throw CloudFailure.Of($"Breaking the lease of {name}", failure);
        }
    }

    /// <summary>The service takes the same id again from whoever knows it: so the holder's name is the id.</summary>
    private static string IdOf(string? holder) => holder is null
        ? Guid.NewGuid().ToString()
        : new Guid(Keccak256.Hash(Encoding.UTF8.GetBytes(holder)).Bytes[..16]).ToString();

    private async Task<ILease?> AcquireAsync(
        string name, TimeSpan duration, string? holder, CancellationToken cancellation)
    {
        var client = _container.GetBlobClient(name).GetBlobLeaseClient(IdOf(holder));
        try
        {
            _counters.BlobOperation();
            await client.AcquireAsync(duration, cancellationToken: cancellation);
            return new Lease(client, name, _counters);
        }
        catch (RequestFailedException held) when (held.Status == 409)
        {
            return null;
        }
    }

    /// <summary>Makes the blob that is leased; whoever is first.</summary>
    private async Task MakeAsync(string name, CancellationToken cancellation)
    {
        try
        {
            _counters.BlobOperation();
            await _container.CreateIfNotExistsAsync(cancellationToken: cancellation);
            _counters.BlobOperation();
            await _container.GetBlobClient(name).UploadAsync(
                BinaryData.Empty, new BlobUploadOptions { Conditions = new() { IfNoneMatch = ETag.All } },
                cancellation);
        }
        catch (RequestFailedException taken) when (taken.Status is 409 or 412)
        {
            // It is there.
        }
    }

    private sealed class Lease(BlobLeaseClient client, string name, CloudCounters counters) : ILease
    {
        public async Task<bool> RenewAsync(CancellationToken cancellation = default)
        {
            try
            {
                counters.BlobOperation();
                await client.RenewAsync(cancellationToken: cancellation);
                return true;
            }
            catch (RequestFailedException lost) when (lost.Status is 404 or 409 or 412)
            {
                return false;
            }
            catch (Exception failure) when (CloudFailure.IsOf(failure))
            {
                throw CloudFailure.Of($"Renewing {name}", failure);
            }
        }

        public async Task ReleaseAsync(CancellationToken cancellation = default)
        {
            try
            {
                counters.BlobOperation();
                await client.ReleaseAsync(cancellationToken: cancellation);
            }
            catch (RequestFailedException lost) when (lost.Status is 404 or 409 or 412)
            {
                // Another has it by now.
            }
            catch (Exception failure) when (CloudFailure.IsOf(failure))
            {
                throw CloudFailure.Of($"Releasing {name}", failure);
            }
        }
    }
}
