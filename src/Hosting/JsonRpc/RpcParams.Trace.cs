using System.Text.Json;
using SuperVm.Hosting.JsonRpc.Tracing;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>Configurations of traces.</summary>
internal ref partial struct RpcParams
{
    private const int MaximumTracerName = 64;

    internal bool OptionalTraceOptions(out TraceOptions options)
    {
        options = new TraceOptions();
        if (!Optional())
        {
            return true;
        }

        if (!IsToken(JsonTokenType.StartObject, "a trace configuration"))
        {
            return false;
        }

        while (NextField())
        {
            var flag = false;
            var ok = _reader switch
            {
                _ when _reader.ValueTextEquals("tracer"u8) => NullField() || ReadTracer(options),
                _ when _reader.ValueTextEquals("tracerConfig"u8) => NullField() || ReadTracerConfig(options),
                _ when _reader.ValueTextEquals("disableStorage"u8) =>
                    NullField() || (ReadFlag(out flag) && (options.DisableStorage = flag) is var _),
                _ when _reader.ValueTextEquals("disableStack"u8) =>
                    NullField() || (ReadFlag(out flag) && (options.DisableStack = flag) is var _),
                _ when _reader.ValueTextEquals("enableMemory"u8) =>
                    NullField() || (ReadFlag(out flag) && (options.EnableMemory = flag) is var _),
                _ when _reader.ValueTextEquals("enableReturnData"u8) =>
                    NullField() || (ReadFlag(out flag) && (options.EnableReturnData = flag) is var _),
                _ when _reader.ValueTextEquals("limit"u8) =>
                    NullField() || (ReadQuantity64(out var limit) && (options.Limit = limit) is var _),
                _ => _reader.Read() && _reader.TrySkip(),
            };
            if (!ok)
            {
                return false;
            }
        }

        return true;
    }

    private bool ReadTracer(TraceOptions options)
    {
        if (_reader.TokenType != JsonTokenType.String || _reader.ValueSpan.Length > MaximumTracerName)
        {
            return Refuse("tracer is a name");
        }

        options.Tracer = _reader.GetString();
        return true;
    }

    private bool ReadTracerConfig(TraceOptions options)
    {
        if (!IsToken(JsonTokenType.StartObject, "a tracer's configuration"))
        {
            return false;
        }

        while (NextField())
        {
            var flag = false;
            var ok = _reader switch
            {
                _ when _reader.ValueTextEquals("onlyTopCall"u8) =>
                    NullField() || (ReadFlag(out flag) && (options.OnlyTopCall = flag) is var _),
                _ when _reader.ValueTextEquals("withLog"u8) =>
                    NullField() || (ReadFlag(out flag) && (options.WithLog = flag) is var _),
                _ => _reader.Read() && _reader.TrySkip(),
            };
            if (!ok)
            {
                return false;
            }
        }

        return true;
    }
}
