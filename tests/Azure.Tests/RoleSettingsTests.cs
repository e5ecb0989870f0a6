using SuperVm.Azure.Functions;

namespace SuperVm.Azure.Tests;

/// <summary>What an app reads in its settings, as templates and operators write them.</summary>
public sealed class RoleSettingsTests
{
    private static readonly string Digits = new('7', 64);

    private readonly Dictionary<string, string> _values = new()
    {
        [CloudNames.Settings.QueueUri] = "https://account.queue.core.windows.net/",
        [CloudNames.Settings.BlobUri] = "https://account.blob.core.windows.net/",
        [CloudNames.Settings.TableUri] = "https://account.table.core.windows.net/",
        [CloudNames.Settings.DocumentUri] = "https://account.documents.azure.com:443/",
        [CloudNames.Settings.Database] = "supervm",
    };

    [Fact]
    public void What_is_left_out_is_the_careful_choice()
    {
        var settings = Read();
        Assert.False(settings.Security.OpenRpc);
        Assert.Equal(0, settings.Security.ManagementKeys!.Count);
        Assert.Equal(1, settings.Security.TrustedProxies);
        Assert.Null(settings.Security.Duplicates);
        Assert.Null(settings.Key);
        Assert.Empty(settings.Validators);
        Assert.True(settings is { HasProver: true, LogsTransactions: true, Genesis: "genesis.json" });
    }

    [Theory]
    [InlineData("")]
    [InlineData("0x")]
    public void A_key_that_was_put_into_the_vault_from_a_file_is_read(string prefix)
    {
        _values[CloudNames.Settings.ValidatorKey] = $"{prefix}{Digits}\n";
        Assert.Equal(Convert.FromHexString(Digits), Read().Key);
    }

    [Fact]
    public void Rules_and_choices_are_read()
    {
        _values[CloudNames.Settings.RpcOpen] = "true";
        _values[CloudNames.Settings.DuplicateRate] = "2";
        _values[CloudNames.Settings.GlobalRate] = "0";
        _values[CloudNames.Settings.FeeFloor] = "1000000000";
        _values[CloudNames.Settings.PendingPerSender] = "64";
        _values[CloudNames.Settings.Prover] = "none";
        _values[CloudNames.Settings.LogTransactions] = "false";
        _values[CloudNames.Settings.Validators] =
            """[{"address":"0x0000000000000000000000000000000000000001","power":3,"url":"https://one.example.org/"}]""";
        var settings = Read();
        Assert.True(settings.Security.OpenRpc);
        Assert.Equal(2, settings.Security.Duplicates!.Value.PerSecond);
        Assert.Null(settings.Security.Global);
        Assert.Equal(64, settings.Pool.MaximumPerSender);
        Assert.Equal(3UL, Assert.Single(settings.Validators).Power);
        Assert.False(settings.HasProver || settings.LogsTransactions);
    }

    [Theory]
    [InlineData(CloudNames.Settings.QueueUri, "nowhere")]
    [InlineData(CloudNames.Settings.Database, "")]
    [InlineData(CloudNames.Settings.ValidatorKey, "0x12")]
    [InlineData(CloudNames.Settings.ValidatorKey, "@Microsoft.KeyVault(SecretUri=https://v.example.org/secrets/k)")]
    [InlineData(CloudNames.Settings.Validators, "{}")]
    [InlineData(CloudNames.Settings.Validators, "[1]")]
    [InlineData(CloudNames.Settings.Validators, """[{"address":"0x1","power":1,"url":"https://one.example.org/"}]""")]
    [InlineData(CloudNames.Settings.SenderRate, "-1")]
    [InlineData(CloudNames.Settings.DuplicateRate, "often")]
    [InlineData(CloudNames.Settings.FeeFloor, "-1")]
    [InlineData(CloudNames.Settings.PendingPerSender, "0")]
    [InlineData(CloudNames.Settings.RpcKey, "short")]
    public void A_setting_without_sense_is_refused(string name, string value)
    {
        _values[name] = value;
        Assert.NotEmpty(Assert.Throws<ArgumentException>(Read).Message);
    }

    private RoleSettings Read() => RoleSettings.Read(_values.GetValueOrDefault, _ => { });
}
