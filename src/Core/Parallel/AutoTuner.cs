using System.Globalization;
using System.Text;

namespace SuperVm.Core.Parallel;

/// <summary>
/// Finds the cheapest of several ways to do the same work, and keeps finding it while the work changes.
/// </summary>
/// <remarks>
/// Every choice ("arm") has a smoothed cost a unit of work. The cheapest runs; the others are tried again at intervals
/// that are the longer the more they lose, so that trying costs a hundredth, and begin anew when the running one's cost
/// jumps:
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

    /// <summary>Weight of a new observation in the smoothed cost.</summary>
    private const double Smoothing = 0.125;

    /// <summary>An arm must cost less than this part of the running one's cost to take its place.</summary>
    private const double Better = 0.95;

    /// <summary>Trials in a row that it must win before: pieces of work differ, and one may be easy.</summary>
    private const int WinsToTakeOver = 4;

    /// <summary>An observation this many times above or below the smoothed cost counts as a jump.</summary>
    private const double Jump = 1.6;

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

        var cost = elapsed / work;
        ref var observed = ref _arms[arm];
        if (arm == _running && IsOutlier(observed, cost))
        {
            return;
        }

        // A losing arm is seen seldom: what it cost long ago says nothing once it costs something else.
        var isStale = arm != _running && (cost > observed.Cost * Jump || cost < observed.Cost / Jump);
        observed.Cost = observed.Observations == 0 || isStale
            ? cost
            : observed.Cost + (Smoothing * (cost - observed.Cost));
        observed.Observations++;
        if (arm != _running)
        {
            Judge(arm, isSurprise: isStale);
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
                $"{arm.Name}: {arm.Cost:G4} {unit}, {arm.Observations} observations, {state}");
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
        var jumped = arm.Observations > 0 && (cost > arm.Cost * Jump || cost < arm.Cost / Jump);
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

    /// <summary>Says when a losing arm is tried again: soon, where its cost was a surprise.</summary>
    private void Judge(int arm, bool isSurprise)
    {
        ref var tried = ref _arms[arm];
        tried.Wins = tried.Cost < _arms[_running].Cost * Better ? tried.Wins + 1 : 0;
        tried.Interval = tried.Wins > 0 ? ConfirmingInterval
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

    private void TakeCheapest()
    {
        var cheapest = _running;
        for (var i = 0; i < _arms.Length; i++)
        {
            var toBeat = _arms[cheapest].Cost * (cheapest == _running ? Better : 1);
            if (_arms[i].Observations > 0 && _arms[i].Wins >= WinsToTakeOver && _arms[i].Cost < toBeat)
            {
                cheapest = i;
            }
        }

        if (cheapest != _running)
        {
            _arms[_running].NextTrial = _decisions + ShortestInterval;
            _arms[_running].Interval = ShortestInterval;
            _arms[_running].Wins = 0;
            _running = cheapest;
            _jumps = 0;
            Changes++;
        }
    }

    private struct Arm(string name)
    {
        public readonly string Name = name;
        public double Cost;
        public long Observations;
        public long NextTrial;
        public int Wins;
        public int Interval = ShortestInterval;
    }
}
