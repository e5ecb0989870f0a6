using System.Collections.Concurrent;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Nodes;

/// <summary>The accounts in whose name a development node sends without a key; forgotten when it ends.</summary>
internal sealed class Impersonations
{
    private const int Maximum = 10_000;

    private readonly ConcurrentDictionary<Address, bool> _accounts = new();
    private volatile bool _isEverybody;

    /// <summary>Whether every account may be taken for the sender.</summary>
    internal bool IsEverybody
    {
        get => _isEverybody;
        set => _isEverybody = value;
    }

    /// <summary>False where there are too many.</summary>
    internal bool Add(in Address account) =>
        _accounts.ContainsKey(account) || (_accounts.Count < Maximum && (_accounts.TryAdd(account, true) || true));

    /// <summary>Whether the account was one.</summary>
    internal bool Remove(in Address account) => _accounts.TryRemove(account, out _);

    internal bool Allows(in Address account) => _isEverybody || _accounts.ContainsKey(account);
}
