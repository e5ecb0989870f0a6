namespace SuperVm.Core.State;

/// <summary>
/// A state that was opened for reading was pruned or unwound before the read; the caller opens another.
/// </summary>
public sealed class StateUnavailableException(string message) : Exception(message);
