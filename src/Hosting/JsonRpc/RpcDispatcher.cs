using System.Collections.Concurrent;
using System.Diagnostics;
using SuperVm.Hosting.JsonRpc.Subscriptions;
using SuperVm.Hosting.Nodes;
using SuperVm.Hosting.Security;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>Takes a body and answers a body: single requests, batches, notifications (JSON-RPC 2.0).</summary>
/// <remarks>
/// <code>
///   bytes ──RpcRequestReader──▶ places of id, method, params ──RpcMethodTable──▶ handler ──Utf8JsonWriter──▶ bytes
/// </code>
/// Nothing is thrown for what a client may send. A handler that throws is a defect: it is reported to the log and
/// answered with -32603. Requests of a batch are answered in their order; neighbouring raw transactions of a batch
/// are taken together, and so are single ones that come at the same time (<see cref="IRawTransactionSink"/>). Safe for
/// concurrent use.
/// </remarks>
internal sealed class RpcDispatcher(
    RpcMethodTable methods, RpcLimits limits, IRawTransactionSink rawTransactions, Action<string> log,
    RpcGate? gate = null)
{
    private const int PooledScratch = 64;
    private const string RawTransactionMethod = "eth_sendRawTransaction";

    private readonly ConcurrentBag<Scratch> _pool = [];
    private readonly RpcMethod? _raw = methods.Find("\"eth_sendRawTransaction\""u8);

    internal RpcLimits Limits => limits;

    internal RpcMethodTable Methods => methods;

    /// <summary>Which bodies are answered at once, for who chooses the thread.</summary>
    internal QuickRequests Quick { get; } = new(methods);

    /// <summary>How long bodies took to be answered, the network apart.</summary>
    internal LatencyHistogram Took { get; } = new();

    /// <summary>The filters that are installed; null where the methods have none.</summary>
    internal IFilterTable? Filters { get; init; }

    /// <summary>Who is let in; null where everybody within the process is.</summary>
    internal RpcGate? Gate => gate;

    /// <summary>Answers a body from within the process.</summary>
    internal RpcAnswer Answer(ReadOnlySpan<byte> body) => Answer(body, RpcCaller.Local);

    /// <summary>Answers the body; nothing is written where no answer is due. Dispose the answer after use.</summary>
    internal RpcAnswer Answer(ReadOnlySpan<byte> body, in RpcCaller caller)
    {
        var scratch = Rent();
        var isBody = RpcRequestReader.TryRead(body, scratch.Requests, out var isBatch);
        if (!IsRefused(body, scratch, isBody && !isBatch, caller))
        {
            Answer(body, scratch, isBody, isBatch, caller);
        }

        return Done(scratch);
    }

    /// <summary>As below, for a body from within the process.</summary>
    internal ValueTask<RpcAnswer> AnswerAsync(ReadOnlySpan<byte> body) => AnswerAsync(body, RpcCaller.Local);

    /// <summary>
    /// As <see cref="Answer(ReadOnlySpan{byte}, in RpcCaller)"/>; a single raw transaction is checked with others that
    /// come at the same time. The body is read before the call returns.
    /// </summary>
    /// <param name="body">UTF-8.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="subscriber">Takes the connection's subscriptions, where it can be told of events.</param>
    internal ValueTask<RpcAnswer> AnswerAsync(
        ReadOnlySpan<byte> body, in RpcCaller caller, Subscriber? subscriber = null)
    {
        var scratch = Rent();
        scratch.Reply.Subscriber = subscriber;
        var isBody = RpcRequestReader.TryRead(body, scratch.Requests, out var isBatch);
        if (IsRefused(body, scratch, isBody && !isBatch, caller))
        {
            return new ValueTask<RpcAnswer>(Done(scratch));
        }

        if (isBody && !isBatch && RunOfRawTransactions(body, scratch.Requests, 0) == 1)
        {
            var request = scratch.Requests[0];
            var refusal = rawTransactions.Begin(body[request.Params], limits, out var submission);
            return refusal is null
                ? FinishAsync(submission, body[request.Id].ToArray(), scratch)
                : new ValueTask<RpcAnswer>(Finish(null, refusal, body[request.Id], scratch));
        }

        Answer(body, scratch, isBody, isBatch, caller);
        return new ValueTask<RpcAnswer>(Done(scratch));
    }

    private async ValueTask<RpcAnswer> FinishAsync(ValueTask<Submission> submission, byte[] id, Scratch scratch)
    {
        try
        {
            var answer = await submission;
            return Finish(answer, RpcError.Of(answer), id, scratch);
        }
        catch (Exception defect) when (defect is not OutOfMemoryException)
        {
            log($"{RawTransactionMethod} failed: {defect}");
            return Finish(null, RpcError.Internal, id, scratch);
        }
    }

    private RpcAnswer Finish(Submission? answer, RpcError? error, ReadOnlySpan<byte> id, Scratch scratch)
    {
        _raw?.Count(error is null ? 0 : 1);
        IRawTransactionSink.Write(scratch.Reply, id, answer.GetValueOrDefault(), error);
        return Done(scratch);
    }

    private Scratch Rent()
    {
        if (!_pool.TryTake(out var scratch))
        {
            scratch = new Scratch(limits);
        }

        scratch.Started = Stopwatch.GetTimestamp();
        return scratch;
    }

    private RpcAnswer Done(Scratch scratch)
    {
        Took.ObserveSince(scratch.Started);
        return new RpcAnswer(this, scratch);
    }

    internal void Return(Scratch scratch)
    {
        scratch.Reply.Clear();
        if (_pool.Count < PooledScratch)
        {
            _pool.Add(scratch);
        }
        else
        {
            scratch.Reply.Dispose();
        }
    }

    /// <summary>Gives up the buffers that no answer uses.</summary>
    internal void Forget()
    {
        while (_pool.TryTake(out var scratch))
        {
            scratch.Reply.Dispose();
        }
    }

    private void Answer(ReadOnlySpan<byte> body, Scratch scratch, bool isBody, bool isBatch, in RpcCaller caller)
    {
        var reply = scratch.Reply;
        if (!isBody)
        {
            reply.WriteError("null"u8, RpcError.ParseError);
        }
        else if (!isBatch)
        {
            AnswerOne(body, scratch.Requests[0], reply, caller);
        }
        else if (scratch.Requests.Count == 0)
        {
            reply.WriteError("null"u8, RpcError.EmptyBatch);
        }
        else if (scratch.Requests.Count > limits.MaximumBatch)
        {
            var message = $"batch too large: at most {limits.MaximumBatch} requests";
            reply.WriteError("null"u8, new RpcError(RpcError.InvalidRequestCode, message));
        }
        else
        {
            AnswerBatch(body, scratch, caller);
        }
    }

    /// <summary>A body that the gate does not let in is answered once, as a whole.</summary>
    private bool IsRefused(ReadOnlySpan<byte> body, Scratch scratch, bool isSingle, in RpcCaller caller)
    {
        scratch.Refusal = default;
        var count = Math.Max(1, scratch.Requests.Count);
        var retryAfter = TimeSpan.Zero;
        if (gate?.Admit(caller, count, out retryAfter) is not { } error)
        {
            return false;
        }

        scratch.Refusal = new RpcRefusal(error.Code, retryAfter);
        var id = isSingle && scratch.Requests[0].HasId ? body[scratch.Requests[0].Id] : "null"u8;
        scratch.Reply.WriteError(id, error);
        return true;
    }

    private void AnswerBatch(ReadOnlySpan<byte> body, Scratch scratch, in RpcCaller caller)
    {
        var (requests, reply) = (scratch.Requests, scratch.Reply);
        reply.Raw("["u8);
        for (var i = 0; i < requests.Count;)
        {
            var run = RunOfRawTransactions(body, requests, i);
            if (run > 1)
            {
                var errors = rawTransactions.Send(body, requests, i, run, reply);
                _raw?.Count(errors, run);
                i += run;
                continue;
            }

            var before = reply.Length;
            Separate(reply);
            var start = reply.Length;
            AnswerOne(body, requests[i], reply, caller);
            if (reply.Length == start)
            {
                reply.CutTo(before);
            }

            i++;
        }

        if (reply.Length == 1)
        {
            reply.CutTo(0);
        }
        else
        {
            reply.Raw("]"u8);
        }
    }

    /// <summary>A comma where something was answered before.</summary>
    internal static void Separate(RpcReply reply)
    {
        if (reply.Length > 1)
        {
            reply.Raw(","u8);
        }
    }

    private void AnswerOne(ReadOnlySpan<byte> body, in RpcRequest request, RpcReply reply, in RpcCaller caller)
    {
        var id = request.HasId ? body[request.Id] : "null"u8;
        if (!request.IsValid)
        {
            reply.WriteError(id, RpcError.InvalidRequest);
            return;
        }

        var start = reply.Length;
        var error = Call(body, request, id, reply, caller);
        if (!request.HasId)
        {
            reply.CutTo(start);
        }
        else if (error is not null)
        {
            reply.CutTo(start);
            reply.WriteError(id, error);
        }
    }

    private RpcError? Call(
        ReadOnlySpan<byte> body, in RpcRequest request, ReadOnlySpan<byte> id, RpcReply reply, in RpcCaller caller)
    {
        if (methods.Find(body[request.Method]) is not { } method || gate?.Forbids(method, caller) == true)
        {
            return new RpcError(
                RpcError.MethodNotFoundCode,
                $"the method {Shown(body[request.Method])} does not exist/is not available");
        }

        if (request.HasNamedParams)
        {
            return RpcError.InvalidParams("non-array args");
        }

        if (reply.Length > limits.MaximumResponseBytes)
        {
            return RpcError.ResponseTooLarge;
        }

        RpcError? error;
        try
        {
            reply.BeginResult(id);
            var parameters = new RpcParams(body[request.Params], limits);
            error = method.Handler(ref parameters, reply);
            reply.EndResult();
        }
        catch (Exception defect) when (defect is not OutOfMemoryException)
        {
            log($"{method.Name} failed: {defect}");
            error = RpcError.Internal;
        }

        if (error is null && reply.Length > limits.MaximumResponseBytes)
        {
            error = RpcError.ResponseTooLarge;
        }

        method.Count(error is null ? 0 : 1);
        gate?.Note(method, caller, body[request.Params], error);
        return error;
    }

    /// <summary>How many neighbouring requests from here on send one raw transaction each and want an answer.</summary>
    private static int RunOfRawTransactions(ReadOnlySpan<byte> body, List<RpcRequest> requests, int start)
    {
        var end = start;
        while (end < requests.Count && requests[end] is { IsValid: true, HasId: true, HasNamedParams: false } request
            && body[request.Method].SequenceEqual("\"eth_sendRawTransaction\""u8))
        {
            end++;
        }

        return end - start;
    }

    /// <summary>A method's name for the error message: printable ASCII, cut short.</summary>
    private static string Shown(ReadOnlySpan<byte> quotedName)
    {
        const int MaximumShown = 80;
        var name = quotedName[1..^1];
        return string.Create(Math.Min(name.Length, MaximumShown), name, (text, bytes) =>
        {
            for (var i = 0; i < text.Length; i++)
            {
                text[i] = bytes[i] is > 32 and < 127 and not (byte)'"' and not (byte)'\\' ? (char)bytes[i] : '?';
            }
        });
    }

    /// <summary>What one answer needs, reused.</summary>
    internal sealed class Scratch(RpcLimits limits)
    {
        /// <summary>When its body came.</summary>
        internal long Started { get; set; }

        internal RpcReply Reply { get; } = new(limits);

        internal List<RpcRequest> Requests { get; } = [];

        internal RpcRefusal Refusal { get; set; }
    }
}

