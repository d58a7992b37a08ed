namespace ModelFs.Cache.Hydration;

/// <summary>How much of an indexed model is fetched once a file of it is used.</summary>
public enum HydratePolicy
{
    /// <summary>The whole model, in the background; files that are asked for come first.</summary>
    Model,

    /// <summary>The files that are opened, each whole.</summary>
    File,

    /// <summary>What is read, by the archive's own pieces.</summary>
    None,
}
