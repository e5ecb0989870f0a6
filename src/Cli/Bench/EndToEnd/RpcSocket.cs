using System.Buffers.Text;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace SuperVm.Cli.Bench.EndToEnd;

/// <summary>One HTTP/1.1 connection that is kept open, for JSON-RPC bodies that are ready as bytes.</summary>
/// <remarks>
/// Blocking, one request at a time, no allocation a request: what the client spends on a core it takes from the server
/// that is measured. Understands answers with a length and chunked ones, which is what servers send.
/// </remarks>
internal sealed class RpcSocket : IDisposable
{
    private const int FirstBufferBytes = 256 << 10;
    private const int MaximumAnswerBytes = 256 << 20;

    private readonly Socket _socket;
    private readonly byte[] _headerStart;
    private byte[] _request = new byte[FirstBufferBytes];
    private byte[] _answer = new byte[FirstBufferBytes];
    private int _filled;

    internal RpcSocket(Uri url)
    {
        _socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _socket.Connect(url.Host, url.Port);
        _headerStart = Encoding.ASCII.GetBytes(
            $"POST / HTTP/1.1\r\nHost: {url.Authority}\r\nContent-Type: application/json\r\nContent-Length: ");
    }

    /// <summary>Sends a body and answers the response's body, good until the next call.</summary>
    internal ReadOnlySpan<byte> Post(ReadOnlySpan<byte> body)
    {
        Send(body);
        return Receive();
    }

    /// <summary>A single call; throws what the node answers as an error.</summary>
    internal JsonElement Call(string method, params object?[] parameters)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>
        {
            ["jsonrpc"] = "2.0", ["id"] = 1, ["method"] = method, ["params"] = parameters,
        });
        using var answer = JsonDocument.Parse(Post(body).ToArray());
        return answer.RootElement.TryGetProperty("error", out var error)
            ? throw new InvalidOperationException($"{method}: {error}")
            : answer.RootElement.GetProperty("result").Clone();
    }

    public void Dispose() => _socket.Dispose();

    private void Send(ReadOnlySpan<byte> body)
    {
        var needed = _headerStart.Length + 16 + body.Length;
        if (_request.Length < needed)
        {
            _request = new byte[needed * 2];
        }

        _headerStart.CopyTo(_request, 0);
        var length = _headerStart.Length;
        Utf8Formatter.TryFormat(body.Length, _request.AsSpan(length), out var digits);
        length += digits;
        "\r\n\r\n"u8.CopyTo(_request.AsSpan(length));
        length += 4;
        body.CopyTo(_request.AsSpan(length));
        length += body.Length;
        for (var sent = 0; sent < length;)
        {
            sent += _socket.Send(_request, sent, length - sent, SocketFlags.None);
        }
    }

    private ReadOnlySpan<byte> Receive()
    {
        _filled = 0;
        int end;
        while ((end = _answer.AsSpan(0, _filled).IndexOf("\r\n\r\n"u8)) < 0)
        {
            Fill();
        }

        var start = end + 4;
        if (FieldOf(end, "content-length:"u8) is { } text)
        {
            var length = int.Parse(text, CultureInfo.InvariantCulture);
            while (_filled < start + length)
            {
                Fill();
            }

            return _answer.AsSpan(start, length);
        }

        return ReceiveChunks(start);
    }

    /// <summary>Puts the chunks together where they lie.</summary>
    private ReadOnlySpan<byte> ReceiveChunks(int start)
    {
        var (read, written) = (start, start);
        for (; ; )
        {
            int line;
            while ((line = _answer.AsSpan(read, _filled - read).IndexOf("\r\n"u8)) < 0)
            {
                Fill();
            }

            if (!Utf8Parser.TryParse(_answer.AsSpan(read, line), out int size, out _, 'x'))
            {
                throw new IOException("The answer has no length and is not chunked.");
            }

            read += line + 2;
            while (_filled < read + size + 2)
            {
                Fill();
            }

            if (size == 0)
            {
                return _answer.AsSpan(start, written - start);
            }

            _answer.AsSpan(read, size).CopyTo(_answer.AsSpan(written));
            written += size;
            read += size + 2;
        }
    }

    private string? FieldOf(int end, ReadOnlySpan<byte> name)
    {
        var headers = _answer.AsSpan(0, end + 2);
        while (headers.IndexOf("\r\n"u8) is >= 0 and var line)
        {
            if (line >= name.Length && Ascii.EqualsIgnoreCase(headers[..name.Length], name))
            {
                return Encoding.ASCII.GetString(headers[name.Length..line]).Trim();
            }

            headers = headers[(line + 2)..];
        }

        return null;
    }

    private void Fill()
    {
        if (_filled == _answer.Length)
        {
            if (_answer.Length >= MaximumAnswerBytes)
            {
                throw new IOException("The answer is too large.");
            }

            Array.Resize(ref _answer, _answer.Length * 2);
        }

        var count = _socket.Receive(_answer, _filled, _answer.Length - _filled, SocketFlags.None);
        _filled += count > 0 ? count : throw new IOException("The node closed the connection.");
    }
}
