using Google.Apis.Auth.OAuth2;

namespace ModelFs.Stores.Gcs;

/// <summary>Credentials together with where they came from: Application Default Credentials, in Google's order.</summary>
/// <param name="source">For example <c>/etc/key.json (GOOGLE_APPLICATION_CREDENTIALS)</c>; never a secret.</param>
/// <param name="projectId">The project that they belong to, or null.</param>
/// <param name="current">What to ask for tokens, looked up for each request because key files are replaced; null for requests without a token.</param>
internal sealed class GcsCredentials(string source, string? projectId, Func<GoogleCredential>? current)
{
    /// <summary>For reading and writing objects, and for creating a bucket.</summary>
    private const string Scope = "https://www.googleapis.com/auth/devstorage.read_write";

    internal string Source => source;

    internal string? ProjectId => projectId;

    internal bool AreNone => current is null;

    /// <summary>Walks the chain: the file that GOOGLE_APPLICATION_CREDENTIALS names, gcloud's own file, the metadata server.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.AccessDenied"/> naming every place that was looked at; <see cref="StoreErrorKind.Misconfigured"/> for a file that is none.</exception>
    internal static async Task<GcsCredentials> ResolveAsync(GcsSettings settings, StoreOptions options, GcsHttpHandlers handlers, CancellationToken cancellationToken)
    {
        if (settings.IsAnonymous || settings.IsEmulator)
        {
            return new GcsCredentials(settings.IsAnonymous ? "none (anonymous=true)" : "none (STORAGE_EMULATOR_HOST)", null, null);
        }

        const string Variable = "GOOGLE_APPLICATION_CREDENTIALS";
        if (options.Environment(Variable) is { Length: > 0 } named)
        {
            return OfFile(named, $"{named} ({Variable})", handlers);
        }

        var wellKnown = WellKnownFile(options.Environment);
        if (File.Exists(wellKnown))
        {
            return OfFile(wellKnown, $"{wellKnown} (gcloud auth application-default login)", handlers);
        }

        var metadata = new MetadataServer(handlers, options.Environment, options.TimeProvider);
        if (await metadata.IsPresentAsync(cancellationToken).ConfigureAwait(false))
        {
            var machine = metadata.Credential().CreateScoped(Scope);
            var project = settings.Project ?? await metadata.ProjectAsync(cancellationToken).ConfigureAwait(false);
            return new GcsCredentials("the metadata server of this machine", project, () => machine);
        }

        throw new StoreException(
            StoreErrorKind.AccessDenied,
            $"no credentials for gs://{settings.Bucket}. Looked at: {Variable} (not set), {wellKnown} (not there), the metadata server ({metadata.State}). "
            + $"Set {Variable} to the path of a key file, run 'gcloud auth application-default login', or write ?anonymous=true in the URL for a public bucket");
    }

    /// <summary>A token for one request. Google's library keeps it, and requests the next one some minutes before it expires.</summary>
    /// <returns>Null for requests without a token.</returns>
    internal async Task<AccessTokenWithHeaders?> TokenAsync(CancellationToken cancellationToken) =>
        current is null ? null : await ((ITokenAccessWithHeaders)current()).GetAccessTokenWithHeadersForRequestAsync(null, cancellationToken).ConfigureAwait(false);

    /// <summary>Replaces a token that the server refused although it should still be valid.</summary>
    internal async Task RenewAsync(CancellationToken cancellationToken)
    {
        switch (current?.Invoke().UnderlyingCredential)
        {
            case ServiceCredential service:
                await service.RequestAccessTokenAsync(cancellationToken).ConfigureAwait(false);
                break;
            case UserCredential user:
                await user.RefreshTokenAsync(cancellationToken).ConfigureAwait(false);
                break;
        }
    }

    private static GcsCredentials OfFile(string path, string source, GcsHttpHandlers handlers)
    {
        var file = new CredentialFile(path, source, Scope, handlers);
        return new GcsCredentials(source, file.Project, file.Current);
    }

    private static string WellKnownFile(Func<string, string?> environment)
    {
        var folder = environment("CLOUDSDK_CONFIG") is { Length: > 0 } configured
            ? configured
            : Path.Combine(environment("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config", "gcloud");
        return Path.Combine(folder, "application_default_credentials.json");
    }
}
