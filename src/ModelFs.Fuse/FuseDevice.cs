using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ModelFs.Fuse;

/// <summary>The kernel's end of the conversation: whole messages in, whole messages out, each in one system call.</summary>
internal sealed class FuseDevice(SafeFileHandle descriptor)
{
    /// <summary>Waits for one request.</summary>
    /// <param name="buffer">Must hold the largest request, or the kernel answers EINVAL.</param>
    /// <param name="length">How many bytes came; 0 when a stand-in for the kernel has closed its end.</param>
    /// <returns>The error, or <see cref="FuseErrno.None"/>.</returns>
    internal unsafe FuseErrno Read(Span<byte> buffer, out int length)
    {
        fixed (byte* start = buffer)
        {
            length = (int)Interop.Read(descriptor, start, (nuint)buffer.Length);
        }

        return length >= 0 ? FuseErrno.None : (FuseErrno)Marshal.GetLastPInvokeError();
    }

    /// <summary>Whether a read would not have to wait, at this moment.</summary>
    internal unsafe bool HasRequest()
    {
        const short readable = 1;
        var poll = new Interop.PollDescriptor { Descriptor = (int)descriptor.DangerousGetHandle(), Events = readable };
        return Interop.Poll(&poll, 1, 0) != 0;
    }

    /// <summary>Sends one reply or notification.</summary>
    /// <returns>The error, or <see cref="FuseErrno.None"/>. ENOENT: the kernel does not wait for this reply any more, or does not know the node.</returns>
    internal unsafe FuseErrno Write(ReadOnlySpan<byte> message)
    {
        fixed (byte* start = message)
        {
            while (true)
            {
                if (Interop.Write(descriptor, start, (nuint)message.Length) >= 0)
                {
                    return FuseErrno.None;
                }

                var errno = (FuseErrno)Marshal.GetLastPInvokeError();
                if (errno != FuseErrno.EINTR)
                {
                    return errno;
                }
            }
        }
    }
}
