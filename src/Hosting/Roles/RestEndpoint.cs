using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Hosting.JsonRpc;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.Roles;

/// <summary>What is simpler to ask over plain GET.</summary>
/// <remarks>
/// <code>
///   /api/v1/head                  {"number":7,"hash":"0x…","timestamp":…,"finalized":7}
///   /api/v1/blocks/7              {"number":7,"hash":"0x…","parent":"0x…","timestamp":…,"proposer":"0x…",
///           a number, a hash,      "batch":"0x…","stateRoot":"0x…","receiptsRoot":"0x…","gasUsed":…,"gasLimit":…,
///           latest, finalized      "finalized":true,"transactions":["0x…"]}
///   /api/v1/transactions/0x…      {"status":"included","block":7,"blockHash":"0x…","index":0,"batch":"0x…",
///                                  "from":"0x…","to":"0x…","succeeded":true,"gasUsed":21000}
///                                 {"status":"pending"}   {"status":"dropped","reason":"…"}   404 {"status":"unknown"}
///   /api/v1/accounts/0x…          {"address":"0x…","block":7,"balance":"1000000000000000000","nonce":0,"code":false}
///   400 {"error":"…"} what cannot be read   404 what is not there   405 another method
/// </code>
/// Sums of wei are decimal strings, as they do not fit a number. A batch is named by its digest, which is also what the
/// roles' log lines name it by.
/// </remarks>
internal sealed class RestEndpoint(IRoleChain chain, Node node)
{
    internal const string Prefix = "/api/v1";

    /// <summary>Characters of a path that are looked at; a hash has 66.</summary>
    private const int MostCharacters = 128;

    internal async Task ServeAsync(HttpContext context, PathString rest)
    {
        var parts = (rest.Value ?? string.Empty).Split('/', StringSplitOptions.RemoveEmptyEntries);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            context.Response.StatusCode = !HttpMethods.IsGet(context.Request.Method)
                ? Refuse(json, StatusCodes.Status405MethodNotAllowed, "GET this")
                : rest.Value?.Length > MostCharacters
                    ? Refuse(json, StatusCodes.Status400BadRequest, "the path is too long")
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
        ["blocks", var name] => WriteBlock(json, name),
        ["transactions", var text] => TryHash(text, out var hash)
            ? await WriteTransactionAsync(json, hash, cancellation)
            : Refuse(json, StatusCodes.Status400BadRequest, "a transaction's hash is 0x and 64 hexadecimal digits"),
        ["accounts", var text] => Address.TryParse(text, out var address)
            ? WriteAccount(json, address)
            : Refuse(json, StatusCodes.Status400BadRequest, "an address is 0x and 40 hexadecimal digits"),
        _ => Refuse(json, StatusCodes.Status404NotFound, "there is head, blocks/, transactions/, accounts/, proofs"),
    };

    private static int Refuse(Utf8JsonWriter json, int code, string error)
    {
        json.WriteString("error"u8, error);
        return code;
    }

    private ulong Finalized => node.Options.IsInstantlyFinal
        ? chain.Chain.Head.Number
        : chain.Chain.FinalizedNumber;

    private int WriteHead(Utf8JsonWriter json)
    {
        var head = chain.Chain.Head;
        json.WriteNumber("number"u8, head.Number);
        json.WriteHash("hash"u8, head.Hash);
        json.WriteNumber("timestamp"u8, head.Header.Timestamp);
        json.WriteNumber("finalized"u8, Finalized);
        return StatusCodes.Status200OK;
    }

    private int WriteBlock(Utf8JsonWriter json, string name)
    {
        ChainBlock? block;
        if (name is "latest" or "finalized")
        {
            block = name == "latest" ? chain.Chain.Head : chain.Chain.GetBlock(Finalized);
        }
        else if (TryHash(name, out var hash))
        {
            block = chain.Chain.GetBlock(hash);
        }
        else if (ulong.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            block = chain.Chain.GetBlock(number);
        }
        else
        {
            return Refuse(
                json, StatusCodes.Status400BadRequest, "a block is a number, a hash, latest or finalized");
        }

        return block is null
            ? Refuse(json, StatusCodes.Status404NotFound, "there is no such block")
            : WriteBlock(json, block);
    }

