using Microsoft.Extensions.Logging;

namespace ModelFs.Cache;

/// <summary>What a close waits for when closing promises that the store has the change (<see cref="Durability.Remote"/>).</summary>
/// <remarks>
/// Nothing is published while another file of the model is open for writing: that close returns at once, and the last one publishes for all. Waiting
/// for the others instead would wait for ever where one program has two files open.
/// </remarks>
internal sealed partial class ClosePublisher(WritebackQueue queue, TimeProvider time, ILogger logger)
{
    private const int AttemptsMax = 20;
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Returns when the store has what the copy holds, or when somebody else's close will see to it.</summary>
    /// <exception cref="ModelException">The store did not take it; it is tried again in the background.</exception>
    public async Task PublishAsync(ModelCopy copy, CancellationToken cancellationToken)
    {
        var model = copy.Model;
        PublishOutcome? outcome = null;
        for (var attempt = 0; attempt < AttemptsMax; attempt++)
        {
            lock (model.Gate)
            {
                if (copy.IsRetired)
                {
                    throw new ModelException(ModelErrorKind.Conflict, $"{model.Name} was replaced by another version meanwhile; what was written is kept if `modelfs status` names a conflict");
                }

                if (copy.NeedsReview)
                {
                    throw new ModelException(ModelErrorKind.CacheFailed, $"{model.Name} needs review and is not published before `modelfs resolve {model.Name}`");
                }

                // A model that was never published is, once it has settled.
                if (!copy.IsDirty || copy.IsNew || copy.WriterHandles > copy.ClosingHandles)
                {
                    return;
                }
            }

            outcome = await queue.PublishNowAsync(model, cancellationToken, atClose: true).ConfigureAwait(false);
            if (outcome is not { Result: PublishResult.NotQuiet })
            {
                break;
            }

            // Something changes a name, or writes through a descriptor that was closed only in one of its copies.
            await Task.Delay(s_pause, time, cancellationToken).ConfigureAwait(false);
        }

        if (outcome is { Result: PublishResult.NotQuiet })
        {
            LogNotQuiet(logger, outcome.Error!.Message);
        }
        else if (outcome?.Error is { } error)
        {
            throw error;
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "a close did not wait for the store: {Reason}")]
    private static partial void LogNotQuiet(ILogger logger, string reason);
}
