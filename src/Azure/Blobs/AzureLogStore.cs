using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using SuperVm.Core.Storage;

namespace SuperVm.Azure.Blobs;

/// <summary>The log store over append blobs of one container: one request an append, up to 4 MiB.</summary>
public sealed class AzureLogStore : ILogStore
{
    private readonly BlobContainerClient _container;
    private readonly CloudCounters _counters;

    public AzureLogStore(CloudSettings settings, CloudCounters counters)
    {
        _counters = counters;
        _container = AzureBlobStore.ContainerOf(settings);
    }

    public async Task<bool> CreateAsync(string name, CancellationToken cancellation = default)
    {
        BlobLimits.Require(name);
        try
        {
            return await MakeWithContainerAsync(name, cancellation);
        }
        catch (Exception failure) when (CloudFailure.IsOf(failure))
        {
            throw CloudFailure.Of($"Making {name}", failure);
        }
    }

    public async Task<LogAppend> AppendAsync(
        string name, ReadOnlyMemory<byte> bytes, CancellationToken cancellation = default)
    {
        LogLimits.Require(name, bytes.Length);
        try
        {
            _counters.BlobOperation();
            using var stream = new BinaryData(bytes).ToStream();
            await _container.GetAppendBlobClient(name).AppendBlockAsync(stream, cancellationToken: cancellation);
            return LogAppend.Done;
        }
        catch (RequestFailedException missing) when (missing.Status == 404)
        {
            return LogAppend.Missing;
        }
        catch (RequestFailedException full)
            when (CloudFailure.Is(full, 409, BlobErrorCode.BlockCountExceedsLimit.ToString()))
        {
            return LogAppend.Full;
        }
        catch (Exception failure) when (CloudFailure.IsOf(failure))
        {
            throw CloudFailure.Of($"Appending to {name}", failure);
        }
    }

    public async Task<ReadOnlyMemory<byte>?> ReadAsync(
        string name, long from, CancellationToken cancellation = default)
    {
        BlobLimits.Require(name);
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        try
        {
            _counters.BlobOperation();
            var options = new BlobDownloadOptions { Range = new HttpRange(from) };
            BlobDownloadResult found = await _container.GetBlobClient(name)
                .DownloadContentAsync(options, cancellation);
            return found.Content.ToMemory();
        }
        catch (RequestFailedException missing) when (missing.Status == 404)
        {
            return null;
        }
        catch (RequestFailedException end) when (end.Status == 416)
        {
            return ReadOnlyMemory<byte>.Empty; // nothing is there from that place on
        }
        catch (Exception failure) when (CloudFailure.IsOf(failure))
        {
            throw CloudFailure.Of($"Reading {name}", failure);
        }
    }

    private async Task<bool> MakeWithContainerAsync(string name, CancellationToken cancellation)
    {
        try
        {
            return await MakeAsync(name, cancellation);
        }
        catch (RequestFailedException missing)
            when (CloudFailure.Is(missing, 404, BlobErrorCode.ContainerNotFound.ToString()))
        {
            _counters.BlobOperation();
            await _container.CreateIfNotExistsAsync(cancellationToken: cancellation);
            return await MakeAsync(name, cancellation);
        }
    }

    private async Task<bool> MakeAsync(string name, CancellationToken cancellation)
    {
        var options = new AppendBlobCreateOptions { Conditions = new() { IfNoneMatch = ETag.All } };
        try
        {
            _counters.BlobOperation();
            await _container.GetAppendBlobClient(name).CreateAsync(options, cancellation);
            return true;
        }
        catch (RequestFailedException taken) when (taken.Status is 409 or 412)
        {
            return false;
        }
    }
}
