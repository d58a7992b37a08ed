namespace ModelFs.Archives;

/// <summary>Why an archive was refused. It decides what the caller does next, and which errno a program sees.</summary>
public enum ArchiveErrorKind
{
    /// <summary>The bytes are not what a writer made: cut, flipped, padded with foreign data. Another download may help.</summary>
    Damaged,

    /// <summary>The archive is whole but asks for something that would leave the model folder or make a device. Only a new archive helps.</summary>
    Unsafe,

    /// <summary>The tree exceeds a limit of <see cref="UnpackLimits"/>.</summary>
    TooLarge,

    /// <summary>The archive uses a feature that a model folder can't hold: sparse files, encryption, names that are not UTF-8.</summary>
    Unsupported,
}

/// <summary>An archive was refused. The message says what is wrong, where in the archive, and what to do; nothing of the tree may be shown.</summary>
public sealed class ArchiveException : IOException
{
    /// <summary>Makes the error.</summary>
    /// <param name="kind">The class of the error.</param>
    /// <param name="message">What, where and what to do, for the operator.</param>
    /// <param name="innerException">What the underlying decoder said, if it said something.</param>
    public ArchiveException(ArchiveErrorKind kind, string message, Exception? innerException = null)
        : base(message, innerException) => Kind = kind;

    /// <summary>The class of the error.</summary>
    public ArchiveErrorKind Kind { get; }

    internal static ArchiveException Damaged(string what, Exception? innerException = null) =>
        new(ArchiveErrorKind.Damaged, $"{what}; the archive is damaged or incomplete: fetch it again, or upload it anew.", innerException);

    internal static ArchiveException Unsafe(string what) =>
        new(ArchiveErrorKind.Unsafe, $"{what}; nothing of this archive is used: pack the model again without it.");

    internal static ArchiveException TooLarge(string what) => new(ArchiveErrorKind.TooLarge, what + ".");

    internal static ArchiveException Unsupported(string what, string remedy) =>
        new(ArchiveErrorKind.Unsupported, $"{what}; {remedy}.");
}
