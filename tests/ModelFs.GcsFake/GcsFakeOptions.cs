namespace ModelFs.GcsFake;

/// <summary>How a fake server behaves.</summary>
public sealed record GcsFakeOptions
{
    /// <summary>Whether requests without a token that its own token endpoint gave are refused.</summary>
    public bool RequiresToken { get; init; }

    /// <summary>Whether it speaks https, with a certificate of an authority of its own.</summary>
    public bool UsesTls { get; init; }

    /// <summary>Whether it takes no notice of conditions, as some emulators do.</summary>
    public bool IgnoresConditions { get; init; }

    /// <summary>Of the tokens that it gives.</summary>
    public TimeSpan TokenLifetime { get; init; } = TimeSpan.FromHours(1);
}
