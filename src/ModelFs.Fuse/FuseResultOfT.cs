using System.Diagnostics.CodeAnalysis;

namespace ModelFs.Fuse;

/// <summary>The answer of an operation: a value, or an error. Both convert to it implicitly.</summary>
/// <typeparam name="T">What the operation answers when it succeeds.</typeparam>
[SuppressMessage("Performance", "CA1815", Justification = "An answer is passed on, not compared.")]
[SuppressMessage("Usage", "CA2225", Justification = "Success and Failure are the named alternates.")]
[SuppressMessage("Design", "CA1000", Justification = "The named alternates of the conversions.")]
public readonly struct FuseResult<T> : IFuseResult
{
    private readonly T value;

    private FuseResult(T value, FuseErrno errno)
    {
        this.value = value;
        Errno = errno;
    }

    /// <summary>The error, or <see cref="FuseErrno.None"/>.</summary>
    public FuseErrno Errno { get; }

    /// <summary>True when there is a value.</summary>
    public bool IsSuccess => Errno == FuseErrno.None;

    /// <summary>The value.</summary>
    /// <exception cref="InvalidOperationException">The answer is an error.</exception>
    public T Value => IsSuccess ? value : throw new InvalidOperationException($"The answer is {Errno} and has no value.");

    /// <summary>An answer with a value.</summary>
    /// <param name="value">The value.</param>
    public static implicit operator FuseResult<T>(T value) => new(value, FuseErrno.None);

    /// <summary>An answer with an error.</summary>
    /// <param name="errno">The error, not <see cref="FuseErrno.None"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The error is <see cref="FuseErrno.None"/> or negative.</exception>
    public static implicit operator FuseResult<T>(FuseErrno errno) => Failure(errno);

    /// <summary>An answer with a value.</summary>
    /// <param name="value">The value.</param>
    public static FuseResult<T> Success(T value) => new(value, FuseErrno.None);

    /// <summary>An answer with an error.</summary>
    /// <param name="errno">The error, not <see cref="FuseErrno.None"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The error is <see cref="FuseErrno.None"/> or negative.</exception>
    public static FuseResult<T> Failure(FuseErrno errno)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero((int)errno, nameof(errno));
        return new(default!, errno);
    }

    /// <inheritdoc/>
    public override string ToString() => IsSuccess ? $"{value}" : Errno.ToString();
}
