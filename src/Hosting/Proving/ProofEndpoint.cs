using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using SuperVm.Hosting.Roles;

namespace SuperVm.Hosting.Proving;

/// <summary>Proofs over REST.</summary>
/// <remarks>
/// <code>
///   POST   /api/v1/proofs         {"circuit":"…","witness":"base64 of .wtns","job":"…"}   202 with the job's record
///                                 400 what is wrong   409 the name is another job's   413 too large
///                                 503 {"status":"not-available"}: no prover is deployed here
///   GET    /api/v1/proofs/JOB     200 the record   404
///   DELETE /api/v1/proofs/JOB     200 the record: cancelled, unless it was final before   404
/// </code>
/// </remarks>
public sealed class ProofEndpoint(RolePorts ports, ProofLimits limits)
{
    public const string Prefix = "/api/v1/proofs";

    private readonly ProofJobs _jobs = new(ports);

    /// <summary>Answers a request below <see cref="Prefix"/>; <paramref name="rest"/> is what follows it.</summary>
    public async Task ServeAsync(HttpContext context, PathString rest)
    {
        var name = (rest.Value ?? "").Trim('/');
        var method = context.Request.Method;
        var stop = context.RequestAborted;
        if (name.Length == 0)
        {
            await (HttpMethods.IsPost(method) ? SubmitAsync(context) : RefuseAsync(context, 405, "POST a job here"));
            return;
        }

        if (!ProofJob.IsName(name))
        {
            await RefuseAsync(context, 404, "there is no such job");
            return;
        }

        var record = HttpMethods.IsGet(method) ? await _jobs.FindAsync(name, stop)
            : HttpMethods.IsDelete(method) ? await _jobs.CancelAsync(name, stop) : null;
        if (!HttpMethods.IsGet(method) && !HttpMethods.IsDelete(method))
        {
            await RefuseAsync(context, 405, "GET or DELETE a job");
        }
        else if (record is null)
        {
            await RefuseAsync(context, 404, "there is no such job");
        }
        else
        {
            await AnswerAsync(context, 200, record);
        }
    }

    private async Task SubmitAsync(HttpContext context)
    {
        if (!ports.HasProver)
        {
            await RefuseAsync(
                context, 503, "no prover is deployed beside this validator",
                ProofRecord.NameOf(ProofStatus.NotAvailable));
            return;
        }

        if (context.Request.ContentLength > limits.MostBytes)
        {
            await RefuseAsync(context, 413, $"a request has at most {limits.MostBytes} bytes");
            return;
        }

        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = limits.MostBytes;
        }

        using var body = new MemoryStream();
        try
        {
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        }
        catch (BadHttpRequestException refusal)
        {
            await RefuseAsync(context, refusal.StatusCode, refusal.Message);
            return;
        }

        if (body.Length > limits.MostBytes)
        {
            await RefuseAsync(context, 413, $"a request has at most {limits.MostBytes} bytes");
            return;
        }

        var job = ProofJob.TryRead(body.GetBuffer().AsMemory(0, (int)body.Length), out var wrong);
        if (job is null)
        {
            await RefuseAsync(context, 400, wrong!);
            return;
        }

        var (status, record) = await _jobs.SubmitAsync(job, context.RequestAborted);
        if (status == SubmitStatus.NameTaken)
        {
            await RefuseAsync(context, 409, $"the name '{job.Job}' belongs to another job");
            return;
        }

        context.Response.Headers.Location = $"{Prefix}/{record.Job}";
        await AnswerAsync(context, 202, record);
    }

    private static async Task AnswerAsync(HttpContext context, int code, ProofRecord record)
    {
        if (!record.IsFinal)
        {
            context.Response.Headers.RetryAfter = 1.ToString(CultureInfo.InvariantCulture);
        }

        await WriteAsync(context, code, record.Write());
    }

    private static Task RefuseAsync(HttpContext context, int code, string error, string? status = null)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("error"u8, error);
            if (status is not null)
            {
                json.WriteString("status"u8, status);
            }

            json.WriteEndObject();
        }

        return WriteAsync(context, code, stream.ToArray());
    }

    private static async Task WriteAsync(HttpContext context, int code, byte[] body)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body);
    }
}
