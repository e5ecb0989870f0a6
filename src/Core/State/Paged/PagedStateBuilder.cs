using SuperVm.Core.Encoding;
using SuperVm.Core.Primitives;
using SuperVm.Core.State.Trie;

namespace SuperVm.Core.State.Paged;

/// <summary>Makes pages of a state that comes in the order of its walk: accounts, and each one's storage.</summary>
/// <remarks>An account's storage comes right after the account, so two trees at most are open.</remarks>
internal sealed class PagedStateBuilder(int pageBytes) : IStateSink
{
    private PageTreeBuilder _accounts = new(TrieOwner.Accounts, pageBytes);
    private PageTreeBuilder? _storage;
    private List<(PageId Id, PageEntries Entries)> _finished = [];

    public void Node(in StatePlace place, byte[] node)
    {
        if (!place.IsStorage)
        {
            EndStorage();
            _accounts.Node(place.Path, place.Depth, node);
            return;
        }

        StorageOf(place.Owner).Node(place.Path, place.Depth, node);
    }

    public void Account(in Hash256 hash, ReadOnlySpan<byte> address, in AccountRecord record)
    {
        EndStorage();
        Span<byte> flat = stackalloc byte[AccountRecord.MaximumBytes];
        _accounts.Add(hash, [PageKey.Account, .. address], flat[..record.WriteFlat(flat)].ToArray(), Finished);
    }

    public void Slot(in Address owner, in Hash256 hash, ReadOnlySpan<byte> slot, ReadOnlySpan<byte> value) =>
        StorageOf(owner).Add(hash, [PageKey.Slot, .. slot], value.ToArray(), Finished);

    /// <summary>The state is complete: finishes what is open.</summary>
    internal void End()
    {
        EndStorage();
        _accounts.End(Finished);
    }

    /// <summary>The pages that were finished since the last call.</summary>
    internal IReadOnlyList<(PageId Id, PageEntries Entries)> Take()
    {
        var finished = _finished;
        _finished = [];
        return finished;
    }

    /// <summary>Writes what is open.</summary>
    internal void Write(RlpWriter writer)
    {
        var list = writer.BeginList();
        _accounts.Write(writer);
        _storage?.Write(writer);
        writer.EndList(list);
    }

    /// <exception cref="RlpException">It is damaged.</exception>
    internal static PagedStateBuilder Read(ref RlpReader reader, int pageBytes)
    {
        var list = reader.ReadList();
        var accounts = PageTreeBuilder.Read(ref list, pageBytes);
        var storage = list.AtEnd ? null : PageTreeBuilder.Read(ref list, pageBytes);
        list.RequireEnd();
        return new PagedStateBuilder(pageBytes) { _accounts = accounts, _storage = storage };
    }

    private PageTreeBuilder StorageOf(in Address owner)
    {
        if (_storage?.Owner.Address != owner)
        {
            EndStorage();
            _storage = new PageTreeBuilder(TrieOwner.Storage(owner), pageBytes);
        }

        return _storage!;
    }

    private void EndStorage()
    {
        _storage?.End(Finished);
        _storage = null;
    }

    private void Finished(PageId id, PageEntries entries) => _finished.Add((id, entries));
}
