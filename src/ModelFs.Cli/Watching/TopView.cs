using System.Globalization;
using ModelFs.Cli.Status;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace ModelFs.Cli.Watching;

/// <summary>Shows what mounts do, as much as fits.</summary>
/// <param name="time">For how long ago something was.</param>
internal sealed class TopView(TimeProvider time)
{
    /// <summary>Lines of a mount beside its models: its two lines of figures, the table's head, and an empty line.</summary>
    private const int LinesAround = 5;

    /// <summary>Draws all mounts.</summary>
    /// <param name="samples">One per mount.</param>
    /// <param name="lines">How many lines there are for it; models that don't fit are counted only.</param>
    public IRenderable Draw(IReadOnlyList<TopSample> samples, int lines)
    {
        var modelsMax = Math.Max(1, (lines / Math.Max(1, samples.Count)) - LinesAround);
        return new Rows(samples.Select(sample => Draw(sample, modelsMax)));
    }

    private Rows Draw(TopSample sample, int modelsMax)
    {
        var limit = sample.CacheLimitBytes is { } bytes ? " of " + DisplayText.Bytes(bytes) : "";
        var rows = new List<IRenderable>
        {
            Markup.FromInterpolated($"[bold]{sample.Store}[/] on [bold]{sample.MountPoint}[/]"),
            new Text(string.Create(
                CultureInfo.InvariantCulture,
                $"  files {sample.FileRequestsPerSecond:0.0}/s  store {sample.StoreRequestsPerSecond:0.0}/s{(sample.StoreErrorsPerSecond > 0 ? $" ({sample.StoreErrorsPerSecond:0.0}/s failed)" : "")}  in {Rate(sample.BytesInPerSecond)}  out {Rate(sample.BytesOutPerSecond)}  cache {DisplayText.Bytes(sample.CacheBytes)}{limit}")),
        };
        rows.AddRange(sample.Warnings.Select(warning => new Text("  warning: " + warning, new Style(Color.Yellow)) { Overflow = Overflow.Ellipsis }));
        rows.Add(Table(sample.Models, modelsMax));
        if (sample.Models.Count > modelsMax)
        {
            rows.Add(new Text($"  and {DisplayText.Count(sample.Models.Count - modelsMax, "model")} more"));
        }

        return new Rows(rows);
    }

    private Table Table(IReadOnlyList<TopModel> models, int modelsMax)
    {
        var table = new Table { Border = TableBorder.None, ShowRowSeparators = false };
        table.AddColumn(new TableColumn("  MODEL").PadRight(2));
        table.AddColumn(new TableColumn("STATE").NoWrap().PadRight(2));
        foreach (var name in new[] { "SIZE", "HERE", "RATE", "OPEN", "WRITERS" })
        {
            table.AddColumn(new TableColumn(name).RightAligned().NoWrap().PadRight(2));
        }

        table.AddColumn(new TableColumn("PENDING").NoWrap().PadRight(2));
        table.AddColumn(new TableColumn("NOTE"));
        foreach (var model in models.Take(modelsMax))
        {
            table.AddRow(
                new Text("  " + model.Name),
                new Text(model.State, StatusView.Colour(model.State)),
                new Text(DisplayText.Bytes(model.Bytes)),
                new Text(model.Bytes == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"{100 * Math.Min(model.BytesHere, model.Bytes) / model.Bytes} %")),
                new Text(model.BytesPerSecond > 0 ? Rate(model.BytesPerSecond) : ""),
                new Text(Number(model.OpenFiles)),
                new Text(Number(model.OpenWriters)),
                new Text(model.DirtySince is { } since ? DisplayText.Duration(time.GetUtcNow() - since) : ""),
                new Text(model.LastError is { } error ? $"try {model.Tries}: {error}" : "") { Overflow = Overflow.Ellipsis });
        }

        return table;
    }

    private static string Rate(double bytesPerSecond) => DisplayText.Bytes((long)bytesPerSecond) + "/s";

    private static string Number(int count) => count == 0 ? "" : count.ToString(CultureInfo.InvariantCulture);
}
