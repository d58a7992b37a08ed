using System.Globalization;
using System.Net.Security;
using ModelFs.Cli.Listing;
using ModelFs.Stores;

namespace ModelFs.Cli.Diagnosis;

/// <summary>What a mount needs of a store: that it answers, takes the credentials, keeps conditions, and has a clock that agrees with this machine's.</summary>
/// <param name="services">The world.</param>
/// <param name="address">Of the store.</param>
/// <param name="caFile">Authorities to trust, or null.</param>
/// <param name="isReadOnly">Whether nothing may be written to it.</param>
internal sealed class StoreChecks(CommandServices services, StoreAddress address, string? caFile, bool isReadOnly)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(15);

    /// <summary>Amazon refuses requests whose time is 15 minutes off.</summary>
    private static readonly TimeSpan s_skewRefused = TimeSpan.FromMinutes(15);
    private static readonly TimeSpan s_skewNoticed = TimeSpan.FromSeconds(5);

    /// <summary>Looks at everything, as far as the store lets.</summary>
    public async Task<IReadOnlyList<Finding>> RunAsync(CancellationToken cancellationToken)
    {
        var findings = new List<Finding>();
        IModelStore store;
        try
        {
            store = services.Stores.Create(address, createBucket: false, caFile, s_patience);
        }
        catch (StoreException error)
        {
            return [Finding.Failure("store", error.Message, RemedyOf(error.Kind))];
        }

        await using var owned = store.ConfigureAwait(false);
        if (store.Server is { } server)
        {
            findings.Add(await ClockAsync(server, cancellationToken).ConfigureAwait(false));
        }

        var reached = await ReachAsync(store, cancellationToken).ConfigureAwait(false);
        findings.Add(reached);
        if (reached.Level != FindingLevel.Failed)
        {
            findings.Add(await ConditionsAsync(store, cancellationToken).ConfigureAwait(false));
            findings.Add(await PastAsync(store, cancellationToken).ConfigureAwait(false));
        }

        return findings;
    }

    private static string RemedyOf(StoreErrorKind kind) => kind switch
    {
        StoreErrorKind.NotFound => "a mount creates it, unless --no-create-bucket is given; check the name",
        StoreErrorKind.AccessDenied => "check the credentials and the rights that the message names",
        StoreErrorKind.ListingDenied => "models are found by their names without it; grant the right to list, so that they are shown",
        StoreErrorKind.Unavailable => "check that the server runs and that this machine reaches it: address, proxy, firewall",
        StoreErrorKind.Misconfigured => "correct the address or the setting that the message names",
        StoreErrorKind.QuotaExceeded => "free space in the store, or raise the quota",
        StoreErrorKind.PreconditionFailed or StoreErrorKind.RevisionChanged or StoreErrorKind.Rejected => "the server does not speak as its protocol says: check that the address is that of such a server",
    };

    private async Task<Finding> ReachAsync(IModelStore store, CancellationToken cancellationToken)
    {
        const string check = "store";
        try
        {
            var startedAt = services.Time.GetTimestamp();
            await store.OpenAsync(cancellationToken).ConfigureAwait(false);
            var any = false;
            await foreach (var _ in store.ListAsync(cancellationToken).ConfigureAwait(false))
            {
                any = true;
                break;
            }

            var elapsed = services.Time.GetElapsedTime(startedAt);
            return Finding.Well(check, string.Create(CultureInfo.InvariantCulture, $"{store.DisplayName} answers in {elapsed.TotalMilliseconds:0} ms{(any ? "" : " and is empty")}"));
        }
        catch (StoreException error) when (error.Kind == StoreErrorKind.ListingDenied)
        {
            return Finding.Warning(check, error.Message, RemedyOf(error.Kind));
        }
        catch (StoreException error)
        {
            return Finding.Failure(check, error.Message, RemedyOf(error.Kind));
        }
    }

    private async Task<Finding> ConditionsAsync(IModelStore store, CancellationToken cancellationToken)
    {
        const string check = "conditions";
        if (isReadOnly)
        {
            return Finding.Well(check, "not asked for: that takes writing to the store");
        }

        try
        {
            await store.ProveConditionsAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException error)
        {
            return Finding.Failure(check, error.Message, RemedyOf(error.Kind));
        }

        var traits = store.Traits;
        var weak = new[]
        {
            (Support: traits.CreateCondition, What: "new models"),
            (Support: traits.ReplaceCondition, What: "changes"),
            (Support: traits.InPartsCondition ?? traits.ReplaceCondition, What: "uploads in parts"),
            (Support: traits.DeleteCondition, What: "deletions"),
        }.Where(each => each.Support != ConditionSupport.Atomic).Select(each => each.What).ToList();
        return weak.Count == 0
            ? Finding.Well(check, "the store itself refuses to replace a version that it does not have any more")
            : Finding.Warning(check, $"the store itself does not check {string.Join(", ", weak)}: they are checked just before", "let one mount at a time change a model");
    }

    private static async Task<Finding> PastAsync(IModelStore store, CancellationToken cancellationToken)
    {
        const string check = "undo";
        try
        {
            // Of a model that there is not: whether anything would be kept is a matter of the store.
            var whyNot = store.History is { } history ? (await history.ListAsync(".modelfs-doctor.tar.gz", cancellationToken).ConfigureAwait(false)).WhyNotKept : "this store keeps no past versions";
            return whyNot is null ? Finding.Well(check, "replaced and deleted versions are kept") : Finding.Warning(check, whyNot, "without it `modelfs restore` has nothing to restore");
        }
        catch (StoreException error)
        {
            return Finding.Warning(check, error.Message, "`modelfs history` and `restore` need the right to look at past versions");
        }
    }

    /// <summary>Compares clocks by the Date of an answer, whatever the answer is.</summary>
    private async Task<Finding> ClockAsync(Uri server, CancellationToken cancellationToken)
    {
        const string check = "clock";
        try
        {
            using var handler = new SocketsHttpHandler { ConnectTimeout = s_patience, AllowAutoRedirect = false };
            if (caFile is not null)
            {
                handler.SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = TrustedAuthorities.Only(caFile) };
            }

            using var client = new HttpClient(handler) { Timeout = s_patience };
            using var request = new HttpRequestMessage(HttpMethod.Head, server);
            using var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            return answer.Headers.Date is { } theirs ? Compare(check, services.Time.GetUtcNow() - theirs) : Finding.Well(check, $"{server.Authority} does not tell its time");
        }
        catch (Exception error) when (error is HttpRequestException or StoreException || (error is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return Finding.Warning(check, $"the time of {server.Authority} could not be asked for: {error.Message}", "see what the check of the store says");
        }
    }

    private static Finding Compare(string check, TimeSpan ahead)
    {
        // The answer has whole seconds and took its way.
        var what = ahead.Duration() <= s_skewNoticed ? "this machine's clock agrees with the server's"
            : $"this machine's clock is {DisplayText.Duration(ahead.Duration())} {(ahead > TimeSpan.Zero ? "ahead of" : "behind")} the server's";
        return ahead.Duration() <= s_skewNoticed ? Finding.Well(check, what)
            : ahead.Duration() < s_skewRefused ? Finding.Warning(check, what, "set it by NTP: timedatectl set-ntp true")
            : Finding.Failure(check, what + ", so that it refuses every request", "set it by NTP: timedatectl set-ntp true");
    }
}
