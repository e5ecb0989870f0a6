using System.Globalization;
using System.Text;

namespace SuperVm.Core.Parallel;

/// <summary>
/// Finds the cheapest of several ways to do the same work, and keeps finding it while the work changes.
/// </summary>
/// <remarks>
/// Every choice ("arm") has a smoothed cost a unit of work and a smoothed spread of it, both of the cost's logarithm.
/// The cheapest runs; the others are tried again at intervals that are the longer the more they lose, so that trying
/// costs a hundredth, and begin anew when the running one's cost jumps. Pieces of work differ: another arm takes over
/// when it is cheaper by more than what the spread explains.
/// <code>
///   Choose ─▶ due for a trial? ─▶ that arm            Observe ─▶ smooth its cost ─▶ cost jumped? ─▶ try all soon
///                    └──────────▶ the cheapest                        └─ a trial lost? ─▶ its interval by how much
/// </code>
/// It knows nothing of what the arms do. Not thread-safe; time comes in with the observations.
/// </remarks>
public sealed class AutoTuner
{
    /// <summary>Decisions after which a losing arm is tried again, at least and at most.</summary>
    private const int ShortestInterval = 8, LongestInterval = 16_384;

    /// <summary>Decisions after which a trial that won is confirmed.</summary>
    private const int ConfirmingInterval = 2;

    /// <summary>What trials may cost: one part in so many of all work.</summary>
    private const double TrialShare = 100;

    /// <summary>Weight of a new observation in the smoothed cost, once there are some.</summary>
    private const double Smoothing = 1.0 / 16;

    /// <summary>Observations that a smoothed cost is worth, at most: (2 − weight) / weight.</summary>
    private const double MostWorth = 31;

    /// <summary>An arm must cost less than this part of the running one's cost to take its place.</summary>
    private const double Better = 0.95;

    /// <summary>Standard errors that its advantage must exceed as well.</summary>
    private const double Certainty = 1.5;

    /// <summary>The least spread that is believed, in parts of the cost.</summary>
    private const double LeastSpread = 0.05;

    /// <summary>Observations that an arm needs to take over: one piece of work may be easy.</summary>
    private const int FewestObservations = 4;

    /// <summary>An observation this many times above or below the smoothed cost counts as a jump.</summary>
    private const double Jump = 1.6;

    /// <summary>As long as it is farther away than so many spreads.</summary>
    private const double JumpSpreads = 3;

    /// <summary>Jumps in a row that mean that the work has changed.</summary>
    private const int JumpsToReset = 5;

    private readonly Arm[] _arms;
    private long _decisions;
    private int _running;
    private int _jumps;

    public AutoTuner(IReadOnlyList<string> arms)
    {
        ArgumentOutOfRangeException.ThrowIfZero(arms.Count);
        _arms = [.. arms.Select(name => new Arm(name))];
    }

    /// <summary>The arm that has won so far.</summary>
    public int Best => _running;

    /// <summary>How often the winner changed.</summary>
    public long Changes { get; private set; }

    /// <summary>The arm to use for the next piece of work.</summary>
    public int Choose()
    {
        _decisions++;
        for (var i = 0; i < _arms.Length; i++)
        {
            if (i != _running && _arms[i].NextTrial <= _decisions)
            {
                return i;
            }
        }

        return _running;
    }

    /// <summary>Takes what a piece of work cost.</summary>
    /// <param name="arm">The arm that did it.</param>
    /// <param name="work">How much it was, in whatever unit (gas, transactions); not positive: ignored.</param>
    /// <param name="elapsed">What it took, in whatever unit of time.</param>
    public void Observe(int arm, double work, double elapsed)
    {
        if (work <= 0)
        {
            return;
        }

        var cost = Math.Log(Math.Max(elapsed, double.Epsilon) / work);
        ref var observed = ref _arms[arm];
        if (arm == _running && IsOutlier(observed, cost))
        {
            // It widens the spread, so that work which always differs so much is no surprise after a while.
            observed.Widen(cost);
            return;
        }

        // A losing arm is seen seldom: what it cost long ago says nothing once it costs something else.
        var isSurprise = arm != _running && observed.IsFar(cost);
        if (isSurprise)
        {
            observed.Widen(cost);
            observed.Observations = 0;
        }

        observed.Take(cost);
        if (arm != _running)
        {
            Judge(arm, isSurprise);
        }
        else
        {
            TakeCheapest();
        }
    }

