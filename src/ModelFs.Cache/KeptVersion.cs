namespace ModelFs.Cache;

/// <summary>Which version of a model a person wants, when there are two or when it is not known whether the one here is whole.</summary>
public enum KeptVersion
{
    /// <summary>The local one: it is published in place of what the store has now.</summary>
    Mine,

    /// <summary>The store's: the local one is given up.</summary>
    Theirs,

    /// <summary>Both: the local one becomes a model of its own.</summary>
    Both,
}
