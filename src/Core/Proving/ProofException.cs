namespace SuperVm.Core.Proving;

/// <summary>A key, witness, proof or circuit that is refused; the message says what is wrong and where.</summary>
public sealed class ProofException(string message) : Exception(message);