    /// <summary>A few lines that say what runs and why.</summary>
    public string Explain(string unit)
    {
        var text = new StringBuilder();
        for (var i = 0; i < _arms.Length; i++)
        {
            var arm = _arms[i];
            var state = i == _running ? "runs" : $"tried again after {arm.Interval} decisions";
            text.AppendLine(CultureInfo.InvariantCulture,
                $"{arm.Name}: {arm.Cost:G4} {unit} (spread {arm.Spread:P0}), {arm.Observations} observations, {state}");
        }

        return text.Append(CultureInfo.InvariantCulture,
            $"{_decisions} decisions, {Changes} changes of the winner").ToString();
    }

    /// <summary>
    /// Whether the running arm's cost is far from what it was: noise a few times, then a sign that the work has
    /// changed, whereupon all arms begin anew.
    /// </summary>
    private bool IsOutlier(in Arm arm, double cost)
    {
        var jumped = arm.IsFar(cost);
        _jumps = jumped ? _jumps + 1 : 0;
        if (_jumps < JumpsToReset)
        {
            return jumped;
        }

        _jumps = 0;
        for (var i = 0; i < _arms.Length; i++)
        {
            _arms[i].Interval = ShortestInterval;
            _arms[i].NextTrial = _decisions + 1 + i;
            _arms[i].Observations = 0;
        }

        return false;
    }

    /// <summary>Says when a losing arm is tried again: soon, where it may win or its cost was a surprise.</summary>
    private void Judge(int arm, bool isSurprise)
    {
        ref var tried = ref _arms[arm];
        var mayWin = _arms[_running].Observations > 0 && Advantage(tried) > 0;
        tried.Interval = mayWin ? ConfirmingInterval
            : isSurprise || _arms[_running].Observations == 0 ? ShortestInterval : IntervalOf(tried);
        tried.NextTrial = _decisions + tried.Interval;
        TakeCheapest();
    }

    /// <summary>The longer, the more a trial costs beyond what the winner would have cost.</summary>
    private int IntervalOf(in Arm tried)
    {
        var loss = (tried.Cost / _arms[_running].Cost) - 1;
        return (int)Math.Clamp(loss * TrialShare, ShortestInterval, LongestInterval);
    }

    /// <summary>By how much more an arm is cheaper than it must be, in logarithms; certainty not counted.</summary>
    private double Advantage(in Arm arm) => _arms[_running].Mean - arm.Mean + Math.Log(Better);

    private void TakeCheapest()
    {
        var (cheapest, best) = (_running, 0.0);
        for (var i = 0; i < _arms.Length; i++)
        {
            ref var arm = ref _arms[i];
            if (i == _running || arm.Observations < FewestObservations || _arms[_running].Observations == 0)
            {
                continue;
            }

            var error = Math.Sqrt(arm.SquaredError + _arms[_running].SquaredError);
            var advantage = Advantage(arm) - (Certainty * error);
            if (advantage > best)
            {
                (cheapest, best) = (i, advantage);
            }
        }

        if (cheapest != _running)
        {
            _arms[_running].NextTrial = _decisions + ShortestInterval;
            _arms[_running].Interval = ShortestInterval;
            _running = cheapest;
            _jumps = 0;
            Changes++;
        }
    }

    /// <summary>A choice and what it has cost so far.</summary>
    private struct Arm(string name)
    {
        public readonly string Name = name;
        public double Mean;
        public double Variance;
        public long Observations;
        public long NextTrial;
        public int Interval = ShortestInterval;

        internal readonly double Cost => Observations == 0 ? 0 : Math.Exp(Mean);

        internal readonly double Spread => Math.Max(Math.Sqrt(Variance), LeastSpread);

        internal readonly double SquaredError => Spread * Spread / Math.Min(Observations, MostWorth);

        internal readonly bool IsFar(double cost) =>
            Observations > 0 && Math.Abs(cost - Mean) > Math.Max(Math.Log(Jump), JumpSpreads * Math.Sqrt(Variance));

        internal void Take(double cost)
        {
            Observations++;
            var weight = Math.Max(1.0 / Observations, Smoothing);
            var distance = cost - Mean;
            Mean = Observations == 1 ? cost : Mean + (weight * distance);
            if (Observations > 1)
            {
                Variance = (1 - weight) * (Variance + (weight * distance * distance));
            }
        }

        internal void Widen(double cost)
        {
            var distance = Math.Min(Math.Abs(cost - Mean), 2 * Math.Log(Jump));
            Variance = (1 - Smoothing) * (Variance + (Smoothing * distance * distance));
        }
    }
}
