using System.Text.Json;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;

namespace SuperVm.Hosting.JsonRpc.Shapes;

/// <summary>Merkle proofs as EIP-1186 describes them.</summary>
internal static class ProofJson
{
    internal static void Write(Utf8JsonWriter json, AccountProof proof)
    {
        json.WriteStartObject();
        json.WriteAddress("address"u8, proof.Address);
        WriteNodes(json, "accountProof"u8, proof.Nodes);
        json.WriteQuantity("balance"u8, proof.Account.Balance);
        json.WriteHash("codeHash"u8, proof.Account.CodeHash);
        json.WriteQuantity("nonce"u8, proof.Account.Nonce);
        json.WriteHash("storageHash"u8, proof.StorageRoot);
        json.WriteStartArray("storageProof"u8);
        foreach (var slot in proof.Slots)
        {
            json.WriteStartObject();
            json.WritePropertyName("key"u8);
            json.WriteWordValue(slot.Slot);
            json.WriteQuantity("value"u8, slot.Value);
            WriteNodes(json, "proof"u8, slot.Nodes);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteNodes(Utf8JsonWriter json, ReadOnlySpan<byte> name, IReadOnlyList<byte[]> nodes)
    {
        json.WriteStartArray(name);
        foreach (var node in nodes)
        {
            json.WriteHexValue(node);
        }

        json.WriteEndArray();
    }
}
