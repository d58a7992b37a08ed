namespace ModelFs.CrashTests;

/// <summary>A case that takes too long for every run: it runs when it is asked for by <c>scripts/crash-test --what …</c>, which finds it by its category.</summary>
internal sealed class LongCaseAttribute : TestCaseAttribute
{
    public LongCaseAttribute(string what, params object?[] arguments)
        : base(arguments)
    {
        What = what;
        Explicit = true;
        Category = "Long";
        Reason = $"takes long: scripts/crash-test --what {what}";
    }

    /// <summary>The argument of <c>--what</c>.</summary>
    public string What { get; }
}
