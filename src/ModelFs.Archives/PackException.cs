namespace ModelFs.Archives;

/// <summary>A tree can't be packed as it was scanned: a file changed meanwhile, or it is something that an archive does not hold. Scan and pack again.</summary>
public sealed class PackException : IOException
{
    /// <summary>Makes the error.</summary>
    /// <param name="path">The entry's path relative to the model folder.</param>
    /// <param name="message">What is wrong with it.</param>
    /// <param name="innerException">What the file system said, if it said something.</param>
    public PackException(string path, string message, Exception? innerException = null)
        : base(message, innerException) => Path = path;

    /// <summary>The entry's path relative to the model folder.</summary>
    public string Path { get; }
}