/// <summary>An answer's bytes; disposing it gives its buffers back.</summary>
internal readonly struct RpcAnswer(RpcDispatcher dispatcher, RpcDispatcher.Scratch scratch) : IDisposable
{
    internal ReadOnlyMemory<byte> Bytes => scratch.Reply.Written;

    /// <summary>Why the whole body was refused, where it was.</summary>
    internal RpcRefusal Refusal => scratch.Refusal;

    public void Dispose() => dispatcher.Return(scratch);
}

/// <summary>A body that the gate did not let in; the code is 0 where it did.</summary>
internal readonly record struct RpcRefusal(int Code, TimeSpan RetryAfter);

/// <summary>Takes raw transactions together, so that their signatures are checked on all cores at once.</summary>
internal interface IRawTransactionSink
{
    /// <summary>Answers the requests from <paramref name="start"/> on, each with its id, separated by commas.</summary>
    /// <returns>How many were answered with an error.</returns>
    int Send(ReadOnlySpan<byte> body, List<RpcRequest> requests, int start, int count, RpcReply reply);

    /// <summary>Begins to submit one transaction; the answer comes later. The error where it is malformed.</summary>
    RpcError? Begin(ReadOnlySpan<byte> parameters, RpcLimits limits, out ValueTask<Submission> submission);

    /// <summary>Writes a whole response object.</summary>
    static void Write(RpcReply reply, ReadOnlySpan<byte> id, in Submission answer, RpcError? error)
    {
        if (error is not null)
        {
            reply.WriteError(id, error);
            return;
        }

        reply.BeginResult(id);
        reply.Json.WriteHexValue(answer.Hash.Bytes);
        reply.EndResult();
    }
}
