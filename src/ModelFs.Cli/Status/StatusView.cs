using System.Globalization;
using ModelFs.Models;
using Spectre.Console;

namespace ModelFs.Cli.Status;

/// <summary>Shows a <see cref="StatusReport"/> to people.</summary>
/// <param name="console">Where to.</param>
/// <param name="time">For how long ago something was.</param>
/// <param name="showsAbsent">Whether models that are only in the store are listed one by one.</param>
internal sealed class StatusView(IAnsiConsole console, TimeProvider time, bool showsAbsent)
{
    private static readonly string s_absent = ModelStatus.NameOf(ModelState.Absent);

    /// <summary>Writes the mount's facts, then a table of its models.</summary>
    public void Write(StatusReport report)
    {
        console.MarkupLineInterpolated($"[bold]{report.Store}[/] on [bold]{report.MountPoint}[/]");
        WriteFacts(report);
        var listed = report.Models.Where(model => showsAbsent || model.State != s_absent).OrderBy(model => model.Name, StringComparer.Ordinal).ToList();
        if (listed.Count > 0)
        {
            console.WriteLine();
            console.Write(Table(listed));
        }

        var absent = report.Models.Count - listed.Count;
        if (absent > 0)
        {
            console.WriteLine();
            console.WriteLine($"{(listed.Count > 0 ? "and " : "")}{DisplayText.Count(absent, "model")} in the store of which nothing is here yet{(showsAbsent ? "" : " (--all lists them)")}");
        }
    }

    private void WriteFacts(StatusReport report)
    {
        var grid = new Grid().AddColumn(new GridColumn().PadLeft(2).PadRight(2).NoWrap()).AddColumn();
        Add(grid, "daemon", $"pid {report.DaemonPid}, since {DisplayText.Time(report.StartedAt)}{(report.CanResume ? "" : "; programs get errors if it dies (the kernel is older than 6.9)")}");
        Add(grid, "access", report.ReadOnly ? "read-only" : $"read and write, durability {report.Durability}");
        Add(grid, "reads", report.Passthrough.Active ? "passthrough: at the speed of the cache's file system" : $"through the daemon: {report.Passthrough.Reason ?? "passthrough is off"}");
        var limit = report.Cache.LimitBytes is { } bytes ? " of " + DisplayText.Bytes(bytes) : "";
        Add(grid, "cache", $"{DisplayText.Bytes(report.Cache.Bytes)}{limit}, {DisplayText.Count(report.Cache.Models, "model")}, in {report.CacheDir}");
        var pending = report.Models.Where(model => model.IsPending).ToList();
        Add(grid, "pending", pending.Count == 0 ? "nothing: the store has every change" : $"{DisplayText.Count(pending.Count, "model")}, {DisplayText.Bytes(pending.Sum(model => model.Bytes))}");
        if (!report.ReadOnly && WeakConditions(report.Conditions) is { } weak)
        {
            Add(grid, "conditions", weak);
        }

        foreach (var warning in report.Warnings)
        {
            Add(grid, "warning", warning);
        }

        console.Write(grid);
    }

    /// <summary>Where another mount's publish in the same instant is not noticed by the store itself; null when nowhere, or not known.</summary>
    private static string? WeakConditions(ConditionStatus conditions)
    {
        var weak = new List<string>();
        foreach (var (support, what) in new[] { (conditions.Create, "new models"), (conditions.Replace, "changes"), (conditions.InParts, "uploads in parts"), (conditions.Delete, "deletions") })
        {
            if (support == "checked-before")
            {
                weak.Add(what);
            }
        }

        return weak.Count == 0 ? null : $"the store itself does not check {string.Join(", ", weak)}: they are checked just before, and what another program publishes in that instant is replaced";
    }

    private static void Add(Grid grid, string name, string value) => grid.AddRow(new Text(name), new Text(value));

    private Table Table(IReadOnlyList<ModelStatus> models)
    {
        var table = new Table { Border = TableBorder.None, ShowRowSeparators = false };
        table.AddColumn(new TableColumn("  MODEL").PadRight(2));
        table.AddColumn(new TableColumn("STATE").NoWrap().PadRight(2));
        table.AddColumn(new TableColumn("SIZE").RightAligned().NoWrap().PadRight(2));
        table.AddColumn(new TableColumn("OPEN").RightAligned().NoWrap().PadRight(2));
        table.AddColumn(new TableColumn("NOTE"));
        foreach (var model in models)
        {
            table.AddRow(
                new Text("  " + model.Name),
                new Text(model.State, Colour(model.State)),
                new Text(DisplayText.Bytes(model.Bytes)),
                new Text(model.OpenFiles == 0 ? "" : model.OpenFiles.ToString(CultureInfo.InvariantCulture)),
                new Text(Note(model)));
        }

        return table;
    }

    private string Note(ModelStatus model)
    {
        var notes = new List<string>();
        if (model.TotalBytes > 0)
        {
            notes.Add(string.Create(CultureInfo.InvariantCulture, $"{100 * model.ProgressBytes / model.TotalBytes} % of {DisplayText.Bytes(model.TotalBytes)}"));
        }

        if (model is { IsPartial: true, BytesHere: { } here })
        {
            notes.Add(string.Create(CultureInfo.InvariantCulture, $"partial: {DisplayText.Bytes(here)} here ({100 * here / model.Bytes} %)"));
        }

        if (model.OpenWriters > 0)
        {
            notes.Add($"{DisplayText.Count(model.OpenWriters, "file")} open for writing");
        }

        if (model.DirtySince is { } since)
        {
            notes.Add($"changed {DisplayText.Duration(time.GetUtcNow() - since)} ago");
        }

        if (model.LastError is { } error)
        {
            notes.Add(model.Tries > 0 ? $"try {model.Tries}: {error}" : error);
        }

        if (model.NextTryAt is { } next)
        {
            notes.Add($"next try in {DisplayText.Duration(next - time.GetUtcNow())}");
        }

        return string.Join("; ", notes);
    }

    /// <summary>The colour of a state.</summary>
    internal static Style Colour(string state) => state switch
    {
        "ready" => new Style(Color.Green),
        "dirty" or "publishing" or "fetching" => new Style(Color.Yellow),
        "failed" or "conflicted" => new Style(Color.Red),
        _ => Style.Plain,
    };
}
