using System.Runtime.InteropServices;

namespace ModelFs.Archives.Deflate;

/// <summary>The deflate calls of libmodelfs (native/libmodelfs/modelfs.h), which stands beside the program.</summary>
internal static partial class InteropModelfs
{
    private const string Library = "modelfs";
    private const int AbiVersion = 1;

    private static readonly nint s_library = Load();

    /// <summary>Whether the library was found and speaks the version that is written down here.</summary>
    public static bool IsAvailable => s_library != 0;

    [LibraryImport(Library, EntryPoint = "modelfs_inflate_new")]
    public static partial InflateHandle InflateNew();

    [LibraryImport(Library, EntryPoint = "modelfs_inflate_reset")]
    public static partial void InflateReset(InflateHandle handle);

    [LibraryImport(Library, EntryPoint = "modelfs_inflate_run")]
    public static unsafe partial int InflateRun(
        InflateHandle handle, byte* input, ulong inputLength, out ulong consumed, byte* output, ulong outputLength, out ulong produced);

    [LibraryImport(Library, EntryPoint = "modelfs_deflate_new")]
    public static partial DeflateHandle DeflateNew(int level);

    [LibraryImport(Library, EntryPoint = "modelfs_deflate_reset")]
    public static partial void DeflateReset(DeflateHandle handle);

    [LibraryImport(Library, EntryPoint = "modelfs_deflate_run")]
    public static unsafe partial int DeflateRun(
        DeflateHandle handle, byte* input, ulong inputLength, out ulong consumed, byte* output, ulong outputLength, out ulong produced, int finish);

    [LibraryImport(Library, EntryPoint = "modelfs_inflate_free")]
    private static partial void InflateFree(nint handle);

    [LibraryImport(Library, EntryPoint = "modelfs_deflate_free")]
    private static partial void DeflateFree(nint handle);

    private static unsafe nint Load()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "libmodelfs.so");
        if (!NativeLibrary.TryLoad(path, out var library))
        {
            return 0;
        }

        if (!NativeLibrary.TryGetExport(library, "modelfs_abi_version", out var version) || ((delegate* unmanaged<int>)version)() != AbiVersion)
        {
            NativeLibrary.Free(library);
            return 0;
        }

        // Each answer is a reference of its own: of two threads whose first calls meet, NativeAOT frees what the second was given,
        // and one reference shared by both would unload the library under the first.
        NativeLibrary.SetDllImportResolver(
            typeof(InteropModelfs).Assembly,
            (name, _, _) => name == Library && NativeLibrary.TryLoad(path, out var reference) ? reference : 0);
        return library;
    }

    /// <summary>Owns one inflate state.</summary>
    internal sealed class InflateHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            InflateFree(handle);
            return true;
        }
    }

    /// <summary>Owns one deflate state.</summary>
    internal sealed class DeflateHandle() : SafeHandle(0, ownsHandle: true)
    {
        public override bool IsInvalid => handle == 0;

        protected override bool ReleaseHandle()
        {
            DeflateFree(handle);
            return true;
        }
    }
}
