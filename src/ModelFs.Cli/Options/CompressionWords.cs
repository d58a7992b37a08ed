using ModelFs.Archives;

namespace ModelFs.Cli.Options;

/// <summary>How options write what is compressed.</summary>
internal static class CompressionWords
{
    /// <summary>The words, with what they are.</summary>
    public static (string Word, PackCompression Value)[] All { get; } =
    [
        ("auto", PackCompression.Auto), ("store", PackCompression.Store), ("fast", PackCompression.Fast), ("small", PackCompression.Small),
    ];
}
