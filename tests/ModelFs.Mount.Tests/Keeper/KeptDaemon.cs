using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;
using ModelFs.Mount.Keeper;

namespace ModelFs.Mount.Tests.Keeper;

/// <summary>
/// A daemon for the real keeper. The first one mounts, answers INIT, and waits to be killed; the resumed one writes down what it was handed,
/// registers a file, unmounts and ends.
/// </summary>
internal static class KeptDaemon
{
    private const int FuseInitReplyLength = 16 + 64;

    public static int Run(string folder)
    {
        using KeeperChannel? channel = KeeperChannel.FromDescriptor();
        if (channel is null)
        {
            return 2;
        }
        KeeperHello hello = channel.ReceiveHello();
        if (!hello.IsResumed)
        {
            using SafeFileHandle device = channel.Mount();
            AnswerInit(device);
            channel.Save(Encoding.UTF8.GetBytes($"left by {Environment.ProcessId}"));
            WriteWhole(Path.Combine(folder, "pid"), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
            channel.Ready(kernelCanResend: true);
            channel.Closed.GetAwaiter().GetResult();
            return 1;
        }
        channel.Ready(kernelCanResend: true);
        WriteWhole(
            Path.Combine(folder, "resumed"),
            $"{Encoding.UTF8.GetString(hello.Saved.Span)}; device {(hello.Device is { IsInvalid: false } ? "open" : "missing")}; {OpenBacking(channel, folder)}");
        channel.Unmount(lazy: false);
        hello.Device?.Dispose();
        return 0;
    }

    private static string OpenBacking(KeeperChannel channel, string folder)
    {
        using SafeFileHandle file = File.OpenHandle(Path.Combine(folder, "pid"));
        try
        {
            return $"backing {channel.BackingOpen(7, file)}";
        }
        catch (KeeperException refused)
        {
            return $"backing refused {refused.Errno}";
        }
    }

    private static void AnswerInit(SafeFileHandle device)
    {
        using FileStream stream = new(device, FileAccess.ReadWrite, bufferSize: 0);
        byte[] request = new byte[1 << 17];
        int length = stream.Read(request);
        Assert.That(length, Is.GreaterThanOrEqualTo(56));
        byte[] reply = new byte[FuseInitReplyLength];
        BinaryPrimitives.WriteInt32LittleEndian(reply, reply.Length);
        request.AsSpan(8, 8).CopyTo(reply.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(reply.AsSpan(16), 7);
        BinaryPrimitives.WriteInt32LittleEndian(reply.AsSpan(20), 31);
        BinaryPrimitives.WriteInt32LittleEndian(reply.AsSpan(16 + 20), 4096);
        stream.Write(reply);
    }

    // A reader that polls for the file never sees a half of it.
    private static void WriteWhole(string path, string text)
    {
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path);
    }
}