    private int WriteBlock(Utf8JsonWriter json, ChainBlock block)
    {
        var header = block.Header;
        json.WriteNumber("number"u8, block.Number);
        json.WriteHash("hash"u8, block.Hash);
        json.WriteHash("parent"u8, header.ParentHash);
        json.WriteNumber("timestamp"u8, header.Timestamp);
        json.WriteAddress("proposer"u8, header.Coinbase);
        WriteBatch(json, header.ExtraData.Span);
        json.WriteHash("stateRoot"u8, header.StateRoot);
        json.WriteHash("receiptsRoot"u8, header.ReceiptsRoot);
        json.WriteNumber("gasUsed"u8, header.GasUsed);
        json.WriteNumber("gasLimit"u8, header.GasLimit);
        json.WriteBoolean("finalized"u8, block.Number <= Finalized);
        json.WriteStartArray("transactions"u8);
        foreach (var transaction in block.Block.Transactions)
        {
            json.WriteHexValue(transaction.Hash.Bytes);
        }

        json.WriteEndArray();
        return StatusCodes.Status200OK;
    }

    /// <summary>A block's extra data is the digest of the batch that it came from; genesis has none.</summary>
    private static void WriteBatch(Utf8JsonWriter json, ReadOnlySpan<byte> extraData)
    {
        if (extraData.Length == Hash256.Size)
        {
            json.WriteHex("batch"u8, extraData);
        }
    }

    private async Task<int> WriteTransactionAsync(Utf8JsonWriter json, Hash256 hash, CancellationToken cancellation)
    {
        var isPooled = node.Pool.Find(hash) is not null;
        if (chain.Chain.FindTransaction(hash) is { } place)
        {
            WritePlace(json, place);
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

    private void WritePlace(Utf8JsonWriter json, in TransactionLocation place)
    {
        json.WriteString("status"u8, "included"u8);
        json.WriteNumber("block"u8, place.BlockNumber);
        json.WriteHash("blockHash"u8, place.BlockHash);
        json.WriteNumber("index"u8, place.Index);
        if (chain.Chain.GetBlock(place.BlockNumber) is not { } block
            || chain.Chain.GetReceipts(place.BlockNumber) is not { } receipts)
        {
            return;
        }

        var (transaction, receipt) = (block.Block.Transactions[place.Index], receipts[place.Index]);
        WriteBatch(json, block.Header.ExtraData.Span);
        json.WriteOptionalAddress("from"u8, transaction.Sender);
        json.WriteOptionalAddress("to"u8, transaction.To);
        json.WriteBoolean("succeeded"u8, receipt.Succeeded);
        json.WriteNumber("gasUsed"u8, receipt.GasUsed);
    }

    private int WriteAccount(Utf8JsonWriter json, in Address address)
    {
        var head = chain.Chain.Head.Number;
        if (chain.Chain.StateAt(head).State is not { } state)
        {
            return Refuse(json, StatusCodes.Status503ServiceUnavailable, "the newest state cannot be read");
        }

        var isThere = state.ReadAccount(address, out var account) == ReadStatus.Found;
        json.WriteAddress("address"u8, address);
        json.WriteNumber("block"u8, head);
        json.WriteString("balance"u8, isThere ? account.Balance.ToString() : "0");
        json.WriteNumber("nonce"u8, isThere ? account.Nonce : 0);
        json.WriteBoolean("code"u8, isThere && account.HasCode);
        return StatusCodes.Status200OK;
    }

    private static bool TryHash(string text, out Hash256 hash)
    {
        var isHash = text.StartsWith("0x", StringComparison.Ordinal)
            && Hex.TryDecode(text, out var bytes) && bytes.Length == Hash256.Size;
        hash = isHash ? new Hash256(Hex.Decode(text)) : default;
        return isHash;
    }
}
