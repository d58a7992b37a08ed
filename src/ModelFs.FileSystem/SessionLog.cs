using System.Buffers.Binary;
using System.Text;
using Microsoft.Win32.SafeHandles;
using ModelFs.Cache.Posix;

namespace ModelFs.FileSystem;

/// <summary>What a record of the session log tells.</summary>
internal enum SessionRecordType : byte
{
    /// <summary>An inode was handed to the kernel: id, parent id, kind, copy id, name.</summary>
    Node = 1,

    /// <summary>The kernel forgot an inode: id.</summary>
    Forget = 2,

    /// <summary>An inode has another parent or name: id, parent id, name.</summary>
    Move = 3,

    /// <summary>An inode lost its name but may be open: id.</summary>
    Unlink = 4,

    /// <summary>A file or folder was opened: handle, id, 1 if for writing or 2 if a folder, the request's unique number, the path of the change.</summary>
    Open = 5,

    /// <summary>A handle was released: handle.</summary>
    Close = 6,

    /// <summary>A model's folder was bound to a copy: id, copy id.</summary>
    Bind = 7,

    /// <summary>An operation that can't be repeated blindly is about to take effect: its unique number, the st_ino of what it moves.</summary>
    Intent = 8,

    /// <summary>A daemon took over the session.</summary>
    Resume = 9,

    /// <summary>An operation took effect and all its records are written: its unique number.</summary>
    Done = 10,

    /// <summary>The kernel was told to open a handle through its page cache: handle.</summary>
    Cached = 11,
}

/// <summary>One record: two numbers, a small one, a signed one and a text, of which each type uses some.</summary>
internal readonly record struct SessionRecord(SessionRecordType Type, ulong First, ulong Second = 0, byte Small = 0, long Signed = 0, string Text = "");

/// <summary>
/// What a daemon that takes over after a crash must know of the kernel's view: which inodes and handles it holds. An append-only file in
/// shared memory: the page cache survives the death of the process, and nothing of it is needed after the death of the machine.
/// </summary>
/// <remarks>
/// Layout: segments of 1 MiB; a record is a 16-bit length (of the whole record, written last), type, small (8 bits each), first, second,
/// signed (64 bits each), UTF-8 text. Length 0 ends the log, 0xFFFF leads to the next segment. All little endian. Not thread-safe:
/// <see cref="InodeTable"/>'s lock guards it.
/// </remarks>
internal sealed unsafe class SessionLog : IDisposable
{
    private const int SegmentBytes = 1 << 20;
    private const int HeaderBytes = 28;
    private const ushort NextSegment = 0xFFFF;

    private const int CompactFrom = 16;

    private readonly string _path;
    private SafeFileHandle _file;
    private byte* _segment;
    private int _position;
    private int _segments;
    private int _compactAt = CompactFrom;

    private SessionLog(string path, SafeFileHandle file)
    {
        _path = path;
        _file = file;
    }

    /// <summary>How long the log is, in bytes.</summary>
    public long Length => (long)_segments * SegmentBytes;

    /// <summary>Starts a new log, replacing what was there.</summary>
    public static SessionLog Create(string path)
    {
        _ = PosixFile.Unlink(path);
        var log = new SessionLog(path, OpenFile(path, PosixFile.ReadWrite | PosixFile.Create));
        log.MapNext(extend: true);
        return log;
    }

    /// <summary>Opens the log of a daemon that died, reads it, and goes on behind its end.</summary>
    public static SessionLog Resume(string path, Action<SessionRecord> replay)
    {
        var log = new SessionLog(path, OpenFile(path, PosixFile.ReadWrite));
        if (!log.MapNext(extend: false))
        {
            log.Dispose();
            throw new IOException($"{path} is not a session log: it ends before its first segment does");
        }

        while (log.TryReadNext(out var record))
        {
            replay(record);
        }

        return log;
    }

    /// <summary>Appends one record; when it returns, the record survives this process.</summary>
    /// <exception cref="ObjectDisposedException">The mount has ended.</exception>
    public void Append(in SessionRecord record)
    {
        ObjectDisposedException.ThrowIf(_segment == null, this);
        if (_segments >= _compactAt)
        {
            Compact();
        }

        var textBytes = Encoding.UTF8.GetByteCount(record.Text);
        var length = HeaderBytes + textBytes;
        if (_position + length + 2 > SegmentBytes)
        {
            MapNext(extend: true);
        }

        var target = new Span<byte>(_segment + _position, length);
        target[2] = (byte)record.Type;
        target[3] = record.Small;
        BinaryPrimitives.WriteUInt64LittleEndian(target[4..], record.First);
        BinaryPrimitives.WriteUInt64LittleEndian(target[12..], record.Second);
        BinaryPrimitives.WriteInt64LittleEndian(target[20..], record.Signed);
        Encoding.UTF8.GetBytes(record.Text, target[HeaderBytes..]);

        // Behind it may stand what is left of a longer record that a dead daemon did not finish.
        WriteLength(_position + length, 0);
        WriteLength(_position, (ushort)length);
        _position += length;
    }

