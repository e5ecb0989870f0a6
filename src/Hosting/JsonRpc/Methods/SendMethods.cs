using System.Buffers;
using SuperVm.Core.Cryptography;
using SuperVm.Core.Execution;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Core.State;
using SuperVm.Hosting.JsonRpc.Shapes;
using SuperVm.Hosting.Nodes;

namespace SuperVm.Hosting.JsonRpc.Methods;

/// <summary>Submission of transactions, and signing with the node's development keys.</summary>
internal sealed class SendMethods(Node node, BlockResolver blocks, CallMethods calls) : IRpcModule, IRawTransactionSink
{
    /// <summary>Raw transactions whose signatures are checked at once.</summary>
    private const int MaximumGroup = 1_024;

    private readonly Dictionary<Address, DevAccount> _accounts =
        node.Options.Accounts.DistinctBy(account => account.Address).ToDictionary(account => account.Address);

    private readonly Lock _nonces = new();

    public IEnumerable<(string Name, RpcHandler Handler)> Methods =>
    [
        ("eth_sendRawTransaction", SendRaw),
        ("eth_accounts", Accounts),
        ("eth_sendTransaction", Send),
        ("eth_signTransaction", SignTransaction),
        ("eth_fillTransaction", FillTransaction),
        ("eth_sign", Sign),
        ("personal_sign", PersonalSign),
    ];

    /// <summary>Answers neighbouring eth_sendRawTransaction requests of a batch.</summary>
    public int Send(ReadOnlySpan<byte> body, List<RpcRequest> requests, int start, int count, RpcReply reply)
    {
        var refused = 0;
        for (var done = 0; done < count; done += MaximumGroup)
        {
            refused += SendGroup(body, requests, start + done, Math.Min(MaximumGroup, count - done), reply);
        }

        return refused;
    }

    /// <summary>Begins to submit a single one; others that come meanwhile go with it.</summary>
    public RpcError? Begin(ReadOnlySpan<byte> parameters, RpcLimits limits, out ValueTask<Submission> submission)
    {
        submission = default;
        var reader = new RpcParams(parameters, limits);
        if (ReadRaw(ref reader, out var candidate) is { } malformed)
        {
            return malformed;
        }

        if (candidate.Transaction is null)
        {
            return RpcError.Server(candidate.Error!);
        }

        submission = node.Submissions.SubmitAsync(candidate);
        return null;
    }

    private int SendGroup(ReadOnlySpan<byte> body, List<RpcRequest> requests, int start, int count, RpcReply reply)
    {
        var refused = 0;
        var candidates = new TransactionIngest.Candidate[count];
        var errors = new RpcError?[count];
        for (var i = 0; i < count; i++)
        {
            var parameters = new RpcParams(body[requests[start + i].Params], reply.Limits);
            errors[i] = ReadRaw(ref parameters, out candidates[i]);
        }

        var answers = new Submission[count];
        node.Ingest.Submit(candidates, answers);
        for (var i = 0; i < count; i++)
        {
            var id = body[requests[start + i].Id];
            var error = errors[i] ?? RpcError.Of(answers[i]);
            refused += error is null ? 0 : 1;
            RpcDispatcher.Separate(reply);
            IRawTransactionSink.Write(reply, id, answers[i], error);
        }

        return refused;
    }

    private RpcError? SendRaw(ref RpcParams parameters, RpcReply reply)
    {
        if (ReadRaw(ref parameters, out var candidate) is { } malformed)
        {
            return malformed;
        }

        if (candidate.Transaction is null)
        {
            return RpcError.Server(candidate.Error!);
        }

        return WriteHash(node.Ingest.Submit(candidate.Transaction), reply);
    }

    /// <summary>Reads the only argument; what is hex but no transaction is an error within the candidate.</summary>
    private static RpcError? ReadRaw(ref RpcParams parameters, out TransactionIngest.Candidate candidate)
    {
        candidate = new TransactionIngest.Candidate { Error = "no transaction" };
        if (!parameters.RawData(out var buffer, out var length))
        {
            return parameters.Error;
        }

        candidate = TransactionIngest.Decode(buffer.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(buffer);
        return parameters.End() ? null : parameters.Error;
    }

    private RpcError? Accounts(ref RpcParams parameters, RpcReply reply)
    {
        reply.Json.WriteStartArray();
        foreach (var account in node.Options.Accounts)
        {
            reply.Json.WriteHexValue(account.Address.Bytes);
        }

        reply.Json.WriteEndArray();
        return parameters.End() ? null : parameters.Error;
    }

    private RpcError? Send(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Call(out var call) || !parameters.End())
        {
            return parameters.Error;
        }

        // Nonces are given out one at a time, so that two requests at once do not get the same.
        lock (_nonces)
        {
            return TrySign(call, out var signed) ?? WriteHash(node.Ingest.Submit(signed), reply);
        }
    }

    private RpcError? SignTransaction(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Call(out var call) || !parameters.End())
        {
            return parameters.Error;
        }

        if (TrySign(call, out var signed) is { } error)
        {
            return error;
        }

