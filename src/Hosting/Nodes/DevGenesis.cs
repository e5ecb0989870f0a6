using SuperVm.Core.Consensus.Stake;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;

namespace SuperVm.Hosting.Nodes;

/// <summary>The validator registry of a development chain.</summary>
public sealed record DevRegistry(RegistryParameters Parameters, IReadOnlyList<RegisteredValidator> Validators)
{
    /// <summary>Wei of one unit of power in a configuration: an ether.</summary>
    public static UInt256 StakeOf(ulong power) => new UInt256(power) * 1_000_000_000_000_000_000;
}

/// <summary>The chain of a development node without a genesis file.</summary>
public static class DevGenesis
{
    /// <summary>
    /// Gas of block 0. So much that the base fee falls rather than rises under any load of one machine, and
    /// transactions that were accepted stay payable.
    /// </summary>
    public const ulong GasLimit = 1_000_000_000;

    /// <summary>The accounts of a mnemonic, numbered from 0.</summary>
    public static IReadOnlyList<DevAccount> AccountsOf(string mnemonic, int count)
    {
        var seed = Mnemonic.SeedOf(mnemonic);
        var accounts = new DevAccount[count];
        for (var i = 0; i < count; i++)
        {
            accounts[i] = new DevAccount(Mnemonic.PrivateKeyAt(seed, $"{Mnemonic.EthereumPath}{i}"));
        }

        return accounts;
    }

    /// <summary>One fork from block 0 on, and these accounts with this balance.</summary>
    /// <param name="chainId">EIP-155 chain id.</param>
    /// <param name="fork">The fork.</param>
    /// <param name="accounts">Who has money.</param>
    /// <param name="balance">Wei of each.</param>
    /// <param name="timestamp">Of block 0; a chain that is opened again must be given the same.</param>
    /// <param name="registry">The validator registry of a chain that validators order; null for none.</param>
    public static Genesis Create(
        ulong chainId, Fork fork, IEnumerable<DevAccount> accounts, in UInt256 balance, ulong timestamp,
        DevRegistry? registry = null)
    {
        var alloc = new Dictionary<Address, GenesisAccount>();
        foreach (var (address, contract) in GenesisContracts.All)
        {
            alloc[address] = contract;
        }

        foreach (var account in accounts)
        {
            alloc[account.Address] = new GenesisAccount(balance, 0, [], new Dictionary<UInt256, UInt256>());
        }

        if (registry is not null)
        {
            alloc[ValidatorRegistry.Address] = ValidatorRegistry.Account(registry.Parameters, registry.Validators);
            foreach (var validator in registry.Validators)
            {
                // A validator pays for the proofs that it reports.
                alloc.TryAdd(validator.Key, new GenesisAccount(balance, 0, [], new Dictionary<UInt256, UInt256>()));
            }
        }

        return new Genesis
        {
            Spec = ChainSpec.AllAtZero(fork, chainId, equalTimestamps: true),
            Alloc = alloc,
            GasLimit = GasLimit,
            Timestamp = timestamp,
        };
    }
}
