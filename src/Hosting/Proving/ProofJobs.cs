using SuperVm.Core.Storage;
using SuperVm.Hosting.Roles;

namespace SuperVm.Hosting.Proving;

/// <summary>How a submission ended.</summary>
public enum SubmitStatus
{
    /// <summary>It is queued, or was before.</summary>
    Accepted = 0,

    /// <summary>The name belongs to another circuit or witness.</summary>
    NameTaken = 1,
}

/// <summary>The asking side of proofs: submit, look, cancel.</summary>
/// <remarks>
/// The record is written before the message is sent, and the message is sent again for a record that is still queued: a
/// crash between the two is mended by asking again, and a job that is queued twice is proven once.
/// </remarks>
public sealed class ProofJobs(RolePorts ports)
{
    private const int MostTries = 16;

    private readonly ClaimCheck _queue = new(ports.Bus, ports.Blobs, ports.Clock);

    /// <summary>Where a job's record lies.</summary>
    public static DocumentKey KeyOf(RoleNames names, string job) => new(names.ProofRecords, job, job);

    public async Task<(SubmitStatus Status, ProofRecord Record)> SubmitAsync(
        ProofJob job, CancellationToken cancellation = default)
    {
        var key = KeyOf(ports.Names, job.Job);
        var record = new ProofRecord { Job = job.Job, Circuit = job.Circuit, Digest = job.Digest };
        var created = await ports.Documents.CreateAsync(key, record.Write(), cancellation);
        if (created.Status == DocumentStatus.Exists)
        {
            if (await FindAsync(job.Job, cancellation) is { } there)
            {
                record = there;
            }

            if (record.Digest != job.Digest)
            {
                return (SubmitStatus.NameTaken, record);
            }
        }

        if (record.Status == ProofStatus.Queued)
        {
            await _queue.SendAsync(ports.Names.Proofs, job.Write(), default, cancellation);
        }

        return (SubmitStatus.Accepted, record);
    }

    /// <summary>A job's record; null where there is none.</summary>
    public async Task<ProofRecord?> FindAsync(string job, CancellationToken cancellation = default) =>
        await ports.Documents.GetAsync(KeyOf(ports.Names, job), cancellation) is { } document
            ? ProofRecord.Read(document.Body)
            : null;

    /// <summary>Cancels a job that is not final yet; answers its record, null where there is none.</summary>
    public async Task<ProofRecord?> CancelAsync(string job, CancellationToken cancellation = default)
    {
        for (var i = 0; i < MostTries; i++)
        {
            var (changed, record) = await ChangeAsync(
                job, there => there with { Status = ProofStatus.Cancelled }, cancellation);
            if (changed || record is null || record.IsFinal)
            {
                return record;
            }
        }

        throw new StoreException($"The record of job {job} changed {MostTries} times while it was to be cancelled.");
    }

    /// <summary>
    /// Changes a record that is not final with one compare-and-swap. False where another was faster, where it is final
    /// or where there is none; with the record as it then stands.
    /// </summary>
    internal async Task<(bool Changed, ProofRecord? Record)> ChangeAsync(
        string job, Func<ProofRecord, ProofRecord> change, CancellationToken cancellation)
    {
        var key = KeyOf(ports.Names, job);
        var document = await ports.Documents.GetAsync(key, cancellation);
        if (document is null)
        {
            return (false, null);
        }

        var record = ProofRecord.Read(document.Body);
        if (record.IsFinal)
        {
            return (false, record);
        }

        var next = change(record);
        var written = await ports.Documents.ReplaceAsync(key, next.Write(), document.ETag, cancellation);
        return written.IsDone ? (true, next) : (false, record);
    }
}
