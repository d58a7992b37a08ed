namespace ModelFs.Stores;

/// <summary>What kind of failure a store met; decides the errno and whether trying again can help.</summary>
public enum StoreErrorKind
{
    /// <summary>No such object, or no such bucket and its creation was refused.</summary>
    NotFound,

    /// <summary>Wrong or missing credentials, or missing rights.</summary>
    AccessDenied,

    /// <summary>The credentials are right, but may not list. What is read by its key may be allowed to them; of a key that gives no answer they can't tell whether it is there.</summary>
    ListingDenied,

    /// <summary>A publish or delete condition did not hold.</summary>
    PreconditionFailed,

    /// <summary>The revision that a read was pinned to is no longer there.</summary>
    RevisionChanged,

    /// <summary>The store is full or a quota is used up.</summary>
    QuotaExceeded,

    /// <summary>Unreachable, overloaded, stalled or broken off: worth another try.</summary>
    Unavailable,

    /// <summary>The settings can't be right: no such host, bad URL, untrusted certificate, wrong region.</summary>
    Misconfigured,

    /// <summary>The store answered with something that its protocol does not allow, or refuses the operation for good.</summary>
    Rejected,
}

/// <summary>A failure of a store, with one message that says what happened, to what, and what to do.</summary>
public sealed class StoreException : IOException
{
    /// <summary>Makes the failure.</summary>
    public StoreException(StoreErrorKind kind, string message, Exception? innerException = null)
        : base(message, innerException) => Kind = kind;

    /// <summary>What kind of failure it is.</summary>
    public StoreErrorKind Kind { get; }

    /// <summary>Whether the same call can succeed later without anybody changing the settings.</summary>
    public bool IsTransient => Kind is StoreErrorKind.Unavailable or StoreErrorKind.RevisionChanged;
}
