using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Roles;

/// <summary>What is simpler to ask over plain GET.</summary>
/// <remarks>
/// <code>
///   /api/v1/head                  {"number":7,"hash":"0x…","timestamp":…,"finalized":7}
///   /api/v1/blocks/7              {"number":7,"hash":"0x…","parent":"0x…","stateRoot":"0x…","transactions":["0x…"]}
///   /api/v1/transactions/0x…      {"status":"included","block":7,"index":0}
///                                 {"status":"pending"}   {"status":"dropped","reason":"…"}   404 {"status":"unknown"}
/// </code>
/// </remarks>
internal sealed class RestEndpoint(IRoleChain chain, Node node)
{
    internal const string Prefix = "/api/v1";

    internal async Task ServeAsync(HttpContext context, PathString rest)
    {
        var parts = (rest.Value ?? string.Empty).Split('/', StringSplitOptions.RemoveEmptyEntries);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            context.Response.StatusCode = !HttpMethods.IsGet(context.Request.Method)
                ? StatusCodes.Status405MethodNotAllowed
                : await WriteAsync(json, parts, context.RequestAborted);
            json.WriteEndObject();
        }

        context.Response.ContentType = "application/json";
        context.Response.ContentLength = stream.Length;
        await context.Response.Body.WriteAsync(stream.GetBuffer().AsMemory(0, (int)stream.Length));
    }

    private async Task<int> WriteAsync(
        Utf8JsonWriter json, string[] parts, CancellationToken cancellation) => parts switch
    {
        ["head"] => WriteHead(json),
        ["blocks", var number] when ulong.TryParse(number, CultureInfo.InvariantCulture, out var n) =>
            WriteBlock(json, chain.Chain.GetBlock(n)),
        ["transactions", var text] when TryHash(text, out var hash) =>
            await WriteTransactionAsync(json, hash, cancellation),
        _ => StatusCodes.Status404NotFound,
    };

    private int WriteHead(Utf8JsonWriter json)
    {
        var head = chain.Chain.Head;
        json.WriteNumber("number"u8, head.Number);
        json.WriteString("hash"u8, head.Hash.ToString());
        json.WriteNumber("timestamp"u8, head.Header.Timestamp);
        json.WriteNumber(
            "finalized"u8, node.Options.IsInstantlyFinal ? head.Number : chain.Chain.FinalizedNumber);
        return StatusCodes.Status200OK;
    }

    private static int WriteBlock(Utf8JsonWriter json, ChainBlock? block)
    {
        if (block is null)
        {
            return StatusCodes.Status404NotFound;
        }

        json.WriteNumber("number"u8, block.Number);
        json.WriteString("hash"u8, block.Hash.ToString());
        json.WriteString("parent"u8, block.Header.ParentHash.ToString());
        json.WriteString("stateRoot"u8, block.Header.StateRoot.ToString());
        json.WriteStartArray("transactions"u8);
        foreach (var transaction in block.Block.Transactions)
        {
            json.WriteStringValue(transaction.Hash.ToString());
        }

        json.WriteEndArray();
        return StatusCodes.Status200OK;
    }

    private async Task<int> WriteTransactionAsync(Utf8JsonWriter json, Hash256 hash, CancellationToken cancellation)
    {
        var isPooled = node.Pool.Find(hash) is not null;
        if (chain.Chain.FindTransaction(hash) is { } place)
        {
            json.WriteString("status"u8, "included"u8);
            json.WriteNumber("block"u8, place.BlockNumber);
            json.WriteNumber("index"u8, place.Index);
        }
        else if (isPooled)
        {
            json.WriteString("status"u8, "pending"u8);
        }
        else if (await chain.FindDroppedAsync(hash, cancellation) is { } reason)
        {
            json.WriteString("status"u8, "dropped"u8);
            json.WriteString("reason"u8, reason);
        }
        else
        {
            json.WriteString("status"u8, "unknown"u8);
            return StatusCodes.Status404NotFound;
        }

        return StatusCodes.Status200OK;
    }

    private static bool TryHash(string text, out Hash256 hash)
    {
        var isHash = Hex.TryDecode(text, out var bytes) && bytes.Length == Hash256.Size;
        hash = isHash ? new Hash256(bytes) : default;
        return isHash;
    }
}
