using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace ModelFs.GcsFake;

/// <summary>Gives tokens for signed assertions (RFC 7523), exchanged tokens (RFC 8693) and to the machine itself, and knows those it gave.</summary>
internal sealed class GcsTokens(IReadOnlyList<GcsAccount> accounts, GcsFakeOptions options)
{
    private readonly ConcurrentDictionary<string, (GcsAccount Account, DateTimeOffset Expires)> _given = new(StringComparer.Ordinal);
    private int _count;

    /// <summary>What Google's own libraries write into assertions, whatever endpoint the key file names.</summary>
    private const string GoogleAudience = "https://oauth2.googleapis.com/token";

    internal int Count => _count;

    internal void RevokeAll() => _given.Clear();

    /// <summary>Whom a request comes from.</summary>
    internal GcsAccount AccountOf(HttpRequest request)
    {
        var header = request.Headers.Authorization.ToString();
        if (!header.StartsWith("Bearer ", StringComparison.Ordinal))
        {
            throw new GcsRefusal(401, "required", "Anonymous caller does not have storage access.");
        }

        return _given.TryGetValue(header["Bearer ".Length..], out var found) && found.Expires > DateTimeOffset.UtcNow
            ? found.Account
            : throw new GcsRefusal(401, "authError", "Invalid Credentials");
    }

    /// <summary>Answers a request for a token with what the body proves.</summary>
    internal JsonObject Exchange(byte[] body, string audience)
    {
        var form = QueryHelpers.ParseQuery(Encoding.UTF8.GetString(body));
        return form["grant_type"].ToString() switch
        {
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => Give(SignerOf(form["assertion"].ToString(), audience)),
            "urn:ietf:params:oauth:grant-type:token-exchange" when form["subject_token"] == "subject-token" => Give(accounts[0]),
            _ => throw new GcsRefusal(400, "unauthorized_client", "This proof is not known."),
        };
    }

    internal JsonObject Give(GcsAccount account)
    {
        var token = $"fake-token-{Interlocked.Increment(ref _count)}-{Guid.NewGuid():N}";
        _given[token] = (account, DateTimeOffset.UtcNow + options.TokenLifetime);
        return new JsonObject
        {
            ["access_token"] = token,
            ["expires_in"] = (int)options.TokenLifetime.TotalSeconds,
            ["token_type"] = "Bearer",
            ["issued_token_type"] = "urn:ietf:params:oauth:token-type:access_token",
        };
    }

    private GcsAccount SignerOf(string assertion, string audience)
    {
        var parts = assertion.Split('.');
        if (parts.Length != 3)
        {
            throw new GcsRefusal(400, "invalid_grant", "Bad assertion.");
        }

        var claims = JsonNode.Parse(Base64Url.DecodeFromChars(parts[1]))!;
        var account = accounts.FirstOrDefault(a => a.Email == (string?)claims["iss"]) ?? throw new GcsRefusal(400, "invalid_grant", "Invalid grant: account not found");
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var problem = !account.HasSigned(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2])) ? "Invalid JWT Signature."
            : (string?)claims["aud"] is not { } named || (named != audience && named != GoogleAudience) ? $"Invalid JWT: the audience is {claims["aud"]}, not {audience}."
            : (long?)claims["exp"] <= now || (long?)claims["iat"] > now + 60 ? "Invalid JWT: Token must be a short-lived token."
            : (string?)claims["scope"] is not { } scope || !scope.Contains("devstorage.read_write", StringComparison.Ordinal) ? "Invalid OAuth scope."
            : null;
        return problem is null ? account : throw new GcsRefusal(400, "invalid_grant", problem);
    }
}
