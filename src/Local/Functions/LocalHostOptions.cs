namespace SuperVm.Local.Functions;

/// <summary>What the local functions host needs beside the app's folder.</summary>
public sealed record LocalHostOptions
{
    /// <summary>App settings: environment variables of the handler, and values of <c>%name%</c> in bindings.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>TCP port of the HTTP triggers on the loopback interface; 0 takes a free one.</summary>
    public int HttpPort { get; init; }

    /// <summary>The most instances of an app.</summary>
    public const int MostInstances = 16;

    /// <summary>Instances of the app, each with a handler of its own, as the cloud scales out.</summary>
    public int Instances { get; init; } = 1;

    /// <summary>Ends of the handler, other than asked for, within half an hour before the host stops.</summary>
    public int MostFailures { get; init; } = 3;

    /// <summary>How long a message is hidden while it is handled; it is renewed after half of it.</summary>
    public TimeSpan Visibility { get; init; } = TimeSpan.FromMinutes(10);

    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Takes the handler's lines and the host's own.</summary>
    public Action<string> Log { get; init; } = _ => { };

    /// <summary>Told of each invocation that ended.</summary>
    public Action<InvocationEnd> Observe { get; init; } = _ => { };
}

/// <summary>How an invocation ended.</summary>
/// <param name="Function">The function.</param>
/// <param name="Failure">Why it failed, in words; null where it did not.</param>
public sealed record InvocationEnd(string Function, string? Failure);
