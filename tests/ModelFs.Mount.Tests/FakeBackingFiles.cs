using Microsoft.Win32.SafeHandles;

namespace ModelFs.Mount.Tests;

/// <summary>The keeper's side of passthrough: which nodes are registered, and what was asked.</summary>
internal sealed class FakeBackingFiles : IBackingFiles
{
    private int _lastId;

    public Dictionary<ulong, int> Registered { get; } = [];

    public List<ulong> Closed { get; } = [];

    /// <summary>Why the next registrations are refused; null when they are not.</summary>
    public string? Refusal { get; set; }

    public int Open(ulong nodeId, SafeFileHandle file)
    {
        Assert.That(file.IsInvalid, Is.False);
        if (Refusal is not null)
        {
            throw new IOException(Refusal);
        }

        return Registered.TryGetValue(nodeId, out var id) ? id : Registered[nodeId] = ++_lastId;
    }

    public void Close(ulong nodeId)
    {
        Registered.Remove(nodeId);
        Closed.Add(nodeId);
    }
}
