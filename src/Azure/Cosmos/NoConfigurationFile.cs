using System.Collections.Specialized;
using System.Configuration.Internal;

namespace SuperVm.Azure.Cosmos;

/// <summary>Settings of a process that has no app.config.</summary>
/// <remarks>
/// The Cosmos client asks for one when it is made, and .NET's reader of such files is 400 methods to compile, with XML
/// and three more assemblies, to find that there is none. <see cref="IInternalConfigSettingsFactory"/> is how a host
/// with settings of its own takes the reader's place.
/// </remarks>
internal sealed class NoConfigurationFile : IInternalConfigSystem
{
    private const string AppSettings = "appSettings";

    private const string Factory =
        "System.Configuration.Internal.InternalConfigSettingsFactory, System.Configuration.ConfigurationManager";

    private static readonly Lock Gate = new();
    private static bool _isSet;

    private readonly NameValueCollection _none = [];

    private NoConfigurationFile()
    {
    }

    public bool SupportsUserConfig => false;

    /// <summary>Takes the reader's place, where there is one to take and nobody has used it yet.</summary>
    internal static void Use()
    {
        lock (Gate)
        {
            if (_isSet)
            {
                return;
            }

            _isSet = true;
            try
            {
                if (Type.GetType(Factory) is { } type
                    && Activator.CreateInstance(type, nonPublic: true) is IInternalConfigSettingsFactory settings)
                {
                    settings.SetConfigurationSystem(new NoConfigurationFile(), initComplete: true);
                }
            }
            catch (Exception used) when (used is InvalidOperationException or MissingMethodException
                or System.Reflection.TargetInvocationException)
            {
                // Somebody read settings before: all it costs is the time that was spent.
            }
        }
    }

    public object? GetSection(string configKey) => configKey == AppSettings ? _none : null;

    public void RefreshConfig(string sectionName)
    {
    }
}
