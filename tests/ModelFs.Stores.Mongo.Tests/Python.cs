using System.Diagnostics;

namespace ModelFs.Stores.Mongo.Tests;

/// <summary>Runs persistor.py, which knows nothing of ModelFs.</summary>
internal static class Python
{
    /// <summary>Runs it, and hands out what it printed.</summary>
    public static string Run(byte[] input, params string[] arguments) => System.Text.Encoding.UTF8.GetString(RunForBytes(input, arguments));

    /// <summary>Runs it, and hands out the bytes that it wrote.</summary>
    public static byte[] RunForBytes(byte[] input, params string[] arguments)
    {
        var start = new ProcessStartInfo("/usr/bin/python3", [Path.Combine(TestContext.CurrentContext.TestDirectory, "persistor.py"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var feed = Task.Run(() =>
        {
            process.StandardInput.BaseStream.Write(input);
            process.StandardInput.Close();
        });
        using var output = new MemoryStream();
        process.StandardOutput.BaseStream.CopyTo(output);
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, errors.Result);
        feed.Wait();
        return output.ToArray();
    }

    /// <summary>Inserts a document as it stands.</summary>
    public static void Insert(string database, byte[] document) => Run(document, "insert", database, "models");
}
