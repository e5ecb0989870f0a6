using System.Text.Json;
using SuperVm.Core.Primitives;
using SuperVm.Hosting.JsonRpc.Methods;

namespace SuperVm.Hosting.JsonRpc;

/// <summary>Log filters.</summary>
internal ref partial struct RpcParams
{
    private const int MaximumTopics = 4;

    /// <summary>A filter object of eth_getLogs.</summary>
    internal bool Filter(out LogFilter filter)
    {
        filter = new LogFilter();
        return Required() && ReadFilter(filter);
    }

    /// <summary>The same where it may be left out: then every log is asked for.</summary>
    internal bool OptionalFilter(out LogFilter filter)
    {
        filter = new LogFilter();
        return !Optional() || ReadFilter(filter);
    }

    private bool ReadFilter(LogFilter filter)
    {
        if (!IsToken(JsonTokenType.StartObject, "a filter object"))
        {
            return false;
        }

        while (NextField())
        {
            if (!ReadFilterField(filter))
            {
                return false;
            }
        }

        return filter.BlockHash is null || (filter.From is null && filter.To is null)
            || Refuse("cannot specify both BlockHash and FromBlock/ToBlock, choose one or the other");
    }

    private bool ReadFilterField(LogFilter filter) => _reader switch
    {
        _ when Is("blockHash"u8) => Field(filter, AsHash, static (to, hash) => to.BlockHash = hash),
        _ when Is("fromBlock"u8) => Field(filter, AsBlock, static (to, from) => to.From = from),
        _ when Is("toBlock"u8) => Field(filter, AsBlock, static (to, until) => to.To = until),
        _ when Is("address"u8) => NullField() || ReadAddresses(filter.Addresses),
        _ when Is("topics"u8) => NullField() || ReadTopics(filter.Topics),
        _ => _reader.Read() && _reader.TrySkip(),
    };

    private bool ReadAddresses(List<Address> addresses)
    {
        if (_reader.TokenType != JsonTokenType.StartArray)
        {
            var ok = ReadAddress(out var single);
            addresses.Add(single);
            return ok;
        }

        return ReadList(addresses, Limits.MaximumFilterValues, "addresses", AsAddress);
    }

    private bool ReadTopics(List<List<Hash256>> topics)
    {
        if (!IsToken(JsonTokenType.StartArray, "an array of topics"))
        {
            return false;
        }

        while (Inside())
        {
            if (topics.Count >= MaximumTopics)
            {
                return Refuse("exceed max topics");
            }

            var place = new List<Hash256>();
            topics.Add(place);
            if (_reader.TokenType != JsonTokenType.Null && !ReadTopicPlace(place))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>One topic, or an array of alternatives; a null among them stands for every topic.</summary>
    private bool ReadTopicPlace(List<Hash256> place)
    {
        if (_reader.TokenType != JsonTokenType.StartArray)
        {
            var ok = ReadHash(out var single);
            place.Add(single);
            return ok;
        }

        var isWildcard = false;
        while (Inside())
        {
            if (_reader.TokenType == JsonTokenType.Null)
            {
                isWildcard = true;
                continue;
            }

            if (place.Count >= Limits.MaximumFilterValues)
            {
                return Refuse($"exceed max alternatives {Limits.MaximumFilterValues}");
            }

            if (!ReadHash(out var topic))
            {
                return false;
            }

            place.Add(topic);
        }

        if (isWildcard)
        {
            place.Clear();
        }

        return true;
    }
}
