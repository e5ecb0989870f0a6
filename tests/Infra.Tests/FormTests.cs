using System.Text.Json;
using System.Text.RegularExpressions;
using SuperVm.Ports.Tests;

namespace SuperVm.Infra.Tests;

/// <summary>What can be said about the templates without a compiler of Bicep.</summary>
[NeedsCommand("npm", Templates.Reason)]
[Collection(TemplatesCollection.Name)]
public sealed partial class FormTests(Templates templates)
{
    [PortFact]
    public void Every_file_parses()
    {
        Assert.NotEmpty(templates.Code);
        Assert.NotEmpty(templates.Parameters);
        ExpectNone(
            from file in templates.Files
            from error in file.Errors
            select $"{file.Path}:{error}");
    }

    [PortFact]
    public void Every_resource_has_a_type_and_a_version_of_the_table()
    {
        ExpectNone(
            from file in templates.Code
            from resource in file.Resources
            where ResourceVersions.Table.GetValueOrDefault(resource.Type) != resource.Version
            select $"{file.Path}: {resource.Name} is {resource.Type}@{resource.Version}");
        Assert.Empty(ResourceVersions.Table.Keys.Except(
            templates.Code.SelectMany(file => file.Resources).Select(resource => resource.Type)));
    }

    [PortFact]
    public void Every_parameter_and_every_variable_is_used()
    {
        ExpectNone(
            from file in templates.Code
            from name in file.Parameters.Select(parameter => parameter.Name)
                .Concat(file.Variables.Select(variable => variable.Name))
            where !file.Uses.Contains(name)
            select $"{file.Path}: nothing uses {name}");
    }

    [PortFact]
    public void Every_module_exists_and_is_given_its_parameters_and_no_others()
    {
        ExpectNone(
            from file in templates.Code
            from module in file.Modules
            let target = Path.Combine(Path.GetDirectoryName(file.Path)!, module.File)
            let found = templates.Code.SingleOrDefault(candidate => candidate.Path == target)
            from complaint in found is null ? [$"{module.File} is missing"] : Mismatch(module, found.Parameters)
            select $"{file.Path}: {module.Name}: {complaint}");
        var used = templates.Code.SelectMany(file => file.Modules).Select(module => Path.GetFileName(module.File));
        Assert.Empty(templates.Code.Select(file => Path.GetFileName(file.Path)).Except(used).Except(["main.bicep"]));
    }

    [PortFact]
    public void Every_output_of_a_module_that_is_read_is_defined()
    {
        ExpectNone(
            from file in templates.Code
            from Match read in OutputRead().Matches(File.ReadAllText(file.Path))
            let module = file.Modules.SingleOrDefault(found => found.Name == read.Groups[1].Value)
            where module is null || templates.File(Path.GetFileName(module.File)).Outputs
                .All(output => output.Name != read.Groups[2].Value)
            select $"{file.Path}: {read.Value} is defined nowhere");
        Assert.Contains(templates.Main.Outputs, output => output.Name == "rpcUrl");
    }

    [PortFact]
    public void Files_of_parameters_set_what_the_template_demands_and_nothing_that_it_does_not_have()
    {
        Assert.NotEmpty(templates.Parameters);
        foreach (var file in templates.Parameters)
        {
            Assert.Equal("./main.bicep", file.Using);
            var given = file.Variables.Select(variable => variable.Name).ToHashSet();
            var known = templates.Main.Parameters;
            Assert.Empty(given.Except(known.Select(parameter => parameter.Name)));
            Assert.Empty(known.Where(parameter => !parameter.HasDefault).Select(parameter => parameter.Name)
                .Except(given));
        }
    }

    [PortFact]
    public void No_secret_is_in_the_templates_and_none_is_asked_of_the_cloud()
    {
        ExpectNone(
            from file in templates.Files
            from text in file.Strings
            where Secret().IsMatch(text.Text)
            select $"{file.Path}:{text.Line} looks like a secret");
        ExpectNone(
            from file in templates.Files
            from use in file.Uses
            where use.StartsWith("list", StringComparison.Ordinal) || use == "getSecret"
            select $"{file.Path} calls {use}, which answers secrets");
        ExpectNone(
            from file in templates.Code
            from resource in file.Resources
            where resource.Type == "Microsoft.KeyVault/vaults/secrets"
            select $"{file.Path}: {resource.Name} would carry a secret");
    }

    [PortFact]
    public void Keys_and_passwords_are_switched_off_wherever_an_identity_does()
    {
        Assert.False(Property("storage.bicep", "account", "allowSharedKeyAccess").GetBoolean());
        Assert.False(Property("storage.bicep", "account", "allowBlobPublicAccess").GetBoolean());
        Assert.True(Property("cosmos.bicep", "account", "disableLocalAuth").GetBoolean());
        Assert.True(Property("monitoring.bicep", "insights", "DisableLocalAuth").GetBoolean());
        Assert.True(Property("vault.bicep", "vault", "enableRbacAuthorization").GetBoolean());
        Assert.True(Property("functionApp.bicep", "app", "httpsOnly").GetBoolean());
        Assert.False(Property("functionApp.bicep", "publishing", "allow").GetBoolean());
    }

    [PortFact]
    public void The_document_account_is_strongly_consistent_and_indexes_nothing()
    {
        Assert.Equal(
            "Strong",
            Property("cosmos.bicep", "account", "consistencyPolicy").GetProperty("defaultConsistencyLevel")
                .GetString());
        var container = Property("cosmos.bicep", "containers", "resource");
        Assert.Equal("none", container.GetProperty("indexingPolicy").GetProperty("indexingMode").GetString());
        Assert.Equal("/pk", container.GetProperty("partitionKey").GetProperty("paths")[0].GetString());
    }

    private static IEnumerable<string> Mismatch(BicepModule module, IReadOnlyList<BicepParameter> parameters)
    {
        var given = module.Parameters.EnumerateObject().Select(property => property.Name).ToHashSet();
        return parameters.Where(parameter => !parameter.HasDefault && !given.Contains(parameter.Name))
            .Select(parameter => $"{parameter.Name} is not given")
            .Concat(given.Except(parameters.Select(parameter => parameter.Name))
                .Select(name => $"{name} is no parameter"));
    }

    private static void ExpectNone(IEnumerable<string> findings)
    {
        var list = findings.ToList();
        Assert.True(list.Count == 0, string.Join('\n', list));
    }

    private JsonElement Property(string file, string resource, string name) => templates.File(file).Resources
        .Single(found => found.Name == resource).Body.GetProperty("properties").GetProperty(name);

    [GeneratedRegex(@"\b([A-Za-z]\w*)\.outputs\.(\w+)")]
    private static partial Regex OutputRead();

    /// <summary>Account keys, private keys, signatures of shared access, tokens; an address is none.</summary>
    [GeneratedRegex(
        @"AccountKey=|SharedAccessSignature|sig=|BEGIN [A-Z ]*PRIVATE|[A-Za-z0-9+/]{42,}={1,2}|(0x)?[0-9a-fA-F]{64}|"
        + @"eyJ[A-Za-z0-9_-]{20,}|password\s*=")]
    private static partial Regex Secret();
}
