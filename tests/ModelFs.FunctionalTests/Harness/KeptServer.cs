using System.Diagnostics;

namespace ModelFs.FunctionalTests.Harness;

/// <summary>A server that serves as long as its standard input is open, and prints where it listens first.</summary>
internal sealed class KeptServer : IDisposable
{
    private readonly Process _process;

    private KeptServer(Process process, IReadOnlyList<string> lines)
    {
        _process = process;
        Lines = lines;
    }

    /// <summary>What it printed.</summary>
    public IReadOnlyList<string> Lines { get; }

    /// <summary>Starts one.</summary>
    /// <param name="lines">How many lines it prints.</param>
    /// <param name="program">A script of the repository.</param>
    /// <param name="arguments">Of the script.</param>
    /// <returns>The server, or why it can't run here.</returns>
    public static (KeptServer? Server, string? WhyNot) Start(int lines, string program, params IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        var process = Process.Start(start)!;
        var said = new List<string>();
        while (said.Count < lines && process.StandardOutput.ReadLine() is { } line)
        {
            said.Add(line);
        }

        if (said.Count == lines)
        {
            // Nobody reads what it says later; a full pipe would stop it.
            process.ErrorDataReceived += (_, _) => { };
            process.BeginErrorReadLine();
            return (new KeptServer(process, said), null);
        }

        var problem = process.StandardError.ReadToEnd();
        process.WaitForExit();
        process.Dispose();
        return (null, problem);
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(10)))
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }
}
