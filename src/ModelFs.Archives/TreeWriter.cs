namespace ModelFs.Archives;

internal sealed class TreeWriter
{
    /// <summary>The mode that every link is listed with.</summary>
    public const int LinkMode = 0x1ff;
}
