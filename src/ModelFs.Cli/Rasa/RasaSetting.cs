namespace ModelFs.Cli.Rasa;

/// <summary>One setting of a Rasa NLU server that tells where its models are, under every name that it had in a release or in the documentation.</summary>
/// <param name="Name">What it is, as messages call it.</param>
/// <param name="RasaVariables">Environment variables that the server itself let win over its configuration file.</param>
/// <param name="ConfigKeys">In the configuration file.</param>
/// <param name="OtherVariables">Environment variables that the documentation names or that later releases read.</param>
internal sealed record RasaSetting(string Name, IReadOnlyList<string> RasaVariables, IReadOnlyList<string> ConfigKeys, IReadOnlyList<string> OtherVariables)
{
    /// <summary>Where it can be set, for a message: the first name of each kind.</summary>
    public string Places => string.Join(", or ", OtherVariables.Take(1).Concat(RasaVariables.Take(1)).Append($"{ConfigKeys[0]} in the file of --rasa-config"));
}

/// <summary>
/// The settings. Of each row the first name that is set wins: <c>RASA_…</c> variables, then the configuration file, as in every server that read one;
/// then the other variables, which those servers ignored and later ones read alone.
/// </summary>
internal static class RasaSettingTable
{
    /// <summary>The kind of store: <c>aws</c>, <c>gcs</c> or <c>mongodb</c>.</summary>
    public static RasaSetting Storage { get; } = new("storage", ["RASA_STORAGE"], ["storage"], []);

    /// <summary>The bucket of <c>aws</c> and <c>gcs</c>.</summary>
    public static RasaSetting Bucket { get; } = new("bucket", ["RASA_BUCKET_NAME"], ["bucket_name"], ["BUCKET_NAME"]);

    /// <summary>The region of <c>aws</c>.</summary>
    public static RasaSetting Region { get; } = new("region", ["RASA_AWS_REGION"], ["aws_region"], ["AWS_REGION", "AWS_DEFAULT_REGION"]);

    /// <summary>The server of <c>aws</c>, when it is not AWS.</summary>
    public static RasaSetting Endpoint { get; } =
        new("endpoint", ["RASA_AWS_ENDPOINT_URL"], ["aws_endpoint_url"], ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "aws_endpoint_url"]);

    /// <summary>The server and database of <c>mongodb</c>.</summary>
    public static RasaSetting MongoUri { get; } = new("database", ["RASA_MONGODB_URI"], ["mongodb_uri"], ["MONGODB_URI", "mongodb_uri"]);

    /// <summary>The collection of <c>mongodb</c>.</summary>
    public static RasaSetting Collection { get; } = new("collection", ["RASA_COLLECTION_NAME"], ["collection_name"], ["COLLECTION_NAME", "collection_name"]);

    /// <summary>The folders of the models that the server loads: one, several, or several by alias.</summary>
    public static RasaSetting ModelFolders { get; } =
        new("model folders", ["RASA_SERVER_MODEL_DIRS", "RASA_SERVER_MODEL_DIR"], ["server_model_dirs", "server_model_dir"], []);

    /// <summary>The folder in which models and projects stand.</summary>
    public static RasaSetting ModelsPath { get; } = new("path", ["RASA_PATH"], ["path"], []);

    /// <summary>The rows, in the order of the documentation.</summary>
    public static IReadOnlyList<RasaSetting> All { get; } = [Storage, Bucket, Region, Endpoint, MongoUri, Collection, ModelFolders, ModelsPath];
}
