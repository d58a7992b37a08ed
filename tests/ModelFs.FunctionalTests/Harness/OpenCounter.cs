using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.FunctionalTests.Harness;

/// <summary>Counts how often anybody opens a file, by inotify: tells from outside whether the program fetched an archive of a folder store.</summary>
internal sealed partial class OpenCounter : IDisposable
{
    private const int OpenNonblocking = 0x800;
    private const uint EventOpen = 0x20;
    private const int EventHeaderLength = 16;

    private readonly SafeFileHandle _inotify;
    private int _count;

    public OpenCounter(params ReadOnlySpan<string> files)
    {
        _inotify = new SafeFileHandle(Init(OpenNonblocking), ownsHandle: true);
        Assert.That(_inotify.IsInvalid, Is.False, "inotify_init1");
        foreach (var file in files)
        {
            Assert.That(AddWatch(_inotify, file, EventOpen), Is.GreaterThanOrEqualTo(0), $"inotify_add_watch {file}");
        }
    }

    /// <summary>Opens since the counter was made.</summary>
    public int Count
    {
        get
        {
            Span<byte> events = stackalloc byte[16384];
            for (var length = Read(_inotify, events, events.Length); length > 0; length = Read(_inotify, events, events.Length))
            {
                for (var at = 0; at < length;)
                {
                    _count++;
                    at += EventHeaderLength + (int)BinaryPrimitives.ReadUInt32LittleEndian(events[(at + 12)..]);
                }
            }

            return _count;
        }
    }

    public void Dispose() => _inotify.Dispose();

    [LibraryImport("libc", EntryPoint = "inotify_init1")]
    private static partial int Init(int flags);

    [LibraryImport("libc", EntryPoint = "inotify_add_watch", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int AddWatch(SafeFileHandle inotify, string path, uint mask);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(SafeFileHandle inotify, Span<byte> buffer, nint length);
}
