using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using SuperVm.Core.Node;
using SuperVm.Core.Primitives;

namespace SuperVm.Cli.Commands;

/// <summary>A block's proof in a file: RLP in hex.</summary>
internal sealed record ProofEntry(string Block, string? Attestation, string? Commit);

/// <summary>What `supervm verify-block --export FILE` writes and `--file FILE` reads.</summary>
/// <param name="Epochs">The steps from epoch 0 on, RLP in hex.</param>
/// <param name="Blocks">Blocks in order.</param>
internal sealed record ProofFile(List<string> Epochs, List<ProofEntry> Blocks);

/// <summary>Where a light verification takes its proofs from; nothing of it is trusted.</summary>
internal interface IProofSource
{
    /// <summary>The step to an epoch from 1 up; null where there is none.</summary>
    Task<byte[]?> EpochAsync(ulong number, CancellationToken cancellation);

    /// <summary>A final block; null where there is none.</summary>
    Task<BlockProof?> BlockAsync(ulong number, CancellationToken cancellation);

    /// <summary>The newest final block that the source speaks of.</summary>
    Task<ulong> NewestAsync(CancellationToken cancellation);
}

/// <summary>A node's JSON-RPC.</summary>
internal sealed class RpcProofs(HttpClient client, Uri url) : IProofSource
{
    /// <summary>An answer holds a block of 8 MiB in hex, and its signatures.</summary>
    internal const long MaximumAnswerBytes = 32 << 20;

    public async Task<byte[]?> EpochAsync(ulong number, CancellationToken cancellation) =>
        BytesOf(await CallAsync("supervm_getValidators", $"0x{number:x}", cancellation), "proof");

    public async Task<BlockProof?> BlockAsync(ulong number, CancellationToken cancellation)
    {
        var answer = await CallAsync("supervm_getCertificate", $"0x{number:x}", cancellation);
        return BytesOf(answer, "block") is { } block
            ? new BlockProof(block, BytesOf(answer, "raw"), BytesOf(answer, "commit"))
            : null;
    }

    public async Task<ulong> NewestAsync(CancellationToken cancellation)
    {
        var block = await CallAsync("eth_getBlockByNumber", "finalized", cancellation, false);
        return block.ValueKind == JsonValueKind.Object
            && UInt256.TryParse(block.GetProperty("number").GetString(), out var number)
            ? number.ToUInt64Saturating()
            : throw new InvalidConfigurationException($"{url} tells no finalized block");
    }

    private async Task<JsonElement> CallAsync(
        string method, string parameter, CancellationToken cancellation, params object[] more)
    {
        var answer = await new RpcClient(client, url).AskAsync(method, cancellation, [parameter, .. more]);
        return answer.Result
            ?? throw new InvalidConfigurationException($"{url} answers {method} with {answer.Message}");
    }

    private static byte[]? BytesOf(JsonElement answer, string name) =>
        answer.ValueKind == JsonValueKind.Object && answer.TryGetProperty(name, out var text)
            && text.ValueKind == JsonValueKind.String && Hex.TryDecode(text.GetString()!, out var bytes)
            ? bytes
            : null;
}

/// <summary>A file of proofs.</summary>
internal sealed class FileProofs : IProofSource
{
    private const long MaximumBytes = 1L << 30;

    private readonly List<byte[]> _epochs;
    private readonly Dictionary<ulong, BlockProof> _blocks = [];

    /// <exception cref="InvalidConfigurationException">No such file, or no proofs in it.</exception>
    internal FileProofs(string path)
    {
        var file = new FileInfo(path);
        if (!file.Exists || file.Length > MaximumBytes)
        {
            throw new InvalidConfigurationException($"{path}: no such file, or too large");
        }

        try
        {
            var read = JsonSerializer.Deserialize(File.ReadAllBytes(path), ProofJson.Default.ProofFile)
                ?? throw new InvalidConfigurationException($"{path} is empty");
            _epochs = [.. read.Epochs.Select(text => Bytes(text)!)];
            foreach (var entry in read.Blocks)
            {
                var proof = new BlockProof(Bytes(entry.Block)!, Bytes(entry.Attestation), Bytes(entry.Commit));
                _blocks[NumberOf(proof.Block)] = proof;
            }
        }
        catch (Exception broken) when (broken is JsonException or FormatException)
        {
            throw new InvalidConfigurationException($"{path} holds no proofs: {broken.Message}");
        }
    }

    public Task<byte[]?> EpochAsync(ulong number, CancellationToken cancellation) =>
        Task.FromResult(number <= (ulong)_epochs.Count ? _epochs[(int)number - 1] : null);

    public Task<BlockProof?> BlockAsync(ulong number, CancellationToken cancellation) =>
        Task.FromResult(_blocks.GetValueOrDefault(number));

    public Task<ulong> NewestAsync(CancellationToken cancellation) =>
        Task.FromResult(_blocks.Count > 0 ? _blocks.Keys.Max() : 0);

    private static byte[]? Bytes(string? text) => text is null
        ? null
        : Hex.TryDecode(text, out var bytes) ? bytes : throw new FormatException("a proof is not in hex");

    private static ulong NumberOf(byte[] block)
    {
        var decoded = Core.Ledger.BlockCodec.Decode(block);
        return decoded.Succeeded
            ? decoded.Value.Header.Number
            : throw new FormatException($"a block is malformed: {decoded.Error}");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ProofFile))]
internal sealed partial class ProofJson : JsonSerializerContext;
