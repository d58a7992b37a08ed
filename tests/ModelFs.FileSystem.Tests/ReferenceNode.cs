using ModelFs.Models;

namespace ModelFs.FileSystem.Tests;

/// <summary>What a file, folder or link is, in the simplest form: the oracle of the random operations.</summary>
internal sealed class ReferenceNode(char type)
{
    /// <summary><c>d</c>, <c>f</c> or <c>l</c>.</summary>
    public char Type { get; } = type;

    public ReferenceNode? Parent { get; set; }

    public string Name { get; set; } = "";

    public uint Mode { get; set; }

    public byte[] Content { get; set; } = [];

    public string Target { get; init; } = "";

    /// <summary>The time that a program set, until something else changes it.</summary>
    public UnixTime? Modified { get; set; }

    public SortedDictionary<string, ReferenceNode> Children { get; } = new(StringComparer.Ordinal);

    /// <summary>The inode by which the kernel knows it; meaningless without look-ups.</summary>
    public ulong Id { get; set; }

    public ulong Lookups { get; set; }

    public int Handles { get; set; }

    public bool IsUnlinked { get; set; }

    public string Path => Parent is null ? "" : Parent.Path.Length == 0 ? Name : Parent.Path + "/" + Name;

    public IEnumerable<ReferenceNode> Subtree => Children.Values.SelectMany(child => child.Subtree).Prepend(this);

    public IEnumerable<ReferenceNode> Ancestors => Parent is null ? [] : Parent.Ancestors.Prepend(Parent);

    public void Add(string name, ReferenceNode child)
    {
        Children[name] = child;
        child.Parent = this;
        child.Name = name;
        Modified = null;
    }

    public void Remove(string name)
    {
        Children.Remove(name);
        Modified = null;
    }

    public void Write(int offset, byte[] data)
    {
        var content = new byte[Math.Max(Content.Length, offset + data.Length)];
        Content.CopyTo(content, 0);
        data.CopyTo(content, offset);
        (Content, Modified) = (content, null);
    }

    public void SetLength(int length)
    {
        var content = Content;
        Array.Resize(ref content, length);
        (Content, Modified) = (content, null);
    }
}
