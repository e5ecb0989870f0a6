using System.Text.Json;
using SuperVm.Core.Ledger;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc.Simulation;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>The blocks of eth_simulateV1, and withdrawals.</summary>
internal ref partial struct RpcParams
{
    internal bool Simulation(out SimulationRequest request)
    {
        request = new SimulationRequest();
        if (!Required() || !IsToken(JsonTokenType.StartObject, "a simulation"))
        {
            return false;
        }

        while (NextField())
        {
            var flag = false;
            var ok = _reader switch
            {
                _ when _reader.ValueTextEquals("blockStateCalls"u8) => NullField() || ReadSimulatedBlocks(request),
                _ when _reader.ValueTextEquals("traceTransfers"u8) =>
                    NullField() || (ReadFlag(out flag) && (request.TraceTransfers = flag) is var _),
                _ when _reader.ValueTextEquals("validation"u8) =>
                    NullField() || (ReadFlag(out flag) && (request.Validation = flag) is var _),
                _ when _reader.ValueTextEquals("returnFullTransactions"u8) =>
                    NullField() || (ReadFlag(out flag) && (request.ReturnFullTransactions = flag) is var _),
                _ => _reader.Read() && _reader.TrySkip(),
            };
            if (!ok)
            {
                return false;
            }
        }

        return true;
    }

    private bool ReadSimulatedBlocks(SimulationRequest request)
    {
        if (!IsToken(JsonTokenType.StartArray, "an array of blocks"))
        {
            return false;
        }

        while (Inside())
        {
            var block = new SimulatedBlock();
            if (!IsToken(JsonTokenType.StartObject, "a block to simulate") || !ReadSimulatedBlock(block, request))
            {
                return false;
            }

            // One more than allowed is kept, so that the answer can say so.
            if (request.Blocks.Count <= SimulationRequest.MaximumBlocks)
            {
                request.Blocks.Add(block);
            }
        }

        return true;
    }

    private bool ReadSimulatedBlock(SimulatedBlock block, SimulationRequest request)
    {
        while (NextField())
        {
            var ok = _reader switch
            {
                _ when _reader.ValueTextEquals("blockOverrides"u8) =>
                    NullField() || ReadBlockOverrides(block.Overrides),
                _ when _reader.ValueTextEquals("stateOverrides"u8) =>
                    NullField() || ReadStateOverrides(block.Accounts),
                _ when _reader.ValueTextEquals("calls"u8) => NullField() || ReadCalls(block.Calls, request),
                _ => _reader.Read() && _reader.TrySkip(),
            };
            if (!ok)
            {
                return false;
            }
        }

        return true;
    }

    private bool ReadCalls(List<CallRequest> calls, SimulationRequest request)
    {
        if (!IsToken(JsonTokenType.StartArray, "an array of calls"))
        {
            return false;
        }

        while (Inside())
        {
            if (request.Blocks.Sum(block => block.Calls.Count) + calls.Count >= SimulationRequest.MaximumCalls)
            {
                return Refuse($"at most {SimulationRequest.MaximumCalls} calls");
            }

            if (!ReadCall(out var call))
            {
                return false;
            }

            calls.Add(call);
        }

        return true;
    }

    private bool ReadWithdrawals(List<Withdrawal> withdrawals)
    {
        if (!IsToken(JsonTokenType.StartArray, "an array of withdrawals"))
        {
            return false;
        }

        while (Inside())
        {
            if (withdrawals.Count >= MaximumListItems || !IsToken(JsonTokenType.StartObject, "a withdrawal")
                || !ReadWithdrawal(out var withdrawal))
            {
                return Refuse($"an array of at most {MaximumListItems} withdrawals is expected");
            }

            withdrawals.Add(withdrawal);
        }

        return true;
    }

    private bool ReadWithdrawal(out Withdrawal withdrawal)
    {
        ulong index = 0, validator = 0, amount = 0;
        Address address = default;
        withdrawal = null!;
        while (NextField())
        {
            var ok = _reader switch
            {
                _ when _reader.ValueTextEquals("index"u8) => FieldValue() && ReadQuantity64(out index),
                _ when _reader.ValueTextEquals("validatorIndex"u8) => FieldValue() && ReadQuantity64(out validator),
                _ when _reader.ValueTextEquals("address"u8) => FieldValue() && ReadAddress(out address),
                _ when _reader.ValueTextEquals("amount"u8) => FieldValue() && ReadQuantity64(out amount),
                _ => _reader.Read() && _reader.TrySkip(),
            };
            if (!ok)
            {
                return false;
            }
        }

        withdrawal = new Withdrawal(index, validator, address, amount);
        return true;
    }
}