    public void Dispose()
    {
        Unmap();
        _file.Dispose();
    }

    /// <summary>
    /// Replaces the log by a shorter one that tells the same, in one rename. When the disk has no room for it, the long one stays.
    /// </summary>
    private void Compact()
    {
        var fold = new SessionFold();
        var freshPath = _path + ".new";
        try
        {
            using (Resume(_path, fold.Apply))
            {
            }

            var fresh = Create(freshPath);
            fresh._compactAt = int.MaxValue;
            try
            {
                foreach (var record in fold.Records())
                {
                    fresh.Append(record);
                }

                if (PosixFile.Rename(freshPath, _path) is var error && error != Errno.None)
                {
                    throw new IOException($"cannot rename {freshPath}: {error}");
                }
            }
            catch
            {
                fresh.Dispose();
                throw;
            }

            Dispose();
            _file = fresh._file;
            _segment = fresh._segment;
            _position = fresh._position;
            _segments = fresh._segments;
        }
        catch (IOException)
        {
            _ = PosixFile.Unlink(freshPath);
        }

        _compactAt = (2 * _segments) + CompactFrom;
    }

    private static SafeFileHandle OpenFile(string path, int flags)
    {
        var error = PosixFile.Open(path, flags, 0x180, out var file);
        return error == Errno.None ? file : throw new IOException($"cannot open {path}: {error}");
    }

    /// <summary>The length makes a record valid, so it is stored last and in one piece.</summary>
    private void WriteLength(int position, ushort length) =>
        Volatile.Write(ref *(ushort*)(_segment + position), length);

    private bool TryReadNext(out SessionRecord record)
    {
        record = default;
        var length = *(ushort*)(_segment + _position);
        if (length == NextSegment)
        {
            if (!MapNext(extend: false))
            {
                return false;
            }

            length = *(ushort*)(_segment + _position);
        }

        if (length < HeaderBytes || _position + length + 2 > SegmentBytes)
        {
            return false;
        }

        var source = new ReadOnlySpan<byte>(_segment + _position, length);
        record = new SessionRecord(
            (SessionRecordType)source[2],
            BinaryPrimitives.ReadUInt64LittleEndian(source[4..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[12..]),
            source[3],
            BinaryPrimitives.ReadInt64LittleEndian(source[20..]),
            Encoding.UTF8.GetString(source[HeaderBytes..]));
        _position += length;
        return true;
    }

    /// <summary>Goes on to the next segment. When it can't be made, the present one stays as it is and the next record tries again.</summary>
    /// <returns>False when there is none to read, because it was never made.</returns>
    private bool MapNext(bool extend)
    {
        var offset = (long)_segments * SegmentBytes;
        if (!extend && RandomAccess.GetLength(_file) < offset + SegmentBytes)
        {
            return false;
        }

        if (extend)
        {
            // Reserved before it is mapped: a store into a hole of a full disk would be a SIGBUS.
            var error = PosixFile.Allocate(_file, 0, offset, SegmentBytes);
            if (error == Errno.ENOTSUP)
            {
                error = PosixFile.Write(_file, new byte[SegmentBytes], offset, out _);
            }

            if (error != Errno.None)
            {
                throw new IOException($"cannot extend the session log in the cache: {error}; free space on its disk");
            }
        }

        var address = Interop.mmap(0, SegmentBytes, Interop.ProtRead | Interop.ProtWrite, Interop.MapShared, _file, offset);
        if (address == -1)
        {
            throw new IOException("cannot map the session log in the cache");
        }

        // Only now: a daemon that takes over never follows the way to a segment that is not there.
        if (extend && _segment != null)
        {
            WriteLength(_position, NextSegment);
        }

        Unmap();
        _segment = (byte*)address;
        _position = 0;
        _segments++;
        return true;
    }

    private void Unmap()
    {
        if (_segment != null)
        {
            _ = Interop.munmap((nint)_segment, SegmentBytes);
            _segment = null;
        }
    }
}
