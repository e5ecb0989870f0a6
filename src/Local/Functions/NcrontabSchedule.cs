using System.Globalization;

namespace SuperVm.Local.Functions;

/// <summary>When a timer runs: an NCRONTAB expression of six fields, or a time span between runs.</summary>
/// <remarks>
/// <code>
/// second  minute  hour  day  month  day-of-week      each: *  n  a-b  a,b  * /n  a-b/n  jan…dec  sun…sat
/// </code>
/// Five fields have second 0. A time fits where all fields do, day and day-of-week both (as NCrontab has it, unlike
/// cron). Times are UTC.
/// </remarks>
public sealed class NcrontabSchedule
{
    /// <summary>How far ahead a run is looked for, in days; a schedule like 30 February has none.</summary>
    public const int MostDaysAhead = 366 * 8;

    private static readonly (int First, int Last)[] Ranges = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6)];
    private static readonly string[] Months =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    private static readonly string[] Days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

    private readonly ulong[]? _fields;
    private readonly TimeSpan _period;

    private NcrontabSchedule(ulong[]? fields, TimeSpan period)
    {
        _fields = fields;
        _period = period;
    }

    /// <summary>The schedule, or null where the text is none.</summary>
    public static NcrontabSchedule? Parse(string text)
    {
        var parts = text.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        if (parts.Length == 1)
        {
            return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var period) && period > TimeSpan.Zero
                ? new(null, period)
                : null;
        }

        if (parts.Length == 5)
        {
            parts = ["0", .. parts];
        }

        if (parts.Length != 6)
        {
            return null;
        }

        var fields = new ulong[6];
        for (var i = 0; i < 6; i++)
        {
            if (!TryField(parts[i], i, out fields[i]))
            {
                return null;
            }
        }

        return new(fields, default);
    }

    /// <summary>The first run after a time (never the time itself); null where there is none.</summary>
    public DateTimeOffset? Next(DateTimeOffset after)
    {
        if (_fields is null)
        {
            return after + _period;
        }

        var from = after.ToUniversalTime();
        var at = new DateTimeOffset(
            from.Year, from.Month, from.Day, from.Hour, from.Minute, from.Second, TimeSpan.Zero).AddSeconds(1);
        var last = from.AddDays(MostDaysAhead);
        while (at < last)
        {
            if (!Fits(4, at.Month) || !Fits(3, at.Day) || !Fits(5, (int)at.DayOfWeek))
            {
                at = new DateTimeOffset(at.Date, TimeSpan.Zero).AddDays(1);
            }
            else if (!Fits(2, at.Hour))
            {
                at = new DateTimeOffset(at.Date, TimeSpan.Zero).AddHours(at.Hour + 1);
            }
            else if (!Fits(1, at.Minute))
            {
                at = at.AddSeconds(60 - at.Second);
            }
            else if (!Fits(0, at.Second))
            {
                at = at.AddSeconds(1);
            }
            else
            {
                return at;
            }
        }

        return null;
    }

    private static bool TryField(string text, int field, out ulong bits)
    {
        bits = 0;
        foreach (var item in text.Split(','))
        {
            var halves = item.Split('/');
            var step = 1;
            if (halves.Length > 2 || (halves.Length == 2 && !(TryNumber(halves[1], out step) && step > 0)))
            {
                return false;
            }

            var (first, last) = Ranges[field];
            if (halves[0] != "*")
            {
                var ends = halves[0].Split('-');
                if (ends.Length > 2 || !TryValue(ends[0], field, out first))
                {
                    return false;
                }

                if (ends.Length == 2)
                {
                    if (!TryValue(ends[1], field, out last))
                    {
                        return false;
                    }
                }
                else if (halves.Length == 1)
                {
                    last = first;
                }
            }

            if (first > last)
            {
                return false;
            }

            for (var value = first; value <= last; value += step)
            {
                bits |= 1UL << value;
            }
        }

        return true;
    }

    private static bool TryValue(string text, int field, out int value)
    {
        var names = field switch { 4 => Months, 5 => Days, _ => [] };
        var name = text.Length >= 3 ? Array.IndexOf(names, text[..3].ToLowerInvariant()) : -1;
        var known = name >= 0 || TryNumber(text, out name);
        value = names == Months && known && char.IsLetter(text[0]) ? name + 1 : name;
        return known && value >= Ranges[field].First && value <= Ranges[field].Last;
    }

    private static bool TryNumber(string text, out int number)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);

    private bool Fits(int field, int value) => (_fields![field] >> value & 1) != 0;
}
