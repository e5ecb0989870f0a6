using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Core.State.Paged;
using SuperVm.Core.State.Trie;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>
/// The head's state for executing a block: what is not at hand is NotLoaded, and fetched many keys at once.
/// </summary>
/// <remarks>Pages stay at hand until the block is done (they are pinned in the reader).</remarks>
/// <param name="reader">The state at the head.</param>
/// <param name="store">The pages.</param>
internal sealed class DocumentExecutionState(PagedStateReader reader, PageStore store) : IStateReader, IStateLoader
{
    public ReadStatus ReadAccount(in Address address, out Account account)
    {
        var status = ReadRecord(address, out var record);
        account = status == ReadStatus.Found ? record.ToAccount() : default;
        return status;
    }

    public ReadStatus ReadSlot(in Address address, in UInt256 slot, out UInt256 value)
    {
        value = default;
        var owner = ReadRecord(address, out var record);
        if (owner != ReadStatus.Found || record.StorageRoot == StateRoot.Empty)
        {
            return owner == ReadStatus.NotLoaded ? owner : ReadStatus.Absent;
        }

        var place = PageKey.PlaceOf(slot);
        if (!PageTrees.TryLocate(reader.TryGet, TrieOwner.Storage(address), place, out var page, out _))
        {
            return ReadStatus.NotLoaded;
        }

        PagedStateReader.RequireStorage(page.Page, address);
        if (!page.Page.Entries.TryGet(place, out var bytes))
        {
            return ReadStatus.Absent;
        }

        value = StateStore.DecodeValue(bytes.Span, bytes.Length, address);
        return ReadStatus.Found;
    }

    public ReadStatus ReadCode(in Hash256 codeHash, out Code? code) =>
        store.TryGetCode(codeHash, out code) ? ReadStatus.Found : ReadStatus.NotLoaded;

    public void Load(IReadOnlyList<MissingKey> keys) =>
        LoadAsync(keys, CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Brings near what the transactions read for sure: accounts, named slots, code that is called.</summary>
    internal async Task PrefetchAsync(
        Address coinbase, IReadOnlyList<Transaction> transactions, CancellationToken cancellation)
    {
        var keys = new HashSet<MissingKey> { new(MissingKind.Account, coinbase, default, default) };
        foreach (var transaction in transactions)
        {
            keys.Add(new(MissingKind.Account, transaction.Sender.GetValueOrDefault(), default, default));
            if (transaction.To is { } recipient)
            {
                keys.Add(new(MissingKind.Account, recipient, default, default));
            }

            foreach (var entry in transaction.AccessList)
            {
                keys.Add(new(MissingKind.Account, entry.Address, default, default));
                foreach (var slot in entry.Slots)
                {
                    keys.Add(new(MissingKind.Slot, entry.Address, slot, default));
                }
            }
        }

        await LoadAsync(keys, cancellation);
        var code = new HashSet<MissingKey>();
        foreach (var transaction in transactions)
        {
            if (transaction.To is { } recipient && ReadRecord(recipient, out var record) == ReadStatus.Found
                && record.CodeHash != Code.Empty.Hash)
            {
                code.Add(new(MissingKind.Code, recipient, default, record.CodeHash));
            }
        }

        await LoadAsync(code, cancellation);
    }

    private async Task LoadAsync(IReadOnlyCollection<MissingKey> keys, CancellationToken cancellation)
    {
        var code = keys.Where(key => key.Kind == MissingKind.Code).Select(key => key.CodeHash).Distinct()
            .Select(hash => RequireCodeAsync(hash, cancellation)).ToArray();
        var pages = new HashSet<PageId>();
        while (true)
        {
            pages.Clear();
            foreach (var key in keys)
            {
                if (key.Kind != MissingKind.Code && Missing(key) is { } page)
                {
                    pages.Add(page);
                }
            }

            if (pages.Count == 0)
            {
                break;
            }

            await reader.LoadAsync([.. pages], cancellation);
        }

        await Task.WhenAll(code);
    }

    /// <summary>The next page on the way to the key; null where all are at hand.</summary>
    private PageId? Missing(in MissingKey key)
    {
        if (!PageTrees.TryLocate(
            reader.TryGet, TrieOwner.Accounts, PageKey.PlaceOf(key.Address), out _, out var missing))
        {
            return missing;
        }

        if (key.Kind == MissingKind.Account || ReadRecord(key.Address, out var record) != ReadStatus.Found
            || record.StorageRoot == StateRoot.Empty)
        {
            return null;
        }

        var owner = TrieOwner.Storage(key.Address);
        return PageTrees.TryLocate(reader.TryGet, owner, PageKey.PlaceOf(key.Slot), out _, out missing)
            ? null
            : missing;
    }

    private ReadStatus ReadRecord(in Address address, out AccountRecord record)
    {
        var place = PageKey.PlaceOf(address);
        record = default;
        if (!PageTrees.TryLocate(reader.TryGet, TrieOwner.Accounts, place, out var page, out _))
        {
            return ReadStatus.NotLoaded;
        }

        if (!page.Page.Entries.TryGet(place, out var bytes))
        {
            return ReadStatus.Absent;
        }

        record = StateStore.DecodeRecord(bytes.Span, bytes.Length, address);
        return ReadStatus.Found;
    }

    private async Task RequireCodeAsync(Hash256 hash, CancellationToken cancellation)
    {
        if (await store.GetCodeAsync(hash, cancellation) is null)
        {
            throw new StoreException($"The store is damaged: the code {hash} of an account is missing.");
        }
    }
}
