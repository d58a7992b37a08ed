using System.Text.Json;
using ModelFs.Cli.Mounts;
using ModelFs.Cli.Status;

namespace ModelFs.Cli.Watching;

/// <summary>Reads the status of mounts again and again, and compares.</summary>
/// <param name="services">The world.</param>
/// <param name="place">The mount that is meant, or null for all.</param>
internal sealed class TopWatch(CommandServices services, string? place)
{
    private readonly Dictionary<string, (StatusReport Report, long At)> _last = new(StringComparer.Ordinal);

    /// <summary>Looks; of each mount that was seen before too, returns what it did since.</summary>
    /// <exception cref="CommandException">Nothing is mounted, or the mount that is meant does not answer.</exception>
    public async Task<IReadOnlyList<TopSample>> LookAsync()
    {
        var mounts = place is null ? MountSearch.ModelFsMounts(services.Mounts) : [MountSearch.At(services.Mounts, services.Caller.Absolute(place))];
        if (mounts.Count == 0)
        {
            throw CommandException.Failure("ModelFs is mounted nowhere here; see `modelfs mount --help`");
        }

        var samples = new List<TopSample>();
        foreach (var mount in mounts)
        {
            if (await ReadAsync(mount).ConfigureAwait(false) is not { } now)
            {
                continue;
            }

            var at = services.Time.GetTimestamp();
            if (_last.TryGetValue(mount.MountPoint, out var before) && at > before.At)
            {
                samples.Add(TopSample.Of(before.Report, now, services.Time.GetElapsedTime(before.At, at)));
            }

            _last[mount.MountPoint] = (now, at);
        }

        return samples;
    }

    /// <summary>Null for one of several mounts that says nothing: the others are shown on.</summary>
    private async Task<StatusReport?> ReadAsync(MountEntry mount)
    {
        var reading = await services.Mounts.ReadStatusAsync(mount.MountPoint).ConfigureAwait(false);
        try
        {
            if (reading.Json is not null)
            {
                return StatusReport.FromJson(reading.Json);
            }
        }
        catch (JsonException)
        {
            reading = new StatusReading(null, StatusFailure.Unreadable);
        }

        return place is null ? null : throw CommandException.Failure(StatusFailures.Explain(mount.MountPoint, reading.Failure));
    }
}