        reply.Json.WriteStartObject();
        reply.Json.WriteHex("raw"u8, TransactionCodec.Encode(signed));
        reply.Json.WritePropertyName("tx"u8);
        TransactionJson.Write(reply.Json, signed, null);
        reply.Json.WriteEndObject();
        return null;
    }

    /// <summary>What eth_sendTransaction would sign, of any sender.</summary>
    private RpcError? FillTransaction(ref RpcParams parameters, RpcReply reply)
    {
        if (!parameters.Call(out var call) || !parameters.End())
        {
            return parameters.Error;
        }

        if (TryFill(call, call.From ?? Address.Zero, out var filled) is { } error)
        {
            return error;
        }

        filled.Hash = TransactionCodec.HashOf(filled);
        reply.Json.WriteStartObject();
        reply.Json.WriteHex("raw"u8, TransactionCodec.Encode(filled));
        reply.Json.WritePropertyName("tx"u8);
        TransactionJson.Write(reply.Json, filled, null);
        reply.Json.WriteEndObject();
        return null;
    }

    private RpcError? Sign(ref RpcParams parameters, RpcReply reply) =>
        !parameters.Address(out var address) || !parameters.Data(out var data) || !parameters.End()
            ? parameters.Error
            : SignMessage(address, data, reply);

    private RpcError? PersonalSign(ref RpcParams parameters, RpcReply reply) =>
        !parameters.Data(out var data) || !parameters.Address(out var address) || !parameters.End()
            ? parameters.Error
            : SignMessage(address, data, reply);

    /// <summary>r, s and v over the message with Ethereum's prefix (ERC-191, version 0x45).</summary>
    private RpcError? SignMessage(in Address address, byte[] message, RpcReply reply)
    {
        if (!_accounts.TryGetValue(address, out var account))
        {
            return RpcError.Server("unknown account");
        }

        var prefix = System.Text.Encoding.ASCII.GetBytes($"\u0019Ethereum Signed Message:\n{message.Length}");
        var signature = Secp256k1.Sign(Keccak256.Hash([.. prefix, .. message]), account.PrivateKey);
        Span<byte> bytes = stackalloc byte[65];
        signature.R.WriteBigEndian(bytes);
        signature.S.WriteBigEndian(bytes[32..]);
        bytes[64] = (byte)(27 + signature.YParity);
        reply.Json.WriteHexValue(bytes);
        return null;
    }

    /// <summary>Fills in what the request leaves open and signs it.</summary>
    private RpcError? TrySign(CallRequest call, out Transaction signed)
    {
        signed = null!;
        if (call.From is not { } from)
        {
            return RpcError.InvalidParams("missing from");
        }

        var hasKey = _accounts.TryGetValue(from, out var account);
        if (!hasKey && !node.Impersonations.Allows(from))
        {
            return RpcError.Server("unknown account");
        }

        if (TryFill(call, from, out var filled) is { } error)
        {
            return error;
        }

        signed = hasKey ? TransactionSigner.Sign(filled, account!.PrivateKey) : Impersonation.Send(filled, from);
        return null;
    }

    /// <summary>Fills in what the request leaves open, from pool, fees and an estimate.</summary>
    private RpcError? TryFill(CallRequest call, in Address from, out Transaction filled)
    {
        filled = null!;
        var latest = BlockReference.Latest;
        if (blocks.TryCallContext(latest, out var block, out var state) is { } error)
        {
            return error;
        }

        var rules = node.Producer.Next.Rules;
        if (!rules.Eip1559 && call.TransactionType == TransactionType.DynamicFee)
        {
            call.Type ??= (ulong)TransactionType.Legacy;
        }

        state.ReadAccount(from, out var sender);
        var nonce = call.Nonce ?? node.Pool.NextNonce(from) ?? sender.Nonce;
        var (cap, tip) = Fees(call);
        if (call.Gas is not { } gas && calls.Estimate(call, block, PendingOr(state), out gas) is { } failure)
        {
            return failure;
        }

        filled = call.ToTransaction(rules.Eip155 ? node.Chain.ChainId : null, nonce, gas, cap, tip);
        return null;
    }

    /// <summary>An estimate counts with what waits in the pool, where something does.</summary>
    private IStateReader PendingOr(IStateReader state) => node.Pool.Count > 0 ? node.Pending.Get().State : state;

    private (UInt256 Cap, UInt256 Tip) Fees(CallRequest call)
    {
        var baseFee = node.Producer.Next.BaseFee;
        if (call.TransactionType is TransactionType.Legacy or TransactionType.AccessList)
        {
            var price = call.GasPrice ?? baseFee + node.Fees.SuggestTip();
            return (price, price);
        }

        var tip = call.MaxPriorityFeePerGas ?? node.Fees.SuggestTip();
        var cap = call.MaxFeePerGas ?? (baseFee * 2) + tip;
        return (cap, call.MaxPriorityFeePerGas is null && tip > cap ? cap : tip);
    }

    private static RpcError? WriteHash(in Submission answer, RpcReply reply)
    {
        if (RpcError.Of(answer) is { } error)
        {
            return error;
        }

        reply.Json.WriteHexValue(answer.Hash.Bytes);
        return null;
    }
}
