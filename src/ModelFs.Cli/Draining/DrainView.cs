using System.Globalization;
using ModelFs.Cli.Status;
using Spectre.Console;

namespace ModelFs.Cli.Draining;

/// <summary>Writes one line per model that a drain waited for, and shows bars while a terminal watches.</summary>
internal sealed class DrainView : IDrainView
{
    private readonly IAnsiConsole _console;
    private readonly ProgressContext? _bars;
    private readonly Dictionary<string, ProgressTask> _tasks = new(StringComparer.Ordinal);

    private DrainView(IAnsiConsole console, ProgressContext? bars)
    {
        _console = console;
        _bars = bars;
    }

    /// <summary>Runs <paramref name="drain"/> with a view that suits the console.</summary>
    public static Task<T> ShowAsync<T>(IAnsiConsole console, Func<IDrainView, Task<T>> drain) => console.Profile.Capabilities.Interactive
        ? console.Progress().AutoClear(true).HideCompleted(true).StartAsync(context => drain(new DrainView(console, context)))
        : drain(new DrainView(console, null));

    public void Waiting(ModelStatus model)
    {
        if (_bars is null)
        {
            _console.WriteLine($"waiting for {Describe(model)}");
        }
        else
        {
            _tasks[model.Name] = _bars.AddTask(Markup.Escape(model.Name));
            Progressed(model);
        }
    }

    public void Progressed(ModelStatus model)
    {
        if (_tasks.TryGetValue(model.Name, out var task))
        {
            task.IsIndeterminate = model.TotalBytes == 0;
            task.MaxValue = Math.Max(1, model.TotalBytes);
            task.Value = model.ProgressBytes;
        }
    }

    public void Ended(ModelStatus before, ModelStatus? now, TimeSpan elapsed)
    {
        if (_tasks.Remove(before.Name, out var task))
        {
            task.StopTask();
        }

        _console.WriteLine(Outcome(before, now, elapsed));
    }

    /// <summary>What a model waits for, on one line.</summary>
    public static string Describe(ModelStatus model)
    {
        var text = string.Create(CultureInfo.InvariantCulture, $"{model.Name} ({model.State}, {DisplayText.Bytes(model.Bytes)})");
        if (model.OpenWriters > 0)
        {
            text += $": {DisplayText.Count(model.OpenWriters, "file")} open for writing";
        }

        return model.LastError is null ? text : $"{text}: try {model.Tries} failed: {model.LastError}";
    }

    private static string Outcome(ModelStatus before, ModelStatus? now, TimeSpan elapsed)
    {
        if (now is null)
        {
            return $"{before.Name} is no longer in the mount";
        }

        if (now.State == ModelStatus.NameOf(Models.ModelState.Conflicted))
        {
            return $"{now.Name} was changed in the store meanwhile; both versions are kept, see `modelfs status`";
        }

        return now.StoreRevision is not null && now.StoreRevision == before.StoreRevision
            ? $"{now.Name} was as the store has it: nothing to publish"
            : $"published {now.Name} ({DisplayText.Bytes(now.Bytes)}) in {DisplayText.Duration(elapsed)}";
    }
}
