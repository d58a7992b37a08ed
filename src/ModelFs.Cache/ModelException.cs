namespace ModelFs.Cache;

/// <summary>Why a model can't be read, changed or published; each kind is one errno to a program (the mount's errno table).</summary>
public enum ModelErrorKind
{
    /// <summary>There is no such model.</summary>
    NotFound,

    /// <summary>The store refuses: credentials or rights.</summary>
    AccessDenied,

    /// <summary>The archive is damaged, or holds what must not be unpacked.</summary>
    BadArchive,

    /// <summary>The model, or the change, does not fit here or in the store.</summary>
    NoSpace,

    /// <summary>The store can't be reached or answers with an error that may pass.</summary>
    Unavailable,

    /// <summary>A program has a file of the model open for writing, or a fetch or publish is in the way.</summary>
    Busy,

    /// <summary>The store holds a version that the local change does not descend from.</summary>
    Conflict,

    /// <summary>Not allowed by the mount's settings.</summary>
    NotPermitted,

    /// <summary>The cache's own disk failed.</summary>
    CacheFailed,
}

/// <summary>A model can't be used as asked; the message says what happened, to what, and what to do.</summary>
public sealed class ModelException : IOException
{
    /// <summary>Makes the failure.</summary>
    public ModelException(ModelErrorKind kind, string message, Exception? innerException = null)
        : base(message, innerException) => Kind = kind;

    /// <summary>What kind of failure it is.</summary>
    public ModelErrorKind Kind { get; }
}
