namespace ModelFs.Stores;

/// <summary>How much a <see cref="ThrottlingStore"/> moves.</summary>
/// <param name="UploadBytesPerSecond">Of archives on their way to the store; null for no limit.</param>
/// <param name="DownloadBytesPerSecond">Of archives on their way from the store; null for no limit.</param>
public sealed record ThrottleOptions(long? UploadBytesPerSecond, long? DownloadBytesPerSecond);
