namespace ModelFs.FunctionalTests.Harness;

/// <summary>Names the promise of <c>src/SEMANTICS.md</c> that a test proves.</summary>
[AttributeUsage(AttributeTargets.Method, AllowMultiple = true)]
internal sealed class PromiseAttribute(string id) : PropertyAttribute("Promise", id)
{
    /// <summary>A letter for the subject and a number, for example <c>W3</c>.</summary>
    public string Id { get; } = id;
}
