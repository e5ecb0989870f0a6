using System.Text.Json;
using System.Text.Unicode;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>Where one request's parts lie in the body.</summary>
internal struct RpcRequest
{
    /// <summary>Whether it is a request at all; if not, it is answered with "invalid request".</summary>
    internal bool IsValid;

    /// <summary>Without an id it is a notification, and is not answered.</summary>
    internal bool HasId;

    internal Range Id;
    internal Range Method;

    /// <summary>Empty where there are no arguments.</summary>
    internal Range Params;

    /// <summary>Arguments by name, which no method here takes.</summary>
    internal bool HasNamedParams;
}

/// <summary>Finds the requests in a body without building anything: a body is one object or an array of them.</summary>
internal static class RpcRequestReader
{
    /// <summary>How deep a body may be nested.</summary>
    private const int MaximumDepth = RpcParams.MaximumDepth + 3;

    private const int MaximumIdBytes = 1_024;

    /// <summary>Reads the whole body; false where it is not JSON.</summary>
    /// <param name="body">UTF-8.</param>
    /// <param name="requests">Receives the requests in their order.</param>
    /// <param name="isBatch">Whether the body is an array.</param>
    internal static bool TryRead(ReadOnlySpan<byte> body, List<RpcRequest> requests, out bool isBatch)
    {
        isBatch = false;
        requests.Clear();
        if (!Utf8.IsValid(body))
        {
            return false;
        }

        try
        {
            var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = MaximumDepth });
            reader.Read();
            isBatch = reader.TokenType == JsonTokenType.StartArray;
            if (isBatch)
            {
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    requests.Add(ReadOne(ref reader));
                }
            }
            else
            {
                requests.Add(ReadOne(ref reader));
            }

            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
        catch (InvalidOperationException)
        {
            // The reader says so of escapes that are half a surrogate pair.
            return false;
        }
    }

    private static RpcRequest ReadOne(ref Utf8JsonReader reader)
    {
        var request = default(RpcRequest);
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            Pass(ref reader);
            return request;
        }

        var isVersion2 = false;
        var isWellFormed = true;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("jsonrpc"u8))
            {
                reader.Read();
                isVersion2 = reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("2.0"u8);
                Pass(ref reader);
            }
            else if (reader.ValueTextEquals("id"u8))
            {
                reader.Read();
                isWellFormed &= reader.TokenType is JsonTokenType.String or JsonTokenType.Number or JsonTokenType.Null;
                request.Id = Pass(ref reader);
                request.HasId = true;
                isWellFormed &= Length(request.Id) <= MaximumIdBytes;
            }
            else if (reader.ValueTextEquals("method"u8))
            {
                reader.Read();
                isWellFormed &= reader.TokenType == JsonTokenType.String;
                request.Method = Pass(ref reader);
            }
            else if (reader.ValueTextEquals("params"u8))
            {
                reader.Read();
                request.HasNamedParams = reader.TokenType == JsonTokenType.StartObject;
                isWellFormed &= reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject
                    or JsonTokenType.Null;
                var isNull = reader.TokenType == JsonTokenType.Null;
                var place = Pass(ref reader);
                request.Params = isNull ? default : place;
            }
            else
            {
                reader.Read();
                Pass(ref reader);
            }
        }

        request.IsValid = isVersion2 && isWellFormed && Length(request.Method) > 2;
        if (!isWellFormed && Length(request.Id) > MaximumIdBytes)
        {
            request.HasId = false;
        }

        return request;
    }

    /// <summary>Passes over the current value, looks at its escapes, and answers its place in the body.</summary>
    private static Range Pass(ref Utf8JsonReader reader)
    {
        var start = (int)reader.TokenStartIndex;
        var depth = reader.CurrentDepth;
        CheckEscapes(ref reader);
        if (reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.CurrentDepth > depth)
            {
                CheckEscapes(ref reader);
            }
        }

        return start..(int)reader.BytesConsumed;
    }

    private static void CheckEscapes(ref Utf8JsonReader reader)
    {
        if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped)
        {
            _ = reader.GetString();
        }
    }

    private static int Length(Range range) => range.End.Value - range.Start.Value;
}
