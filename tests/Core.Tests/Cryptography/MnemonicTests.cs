using SuperVm.Core.Cryptography;
using SuperVm.Core.Primitives;

namespace SuperVm.Core.Tests.Cryptography;

public sealed class MnemonicTests
{
    [Theory]
    [InlineData(
        0,
        "f39fd6e51aad88f6f4ce6ab8827279cfffb92266",
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")]
    [InlineData(
        1,
        "70997970c51812dc3a010c7d01b50e0d17dc79c8",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d")]
    [InlineData(
        9,
        "a0ee7a142d267c1f36714e4a8f75612f20a79720",
        "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6")]
    public void The_development_sentence_gives_the_accounts_that_everybody_knows(int number, string address, string key)
    {
        var seed = Mnemonic.SeedOf(Mnemonic.Development);
        var found = Mnemonic.PrivateKeyAt(seed, Mnemonic.EthereumPath + number);
        Assert.Equal(key, Convert.ToHexStringLower(found));
        Assert.Equal(Address.Parse(address), Secp256k1.AddressOf(found));
    }

    [Fact]
    public void The_seed_is_that_of_the_first_vector_of_bip_39() => Assert.Equal(
        "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553"
            + "1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04",
        Convert.ToHexStringLower(Mnemonic.SeedOf(
            "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about",
            "TREZOR")));

    [Theory]
    [InlineData("m/0'", "edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea")]
    [InlineData("m/0'/1", "3c6cb8d0f6a264c91ea8b5030fadaa8e538b020f0a387421a12de9319dc93368")]
    [InlineData("m/0'/1/2'/2", "0f479245fb19a38a1954c5c7c0ebab2f9bdfd96a17563ef28a6a4b1a2a764ef4")]
    public void Derivation_is_that_of_the_first_vector_of_bip_32(string path, string key) => Assert.Equal(
        key,
        Convert.ToHexStringLower(
            Mnemonic.PrivateKeyAt(Convert.FromHexString("000102030405060708090a0b0c0d0e0f"), path)));

    [Fact]
    public void Words_beyond_ascii_and_spare_blanks_are_taken() =>
        Assert.Equal(Mnemonic.SeedOf("ni\u00f1o  sol"), Mnemonic.SeedOf(" ni\u00f1o sol "));

    [Theory]
    [InlineData("44'/60'")]
    [InlineData("m/x")]
    [InlineData("m/4294967295")]
    public void A_path_that_is_none_is_refused(string path) =>
        Assert.Throws<FormatException>(() => Mnemonic.PrivateKeyAt(new byte[64], path));
}
