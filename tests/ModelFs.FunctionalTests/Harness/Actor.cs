using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace ModelFs.FunctionalTests.Harness;

/// <summary>What a finished child process said.</summary>
internal sealed record ActorResult(string Command, int ExitCode, string Output, string Error, TimeSpan Elapsed)
{
    /// <summary>The result itself when the process ended with 0; otherwise the test fails with all that the process said.</summary>
    public ActorResult Succeeded()
    {
        Assert.That(ExitCode, Is.Zero, $"{Command}\nstdout: {Output}\nstderr: {Error}");
        return this;
    }

    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>Programs that use a mount as people do: a shell, Python, standard tools. None may outlive its deadline.</summary>
internal static class Actor
{
    private static readonly TimeSpan s_deadline = TimeSpan.FromSeconds(120);

    /// <summary>Runs a program to its end and expects exit code 0.</summary>
    public static ActorResult Run(string program, params IEnumerable<string> arguments) => Try(program, arguments).Succeeded();

    /// <summary>Runs a program to its end, whatever its exit code.</summary>
    public static ActorResult Try(string program, params IEnumerable<string> arguments) => Start(program, arguments).Wait(s_deadline);

    /// <summary>Runs a shell script that ends at its first failing command; expects exit code 0.</summary>
    public static ActorResult Bash(string script, string? folder = null) => TryBash(script, folder).Succeeded();

    public static ActorResult TryBash(string script, string? folder = null) =>
        Start("/bin/bash", ["-euo", "pipefail", "-c", script], folder).Wait(s_deadline);

    /// <summary>Runs Python source with Debian's own Python, the one that has boto3; arguments are in <c>sys.argv[1:]</c>.</summary>
    public static ActorResult Python(string source, params IEnumerable<string> arguments) => TryPython(source, arguments).Succeeded();

    public static ActorResult TryPython(string source, params IEnumerable<string> arguments) =>
        Start("/usr/bin/python3", ["-c", source, .. arguments]).Wait(s_deadline);

    /// <summary>The name of the error that a Python statement ends with, for example <c>EPERM</c>; <c>none</c> when it succeeds.</summary>
    public static string Errno(string statement) => Python(
        $"""
        import errno, mmap, os, shutil, sys
        try:
            {statement}
            print("none")
        except OSError as failure:
            print(errno.errorcode[failure.errno])
        """).Output.Trim();

    public static RunningActor StartPython(string source, params IEnumerable<string> arguments) =>
        Start("/usr/bin/python3", ["-u", "-c", source, .. arguments]);

    public static RunningActor Start(string program, IEnumerable<string> arguments, string? folder = null, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? Path.GetTempPath(),
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        try
        {
            return new RunningActor(Process.Start(start)!);
        }
        catch (Win32Exception failure)
        {
            throw new AssertionException($"{program} can't be started: {failure.Message}");
        }
    }
}

/// <summary>A child process at work; killed when disposed.</summary>
internal sealed class RunningActor : IDisposable
{
    private readonly Process _process;
    private readonly string _command;
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();

    public RunningActor(Process process)
    {
        _process = process;
        _command = process.StartInfo.FileName + " " + string.Join(' ', process.StartInfo.ArgumentList);
        process.StandardInput.Close();
        process.OutputDataReceived += (_, line) => Append(_output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    /// <summary>What it printed so far.</summary>
    public string OutputSoFar
    {
        get
        {
            lock (_output)
            {
                return _output.ToString();
            }
        }
    }

    /// <summary>Waits for the end; a process that is still alive at the deadline is killed and fails the test.</summary>
    public ActorResult Wait(TimeSpan deadline)
    {
        if (!_process.WaitForExit(deadline))
        {
            Signals.Send(_process.Id, Signals.Kill);
            Assert.Fail($"still running after {deadline.TotalSeconds:0} s: {_command}\nstdout: {OutputSoFar}\nstderr: {_error}");
        }

        // Without this the last lines may still be on their way.
        _process.WaitForExit();
        return new ActorResult(_command, _process.ExitCode, OutputSoFar, _error.ToString(), _clock.Elapsed);
    }

    /// <summary>Waits until the process has printed a line that contains <paramref name="text"/>.</summary>
    public void WaitForOutput(string text) =>
        Eventually.True(() => OutputSoFar.Contains(text, StringComparison.Ordinal) || HasExited, $"{_command} prints '{text}'", TimeSpan.FromSeconds(30));

    public void Signal(int signal) => Signals.Send(_process.Id, signal);

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            Signals.Send(_process.Id, Signals.Kill);
        }

        _process.Dispose();
    }

    private static void Append(StringBuilder text, string? line)
    {
        if (line is not null)
        {
            lock (text)
            {
                text.Append(line).Append('\n');
            }
        }
    }
}
