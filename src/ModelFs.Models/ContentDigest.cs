using System.Diagnostics.CodeAnalysis;

namespace ModelFs.Models;

/// <summary>
/// A 128-bit XXH3 digest of a file's content or of a whole tree, as 32 lower-case hexadecimal digits (most significant byte first).
/// It tells whether a program's change left the same bytes; it does not protect against forgery.
/// </summary>
/// <param name="High">The upper 64 bits.</param>
/// <param name="Low">The lower 64 bits.</param>
public readonly record struct ContentDigest(ulong High, ulong Low)
{
    /// <summary>Makes a digest from a hash library's 128-bit value.</summary>
    public static ContentDigest From(UInt128 value) => new((ulong)(value >> 64), (ulong)value);

    /// <summary>Parses 32 hexadecimal digits.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out ContentDigest digest)
    {
        digest = default;
        if (text is not { Length: 32 } || !UInt128.TryParse(text, System.Globalization.NumberStyles.AllowHexSpecifier, null, out var value))
        {
            return false;
        }

        digest = From(value);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => $"{High:x16}{Low:x16}";
}
