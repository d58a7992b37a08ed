using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;

namespace ModelFs.Stores.S3;

/// <summary>Credentials together with where they came from, for messages.</summary>
/// <param name="Value">Null for unsigned requests.</param>
/// <param name="Source">For example <c>the environment (AWS_ACCESS_KEY_ID)</c>; never a secret.</param>
internal sealed record S3Credentials(AWSCredentials? Value, string Source)
{
    private const string DefaultProfile = "default";

    /// <summary>Walks the standard chain: environment, web identity, shared configuration, container, instance metadata.</summary>
    /// <exception cref="StoreException"><see cref="StoreErrorKind.AccessDenied"/> naming every place that was looked at.</exception>
    internal static async Task<S3Credentials> ResolveAsync(S3Settings settings, InstanceMetadata metadata, TokenService service, CancellationToken cancellationToken)
    {
        var environment = service.Options.Environment;
        if (settings.IsAnonymous)
        {
            return new S3Credentials(null, "none (anonymous=true)");
        }

        if (settings.Profile is not null)
        {
            return OfProfile(settings.Profile, environment, service)
                ?? throw new StoreException(StoreErrorKind.Misconfigured, $"the profile '{settings.Profile}' is not in {ProfileFiles(environment)}, or holds no credentials");
        }

        return OfEnvironment(environment)
            ?? OfWebIdentity(environment, service)
            ?? OfProfile(ProfileName(environment), environment, service)
            ?? OfContainer(environment)
            ?? await OfInstanceAsync(metadata, service.Options.TimeProvider, cancellationToken).ConfigureAwait(false)
            ?? throw new StoreException(
                StoreErrorKind.AccessDenied,
                $"no credentials for s3://{settings.Bucket}. Looked at: the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), web identity (AWS_WEB_IDENTITY_TOKEN_FILE and AWS_ROLE_ARN), "
                + $"the profile '{ProfileName(environment)}' in {ProfileFiles(environment)}, the container (AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI), instance metadata ({metadata.State}). "
                + "Set one of them, or anonymous=true in the URL for a public bucket");
    }

    /// <summary>The region that the chosen profile names, or null.</summary>
    internal static string? RegionOfProfile(S3Settings settings, Func<string, string?> environment) =>
        Profiles(environment).TryGetProfile(settings.Profile ?? ProfileName(environment), out var profile) ? profile.Region?.SystemName : null;

    private static S3Credentials? OfEnvironment(Func<string, string?> environment)
    {
        var key = environment("AWS_ACCESS_KEY_ID");
        var secret = environment("AWS_SECRET_ACCESS_KEY");
        if (string.IsNullOrEmpty(key) && string.IsNullOrEmpty(secret))
        {
            return null;
        }

        if (string.IsNullOrEmpty(key) || string.IsNullOrEmpty(secret))
        {
            throw new StoreException(StoreErrorKind.Misconfigured, "only one of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is set; both are needed");
        }

        var session = environment("AWS_SESSION_TOKEN");
        return new S3Credentials(
            string.IsNullOrEmpty(session) ? new BasicAWSCredentials(key, secret) : new SessionAWSCredentials(key, secret, session),
            "the environment (AWS_ACCESS_KEY_ID)");
    }

    private static S3Credentials? OfWebIdentity(Func<string, string?> environment, TokenService service)
    {
        var tokenFile = environment("AWS_WEB_IDENTITY_TOKEN_FILE");
        var role = environment("AWS_ROLE_ARN");
        return string.IsNullOrEmpty(tokenFile) || string.IsNullOrEmpty(role)
            ? null
            : new S3Credentials(
                RoleCredentials.OfWebIdentity(tokenFile, role, environment("AWS_ROLE_SESSION_NAME"), service),
                $"web identity (role {role}, AWS_WEB_IDENTITY_TOKEN_FILE)");
    }

    private static S3Credentials? OfProfile(string name, Func<string, string?> environment, TokenService service)
    {
        var source = $"the profile '{name}' in {ProfileFiles(environment)}";
        if (Profiles(environment).TryGetProfile(name, out var profile) && RoleOf(profile.Options, name, environment, service) is { } role)
        {
            return new S3Credentials(role, source);
        }

        return Profiles(environment).TryGetAWSCredentials(name, out _)
            ? new S3Credentials(new RereadProfileCredentials(Profiles(environment), name, CredentialsFile(environment)), source)
            : null;
    }

    /// <summary>The role that a profile takes by a web identity or with another profile's keys; other ways to a role, such as one that asks a person, are the SDK's.</summary>
    private static RoleCredentials? RoleOf(CredentialProfileOptions profile, string name, Func<string, string?> environment, TokenService service)
    {
        if (string.IsNullOrEmpty(profile.RoleArn))
        {
            return null;
        }

        if (!string.IsNullOrEmpty(profile.WebIdentityTokenFile))
        {
            return RoleCredentials.OfWebIdentity(profile.WebIdentityTokenFile, profile.RoleArn, profile.RoleSessionName, service);
        }

        // A profile may be its own source: it holds keys and a role.
        var keys = string.IsNullOrEmpty(profile.SourceProfile) || !string.IsNullOrEmpty(profile.MfaSerial) ? null
            : profile.SourceProfile == name ? OfOwnKeys(profile)
            : OfProfile(profile.SourceProfile, environment, service)?.Value;
        return keys is null ? null : RoleCredentials.Of(keys, profile.RoleArn, profile.RoleSessionName, profile.ExternalID, service);
    }

    private static BasicAWSCredentials? OfOwnKeys(CredentialProfileOptions profile) =>
        string.IsNullOrEmpty(profile.AccessKey) || string.IsNullOrEmpty(profile.SecretKey) ? null : new BasicAWSCredentials(profile.AccessKey, profile.SecretKey);

    private static S3Credentials? OfContainer(Func<string, string?> environment)
    {
        var isSet = !string.IsNullOrEmpty(environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")) || !string.IsNullOrEmpty(environment("AWS_CONTAINER_CREDENTIALS_FULL_URI"));
        return isSet ? new S3Credentials(new GenericContainerCredentials(), "the container (AWS_CONTAINER_CREDENTIALS_…)") : null;
    }

    private static async Task<S3Credentials?> OfInstanceAsync(InstanceMetadata metadata, TimeProvider time, CancellationToken cancellationToken) =>
        await metadata.RoleKeysAsync(cancellationToken).ConfigureAwait(false) is not null
            ? new S3Credentials(new InstanceRoleCredentials(metadata, time), "instance metadata")
            : null;

    private static string ProfileName(Func<string, string?> environment) =>
        environment("AWS_PROFILE") is { Length: > 0 } name ? name : DefaultProfile;

    private static CredentialProfileStoreChain Profiles(Func<string, string?> environment) => new(CredentialsFile(environment));

    private static string CredentialsFile(Func<string, string?> environment) =>
        environment("AWS_SHARED_CREDENTIALS_FILE") is { Length: > 0 } file
            ? file
            : Path.Combine(environment("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".aws", "credentials");

    private static string ProfileFiles(Func<string, string?> environment) =>
        CredentialsFile(environment) + (environment("AWS_CONFIG_FILE") is { Length: > 0 } file ? " and " + file : " and ~/.aws/config");
}
