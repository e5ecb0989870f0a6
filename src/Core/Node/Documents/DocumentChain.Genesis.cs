using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.Storage;

namespace SuperVm.Core.Node;

/// <summary>The way back to a chain that has begun, without what its genesis allocates.</summary>
public sealed partial class DocumentChain
{
    /// <summary>
    /// Opens the chain of a genesis file, or begins it. The file is read where it has to be: a process that starts on a
    /// chain with 100,000 accounts would parse 27 MiB and hash two tries before its first answer.
    /// </summary>
    /// <param name="ports">Where the chain lies.</param>
    /// <param name="name">The file's name; another name is another file, which is read and compared.</param>
    /// <param name="read">Reads the file.</param>
    /// <param name="begin">Opens the chain of the genesis that was read, or begins it.</param>
    /// <param name="kept">Accounts whose allocation is wanted whenever the chain is opened.</param>
    /// <param name="options">How the chain works.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <returns>The chain, and its genesis: of the accounts those that are kept, perhaps others.</returns>
    /// <exception cref="StoreException">
    /// The file is no genesis, or there is another chain, another version, or damage; the message says which.
    /// </exception>
    public static async Task<(DocumentChain Chain, Genesis Genesis)> OpenAsync(
        DocumentChainPorts ports,
        string name,
        Func<CancellationToken, Task<ReadOnlyMemory<byte>>> read,
        Func<Genesis, Task<DocumentChain>> begin,
        IReadOnlyCollection<Address> kept,
        DocumentChainOptions? options = null,
        CancellationToken cancellation = default)
    {
        options ??= new DocumentChainOptions();
        options.State.Require();
        var head = await new HeadFile(ports.Documents, options.HeadContainer).ReadAsync(cancellation);
        var briefs = new GenesisBriefs(ports.Blobs);
        if (head is { Document.Head: not null } begun
            && await briefs.FindAsync(begun.Document.GenesisHash, name, cancellation) is { } brief)
        {
            var first = Chain.BlockOf(brief.Genesis, brief.StateRoot);
            var known = new DocumentChain(ports, brief.Genesis.Spec, first.Block, options);
            if (first.Block.Hash == begun.Document.GenesisHash && await known.TryLoadAsync(cancellation))
            {
                return (known, brief.Genesis);
            }
        }

        var file = await read(cancellation);
        var genesis = GenesisReader.Read(file);
        if (!genesis.Succeeded)
        {
            throw new StoreException($"{name} is no genesis file: {genesis.Error}");
        }

        var chain = await begin(genesis.Value);
        await briefs.PutAsync(chain.Genesis, name, file, kept, cancellation);
        return (chain, genesis.Value);
    }
}
