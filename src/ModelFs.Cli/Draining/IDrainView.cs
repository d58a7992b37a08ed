using ModelFs.Cli.Status;

namespace ModelFs.Cli.Draining;

/// <summary>Who is told what a drain waits for.</summary>
internal interface IDrainView
{
    /// <summary>A model has changes that the store lacks.</summary>
    void Waiting(ModelStatus model);

    /// <summary>It still has; how far it is.</summary>
    void Progressed(ModelStatus model);

    /// <summary>It has none any more.</summary>
    /// <param name="before">How it was seen last while waiting, with the store's revision of the first look.</param>
    /// <param name="now">How it is; null when it is gone.</param>
    /// <param name="elapsed">Since the drain began.</param>
    void Ended(ModelStatus before, ModelStatus? now, TimeSpan elapsed);
}
