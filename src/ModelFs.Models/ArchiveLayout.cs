namespace ModelFs.Models;

/// <summary>How member names of a model's archive relate to the model folder. Each generation of Rasa has its own.</summary>
public enum ArchiveLayout
{
    /// <summary>Members stand below a folder of the model's name: <c>NAME/</c>, <c>NAME/metadata.json</c> (Rasa NLU 0.4–0.9, "A").</summary>
    Named,

    /// <summary>Members start with <c>./</c>: <c>./</c>, <c>./metadata.json</c> (Rasa NLU 0.10–0.15 and Rasa 1.x–2.x <c>persist()</c>, "B" and "C").</summary>
    Dot,

    /// <summary>Members have bare names and no root entry: <c>nlu/…</c>, <c>fingerprint.json</c> (Rasa 1.x–2.x packaged models, "C'").</summary>
    Bare,

    /// <summary>A first member that is a folder with an empty name, then bare names (Rasa 3.x, "D").</summary>
    EmptyRoot,
}
