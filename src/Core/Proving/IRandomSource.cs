namespace SuperVm.Core.Proving;

/// <summary>The port to randomness that nobody else can know: blinding factors of proofs, weights of batches.</summary>
public interface IRandomSource
{
    /// <summary>Fills a span with unpredictable bytes.</summary>
    void Fill(Span<byte> bytes);
}
