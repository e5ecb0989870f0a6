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
            var ok = _reader switch
            {
                _ when Is("blockStateCalls"u8) => NullField() || ReadSimulatedBlocks(request),
                _ when Is("traceTransfers"u8) =>
                    Field(request, AsFlag, static (to, flag) => to.TraceTransfers = flag),
                _ when Is("validation"u8) => Field(request, AsFlag, static (to, flag) => to.Validation = flag),
                _ when Is("returnFullTransactions"u8) =>
                    Field(request, AsFlag, static (to, flag) => to.ReturnFullTransactions = flag),
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
                _ when Is("blockOverrides"u8) =>
                    NullField() || ReadBlockOverrides(block.Overrides),
                _ when Is("stateOverrides"u8) =>
                    NullField() || ReadStateOverrides(block.Accounts),
                _ when Is("calls"u8) => NullField() || ReadCalls(block.Calls, request),
                _ => _reader.Read() && _reader.TrySkip(),
            };
            if (!ok)
            {
                return false;
            }
        }

        return true;
    }

    private bool ReadCalls(List<CallRequest> calls, SimulationRequest request) => ReadList(
        calls, SimulationRequest.MaximumCalls - request.Blocks.Sum(block => block.Calls.Count), "calls",
        static (ref self, out call) => self.ReadCall(out call));

    private bool ReadWithdrawals(List<Withdrawal> withdrawals) => ReadList(
        withdrawals, MaximumListItems, "withdrawals", static (ref self, out one) => self.ReadWithdrawal(out one));

    private bool ReadWithdrawal(out Withdrawal withdrawal)
    {
        ulong index = 0, validator = 0, amount = 0;
        Address address = default;
        withdrawal = null!;
        if (!IsToken(JsonTokenType.StartObject, "a withdrawal"))
        {
            return false;
        }

        while (NextField())
        {
            var ok = _reader switch
            {
                _ when Is("index"u8) => FieldValue() && ReadQuantity64(out index),
                _ when Is("validatorIndex"u8) => FieldValue() && ReadQuantity64(out validator),
                _ when Is("address"u8) => FieldValue() && ReadAddress(out address),
                _ when Is("amount"u8) => FieldValue() && ReadQuantity64(out amount),
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
