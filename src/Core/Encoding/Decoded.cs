using System.Diagnostics.CodeAnalysis;

namespace SuperVm.Core.Encoding;

/// <summary>What decoding bytes from outside answers: the value, or one sentence that says why there is none.</summary>
public readonly struct Decoded<T>
    where T : class
{
    private Decoded(T? value, string? error)
    {
        Value = value;
        Error = error;
    }

    public T? Value { get; }

    public string? Error { get; }

    [MemberNotNullWhen(true, nameof(Value))]
    [MemberNotNullWhen(false, nameof(Error))]
    public bool Succeeded => Value is not null;

    public static implicit operator Decoded<T>(T value) => new(value, null);

    public static Decoded<T> Refused(string error) => new(null, error);

    /// <summary>The value.</summary>
    /// <exception cref="RlpException">There is none; for bytes that this program wrote itself.</exception>
    public T OrThrow() => Value ?? throw new RlpException(Error ?? "Nothing was decoded.");
}
