namespace ModelFs.Archives.Deflate;

/// <summary>Which deflate this process uses: ISA-L through libmodelfs, 2 to 30 times as fast, or what .NET brings along when the library is not beside the program.</summary>
public static class DeflateCodec
{
    /// <summary><c>isa-l</c> or <c>system</c>, for status pages and logs.</summary>
    public static string Name => InteropModelfs.IsAvailable ? "isa-l" : "system";

    internal static IInflater NewInflater() => InteropModelfs.IsAvailable ? new NativeInflater() : new ManagedInflater();

    internal static IDeflater NewDeflater(int level) => InteropModelfs.IsAvailable ? new NativeDeflater(level) : new SystemDeflater(level);
}
