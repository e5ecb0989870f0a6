using System.Net;
using Microsoft.AspNetCore.Http;
using SuperVm.Hosting.JsonRpc;

namespace SuperVm.Hosting.Security;

/// <summary>Stands at the door of JSON-RPC: who may call what, and how often.</summary>
/// <remarks>
/// <code>
///   request ─▶ CallerOf: address, keys ─▶ Admit: open?  address, all ≤ rate? ─▶ Forbids: management?
///                                          401 / -32002   429 / -32005                -32601
/// </code>
/// The bucket of the address is asked first, so that one caller cannot empty that of all. Safe for concurrent use.
/// </remarks>
internal sealed class RpcGate
{
    internal const string KeyHeader = "x-functions-key";
    private const string Bearer = "Bearer ";

    private readonly SecurityOptions _options;
    private readonly ClockedTokenBucket? _global;
    private readonly BucketPartitions<ulong>? _addresses;
    private readonly AuditLog? _audit;

    /// <summary>Nothing is asked for: who calls need not be looked up.</summary>
    private readonly bool _isOpen;

    private long _limitedByAddress;
    private long _limitedByGlobal;
    private long _unauthorized;

    internal RpcGate(SecurityOptions options, TimeProvider clock)
    {
        _options = options;
        _global = options.Global is { } all ? new ClockedTokenBucket(all, clock) : null;
        _addresses = options.PerAddress is { } each ? new(each, options.MaximumPartitions, clock) : null;
        _audit = options.Audit is { } sink ? new AuditLog(sink, clock) : null;
        _isOpen = options.OpenRpc && options.ManagementKeys is null && _addresses is null && _audit is null;
    }

    internal long LimitedByAddress => Interlocked.Read(ref _limitedByAddress);

    internal long LimitedByGlobal => Interlocked.Read(ref _limitedByGlobal);

    /// <summary>Calls, and methods of management, that showed no fitting key.</summary>
    internal long Unauthorized => Interlocked.Read(ref _unauthorized);

    /// <summary>Addresses with a bucket of their own.</summary>
    internal int Addresses => _addresses?.Count ?? 0;

    internal RpcCaller CallerOf(HttpContext context)
    {
        if (_isOpen)
        {
            return RpcCaller.Local;
        }

        var key = KeyOf(context.Request);
        var manages = _options.ManagementKeys?.Has(key);
        var calls = _options.OpenRpc || manages == true || _options.RpcKeys.Has(key);
        return new RpcCaller(
            RpcCaller.OriginOf(AddressOf(context)), calls, manages ?? calls,
            key is null || _audit is null ? null : AccessKeys.NameOf(key));
    }

    /// <summary>Whether a body with so many requests is taken; if not, why, and when to come again.</summary>
    internal RpcError? Admit(in RpcCaller caller, int requests, out TimeSpan retryAfter)
    {
        retryAfter = TimeSpan.Zero;
        if (!caller.MayCall)
        {
            Interlocked.Increment(ref _unauthorized);
            return RpcError.Unauthorized;
        }

        var address = caller.Origin == 0 ? null : _addresses?.Of(caller.Origin);
        if (address is not null && !address.TryTake(requests, out retryAfter))
        {
            Interlocked.Increment(ref _limitedByAddress);
            return RpcError.LimitExceeded("too many requests from this address");
        }

        if (_global is not null && !_global.TryTake(requests, out retryAfter))
        {
            address?.Return(requests);
            Interlocked.Increment(ref _limitedByGlobal);
            return RpcError.LimitExceeded("too many requests at the moment");
        }

        return null;
    }

    /// <summary>Whether the method is one of management and the caller showed no key for it.</summary>
    internal bool Forbids(RpcMethod method, in RpcCaller caller)
    {
        if (!method.IsManagement || caller.MayManage)
        {
            return false;
        }

        Interlocked.Increment(ref _unauthorized);
        _audit?.Write(caller, method.Name, default, "forbidden");
        return true;
    }

    /// <summary>Notes what a method of management was asked and how it ended.</summary>
    internal void Note(RpcMethod method, in RpcCaller caller, ReadOnlySpan<byte> parameters, RpcError? error)
    {
        if (_audit is not null && method.IsManagement)
        {
            _audit.Write(caller, method.Name, parameters, error is null ? "done" : $"error {error.Code}");
        }
    }

    private static string? KeyOf(HttpRequest request)
    {
        var bearer = request.Headers.Authorization.ToString();
        return bearer.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? bearer[Bearer.Length..].Trim()
            : request.Headers.TryGetValue(KeyHeader, out var header) ? header.ToString() : null;
    }

    /// <summary>The address that the outermost trusted proxy saw; what a client wrote itself is farther left.</summary>
    private IPAddress? AddressOf(HttpContext context)
    {
        if (_options.TrustedProxies == 0)
        {
            return context.Connection.RemoteIpAddress;
        }

        var hops = context.Request.Headers["X-Forwarded-For"].ToString().Split(',', StringSplitOptions.TrimEntries);
        var text = hops[Math.Max(0, hops.Length - _options.TrustedProxies)];
        return IPEndPoint.TryParse(text, out var point) ? point.Address : context.Connection.RemoteIpAddress;
    }
}
