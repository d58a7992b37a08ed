using Microsoft.AspNetCore.Http;

namespace ModelFs.GcsFake;

/// <summary>What goes wrong with a request.</summary>
public abstract record GcsFault
{
    /// <summary>The server answers with a status and a reason, and does nothing.</summary>
    public static GcsFault Answer(int status, string reason) => new AnswerFault(status, reason);

    /// <summary>The connection breaks when so many bytes of the request's body have arrived; an upload session keeps them.</summary>
    public static GcsFault CutAfter(long bytes) => new CutFault(bytes);

    /// <summary>The server does what it was asked to, and the connection breaks before the answer.</summary>
    public static GcsFault LoseAnswer { get; } = new LoseAnswerFault();

    /// <summary>Nothing happens until the client hangs up.</summary>
    public static GcsFault Stall { get; } = new StallFault();

    /// <summary>The last byte of the bytes sent is wrong.</summary>
    public static GcsFault Corrupt { get; } = new CorruptFault();

    internal sealed record AnswerFault(int Status, string Reason) : GcsFault;

    internal sealed record CutFault(long Bytes) : GcsFault;

    internal sealed record LoseAnswerFault : GcsFault;

    internal sealed record StallFault : GcsFault;

    internal sealed record CorruptFault : GcsFault;
}

/// <summary>The faults that tests have ordered, each for a number of requests.</summary>
public sealed class GcsFaults
{
    private readonly Lock _lock = new();
    private readonly List<(Func<HttpRequest, bool> When, GcsFault Fault, int Left)> _rules = [];

    /// <summary>Orders a fault for the next requests that a condition holds for.</summary>
    public void Add(Func<HttpRequest, bool> when, GcsFault fault, int times = 1)
    {
        lock (_lock)
        {
            _rules.Add((when, fault, times));
        }
    }

    internal GcsFault? Take(HttpRequest request)
    {
        lock (_lock)
        {
            var at = _rules.FindIndex(rule => rule.Left > 0 && rule.When(request));
            if (at < 0)
            {
                return null;
            }

            _rules[at] = _rules[at] with { Left = _rules[at].Left - 1 };
            return _rules[at].Fault;
        }
    }
}
