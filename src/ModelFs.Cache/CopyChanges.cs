using ModelFs.Models;

namespace ModelFs.Cache;

/// <summary>Changes of local copies: each is announced before its first byte, so that the dirty mark is on the disk by then, and counted until it is over.</summary>
internal sealed class CopyChanges(CacheJournal journal, WritebackQueue queue, TimeProvider time)
{
    /// <summary>Announces a change of a copy: returns when the copy's dirty mark is on disk. Every call is followed by one <see cref="End"/>.</summary>
    /// <param name="copy">The copy.</param>
    /// <param name="path">What is opened or changed, relative to the model folder; shown to whoever waits for it.</param>
    /// <param name="kind">What the change does.</param>
    /// <exception cref="ModelException">The mark can't be written, or the copy was replaced; nothing may be changed then.</exception>
    public ValueTask BeginAsync(ModelCopy copy, string path, ChangeKind kind)
    {
        var model = copy.Model;
        lock (model.Gate)
        {
            if (copy.IsRetired)
            {
                throw new ModelException(ModelErrorKind.Conflict, $"{model.Name} was replaced by another version meanwhile; open it again");
            }

            copy.AddWriter(path);
            copy.ChangeVersion++;
            copy.OnlyRemovals &= kind == ChangeKind.Removal;
            if (copy.IsDirty && !copy.IsMarkedSynced)
            {
                return ValueTask.CompletedTask;
            }
        }

        return new ValueTask(Task.Run(() => MarkDirtyAsync(copy, path)));
    }

    /// <summary>A change announced by <see cref="BeginAsync"/> is over; the copy begins to settle.</summary>
    public void End(ModelCopy copy, string path) => Over(copy, path, isHandle: false, isClosing: false);

    /// <summary>A file that was announced by <see cref="BeginAsync"/> stays open for writing, until <see cref="Released"/>.</summary>
    public static void Opened(ModelCopy copy)
    {
        lock (copy.Model.Gate)
        {
            copy.WriterHandles++;
        }
    }

    /// <summary>A program began to close an open writer, or wrote again through it.</summary>
    public static void Closing(ModelCopy copy, bool isClosing)
    {
        lock (copy.Model.Gate)
        {
            copy.ClosingHandles += isClosing ? 1 : -1;
        }
    }

    /// <summary>An open writer was released.</summary>
    public void Released(ModelCopy copy, string path, bool isClosing) => Over(copy, path, isHandle: true, isClosing);

    private void Over(ModelCopy copy, string path, bool isHandle, bool isClosing)
    {
        lock (copy.Model.Gate)
        {
            copy.RemoveWriter(path);
            copy.WriterHandles -= isHandle ? 1 : 0;
            copy.ClosingHandles -= isClosing ? 1 : 0;
            copy.ChangeVersion++;
            copy.LastChange = time.GetUtcNow();
        }

        queue.Touch(copy.Model);
    }

    private async Task MarkDirtyAsync(ModelCopy copy, string path)
    {
        var model = copy.Model;
        try
        {
            await model.DiskTurn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
            try
            {
                lock (model.Gate)
                {
                    if (copy.IsDirty && !copy.IsMarkedSynced)
                    {
                        return;
                    }
                }

                journal.Mark(copy.Id, copy.Manifest.Key, CacheJournal.StateDirty, copy.DirtySince, copy.Sent);
                lock (model.Gate)
                {
                    copy.DirtySince ??= time.GetUtcNow();
                    copy.IsMarkedSynced = false;
                    if (model.State == ModelState.Ready)
                    {
                        model.MoveTo(ModelState.Dirty);
                    }
                }
            }
            finally
            {
                model.DiskTurn.Release();
            }
        }
        catch
        {
            End(copy, path);
            throw;
        }
    }
}
