namespace SuperVm.Proofs.Tests;

/// <summary>The tests that share what circom and snarkjs made.</summary>
[CollectionDefinition(Name)]
public sealed class SnarkjsCollection : ICollectionFixture<SnarkjsFixture>
{
    public const string Name = "snarkjs";
}
