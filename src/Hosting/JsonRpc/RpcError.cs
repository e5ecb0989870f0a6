namespace SuperVm.Hosting.JsonRpc;

/// <summary>An error object of JSON-RPC 2.0; where there is <paramref name="Data"/>, it is written as hex.</summary>
/// <param name="Code">The codes of the JSON-RPC specification and of EIP-1474; 3 for a revert, as geth has it.</param>
/// <param name="Message">One line for people; clients match on some of geth's wordings.</param>
/// <param name="Data">Revert data.</param>
internal sealed record RpcError(int Code, string Message, ReadOnlyMemory<byte>? Data = null)
{
    internal const int ParseErrorCode = -32700;
    internal const int InvalidRequestCode = -32600;
    internal const int MethodNotFoundCode = -32601;
    internal const int InvalidParamsCode = -32602;
    internal const int InternalErrorCode = -32603;
    internal const int ServerErrorCode = -32000;
    internal const int NotFoundCode = -32001;
    internal const int ResponseTooLargeCode = -32003;
    internal const int UnauthorizedCode = -32002;
    internal const int LimitExceededCode = -32005;
    internal const int RevertedCode = 3;
    internal const int PrunedHistoryCode = 4444;

    internal static RpcError ParseError { get; } = new(ParseErrorCode, "parse error: the body is not valid JSON");

    internal static RpcError InvalidRequest { get; } = new(InvalidRequestCode, "invalid request");

    internal static RpcError EmptyBatch { get; } = new(InvalidRequestCode, "empty batch");

    internal static RpcError Internal { get; } = new(InternalErrorCode, "internal error");

    internal static RpcError ResponseTooLarge { get; } = new(ResponseTooLargeCode, "response too large");

    /// <summary>The block is on the chain and not kept here (EIP-4444; code and wording are geth's).</summary>
    internal static RpcError PrunedHistory { get; } = new(PrunedHistoryCode, "pruned history unavailable");

    internal static RpcError Unauthorized { get; } = new(UnauthorizedCode, "resource unavailable: a key is needed");

    internal static RpcError LimitExceeded(string message) => new(LimitExceededCode, $"limit exceeded: {message}");

    internal static RpcError InvalidParams(string message) => new(InvalidParamsCode, message);

    /// <summary>The error of a refused submission; null where it was taken.</summary>
    internal static RpcError? Of(in Nodes.Submission answer) =>
        answer.Error is not { } words ? null
        : answer.IsLimited ? LimitExceeded(words)
        : Server(words);

    internal static RpcError Server(string message) => new(ServerErrorCode, message);
}
