namespace ModelFs.Fuse;

/// <summary>What the session needs to know of any answer: whether it is an error.</summary>
internal interface IFuseResult
{
    /// <summary>The error, or <see cref="FuseErrno.None"/>.</summary>
    FuseErrno Errno { get; }
}

/// <summary>The answer of an operation that returns nothing but success or an error. The default value is success.</summary>
public readonly struct FuseResult : IFuseResult, IEquatable<FuseResult>
{
    private FuseResult(FuseErrno errno) => Errno = errno;

    /// <summary>Success.</summary>
    public static FuseResult Success => default;

    /// <summary>The error, or <see cref="FuseErrno.None"/>.</summary>
    public FuseErrno Errno { get; }

    /// <summary>True when there is no error.</summary>
    public bool IsSuccess => Errno == FuseErrno.None;

    /// <summary>An answer with an error.</summary>
    /// <param name="errno">The error; <see cref="FuseErrno.None"/> is success.</param>
    public static implicit operator FuseResult(FuseErrno errno) => new(errno);

    /// <summary>The same as the implicit conversion, for languages without it.</summary>
    /// <param name="errno">The error.</param>
    public static FuseResult FromFuseErrno(FuseErrno errno) => new(errno);

    /// <summary>Compares two answers.</summary>
    public static bool operator ==(FuseResult left, FuseResult right) => left.Equals(right);

    /// <summary>Compares two answers.</summary>
    public static bool operator !=(FuseResult left, FuseResult right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(FuseResult other) => Errno == other.Errno;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is FuseResult other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => (int)Errno;

    /// <inheritdoc/>
    public override string ToString() => IsSuccess ? "ok" : Errno.ToString();
}
