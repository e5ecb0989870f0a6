using System.Text.Encodings.Web;
using System.Text.Json;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc.Subscriptions;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>Where a handler writes its result: one JSON value through <see cref="Json"/>.</summary>
/// <remarks>
/// The envelope around the value is the dispatcher's. What a handler wrote is taken back where it answers an error
/// after all. One instance a request body, reused; not thread-safe.
/// </remarks>
internal sealed class RpcReply : IDisposable
{
    private static readonly JsonWriterOptions Options = new()
    {
        SkipValidation = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly RpcBuffer _buffer = new();
    private readonly Utf8JsonWriter _json;

    internal RpcReply(RpcLimits limits)
    {
        Limits = limits;
        _json = new Utf8JsonWriter(_buffer, Options);
    }

    internal RpcLimits Limits { get; }

    /// <summary>Whom the connection's subscriptions belong to; null where it cannot be told anything.</summary>
    internal Subscriber? Subscriber { get; set; }

    internal Utf8JsonWriter Json => _json;

    internal int Length => _buffer.Length;

    /// <summary>All that was written; valid until <see cref="Clear"/>.</summary>
    internal ReadOnlyMemory<byte> Written => _buffer.Written;

    internal void Clear()
    {
        _buffer.Clear();
        Subscriber = null;
    }

    internal void CutTo(int length) => _buffer.CutTo(length);

    internal void Raw(ReadOnlySpan<byte> json) => _buffer.Write(json);

    /// <summary>Begins a response object up to the result's value.</summary>
    internal void BeginResult(ReadOnlySpan<byte> id)
    {
        Raw("{\"jsonrpc\":\"2.0\",\"id\":"u8);
        Raw(id);
        Raw(",\"result\":"u8);
        _json.Reset(_buffer);
    }

    /// <summary>Begins a message of a subscription up to the result's value.</summary>
    internal void BeginNotification(UInt128 subscription)
    {
        Raw("{\"jsonrpc\":\"2.0\",\"method\":\"eth_subscription\",\"params\":{\"subscription\":"u8);
        _json.Reset(_buffer);
        _json.WriteQuantityValue(new UInt256((ulong)subscription, (ulong)(subscription >> 64)));
        _json.Flush();
        Raw(",\"result\":"u8);
        _json.Reset(_buffer);
    }

    internal void EndNotification()
    {
        _json.Flush();
        Raw("}}"u8);
    }

    internal void EndResult()
    {
        _json.Flush();
        Raw("}"u8);
    }

    /// <summary>A whole response object with an error.</summary>
    internal void WriteError(ReadOnlySpan<byte> id, RpcError error)
    {
        Raw("{\"jsonrpc\":\"2.0\",\"id\":"u8);
        Raw(id);
        Raw(",\"error\":"u8);
        _json.Reset(_buffer);
        _json.WriteStartObject();
        _json.WriteNumber("code"u8, error.Code);
        _json.WriteString("message"u8, error.Message);
        if (error.Data is { } data)
        {
            _json.WriteHex("data"u8, data.Span);
        }

        _json.WriteEndObject();
        _json.Flush();
        Raw("}"u8);
    }

    public void Dispose()
    {
        _json.Dispose();
        _buffer.Dispose();
    }
}
