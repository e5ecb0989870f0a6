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
            if (!ReadTraceField(options))
            {
                return false;
            }
        }

        return true;
    }

    private bool ReadTraceField(TraceOptions options) => _reader switch
    {
        _ when Is("tracer"u8) => NullField() || ReadTracer(options),
        _ when Is("tracerConfig"u8) => NullField() || ReadTracerConfig(options),
        _ when Is("disableStorage"u8) => Field(options, AsFlag, static (to, flag) => to.DisableStorage = flag),
        _ when Is("disableStack"u8) => Field(options, AsFlag, static (to, flag) => to.DisableStack = flag),
        _ when Is("enableMemory"u8) => Field(options, AsFlag, static (to, flag) => to.EnableMemory = flag),
        _ when Is("enableReturnData"u8) => Field(options, AsFlag, static (to, flag) => to.EnableReturnData = flag),
        _ when Is("limit"u8) => Field(options, AsQuantity64, static (to, limit) => to.Limit = limit),
        _ when Is("stateOverrides"u8) => NullField() || ReadStateOverrides(options.StateOverrides = []),
        _ when Is("blockOverrides"u8) => NullField() || ReadBlockOverrides(options.BlockOverrides = new()),
        _ when Is("txIndex"u8) => NullField() || Refuse("txIndex is not known: a call is traced on a block's state"),
        _ => _reader.Read() && _reader.TrySkip(),
    };

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
            var ok = _reader switch
            {
                _ when Is("onlyTopCall"u8) => Field(options, AsFlag, static (to, flag) => to.OnlyTopCall = flag),
                _ when Is("withLog"u8) => Field(options, AsFlag, static (to, flag) => to.WithLog = flag),
                _ when Is("diffMode"u8) => Field(options, AsFlag, static (to, flag) => to.DiffMode = flag),
                _ when Is("disableCode"u8) => Field(options, AsFlag, static (to, flag) => to.DisableCode = flag),
                _ when Is("disableStorage"u8) =>
                    Field(options, AsFlag, static (to, flag) => to.DisableStorage = flag),
                _ when Is("includeEmpty"u8) => Field(options, AsFlag, static (to, flag) => to.IncludeEmpty = flag),
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
