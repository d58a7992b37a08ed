using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using ModelFs.FunctionalTests.Harness;

namespace ModelFs.CrashTests.Injection;

/// <summary>
/// Runs the program under test with every system call on some folders in the test's hand (<c>syscall_injector.c</c>): the n-th one can fail,
/// or be the moment of a kill. The program itself is the one that users get.
/// </summary>
internal sealed class SyscallInjector : IDisposable
{
    /// <summary>Everything that changes something on the disk, or makes it durable.</summary>
    public const string Changing = "cwtsnuma";

    /// <summary>The same, and every look at a file.</summary>
    public const string Everything = Changing + "r";

    private const string Compiler = "/usr/bin/gcc";
    private readonly Process _process;
    private readonly List<string> _answers = [];
    private readonly List<string> _said = [];

    /// <param name="home">Where the compiled injector stays.</param>
    /// <param name="folders">The folders whose calls are watched.</param>
    /// <param name="program">The program and its arguments; it runs once <see cref="Go"/> is called.</param>
    /// <param name="environment">Variables of the program.</param>
    public SyscallInjector(TestFolder home, IEnumerable<string> folders, IEnumerable<string> program, IReadOnlyDictionary<string, string?>? environment = null)
    {
        var start = new ProcessStartInfo(Compile(home), [.. folders, "--", .. program])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            start.Environment[name] = value;
        }

        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, line) => Take(line.Data);
        _process.ErrorDataReceived += (_, line) => TakeMessage(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>The call that was the last one or that failed: its name and path; null while it was not met.</summary>
    public string? Hit
    {
        get
        {
            lock (_answers)
            {
                return _answers.FirstOrDefault(answer => answer.StartsWith("hit ", StringComparison.Ordinal)) is { } hit ? hit[(hit.IndexOf(' ', 4) + 1)..] : null;
            }
        }
    }

    /// <summary>What the program printed.</summary>
    public string Messages
    {
        get
        {
            lock (_said)
            {
                return string.Join('\n', _said);
            }
        }
    }

    /// <summary>What a machine must have for it.</summary>
    public static void RequireHere()
    {
        Requires.Fuse();
        Requires.Root();
        Requires.Tool(Compiler);
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64)
        {
            Assert.Ignore("needs x86-64: the injector knows no other registers");
        }
    }

    /// <summary>Starts the program.</summary>
    public void Go() => Ask("go", "started");

    /// <summary>From now on the <paramref name="n"/>-th call kills its process before it happens.</summary>
    /// <param name="n">From 1.</param>
    /// <param name="classes">Which calls count.</param>
    /// <param name="everybody">Whether all other processes die with it.</param>
    public void ArmKill(int n, string classes, bool everybody = false) => Ask(string.Create(CultureInfo.InvariantCulture, $"arm {n} {(everybody ? "killall" : "kill")} {classes}"), "armed");

    /// <summary>From now on the <paramref name="n"/>-th call fails, and all that follow if <paramref name="forEver"/>.</summary>
    public void ArmFailure(int n, int errno, bool forEver, string classes) =>
        Ask(string.Create(CultureInfo.InvariantCulture, $"arm {n} fail {errno} {(forEver ? 0 : 1)} {classes}"), "armed");

    /// <summary>Lets everything pass again.</summary>
    /// <returns>How many calls there were since it was armed.</returns>
    public int Disarm() => int.Parse(Ask("off", "count")[6..], CultureInfo.InvariantCulture);

    /// <summary>Waits until nothing runs under it any more, after everybody was killed.</summary>
    public void WaitForEnd() => Eventually.True(() => _process.HasExited, "the injector's processes are dead");

    /// <summary>A call without the names that differ every time: <c>renameat journal/#</c>.</summary>
    public static string StepOf(string hit, IReadOnlyDictionary<string, string> folders)
    {
        foreach (var (name, folder) in folders)
        {
            hit = hit.Replace(folder, name, StringComparison.Ordinal);
        }

        return System.Text.RegularExpressions.Regex.Replace(System.Text.RegularExpressions.Regex.Replace(hit, "[0-9a-f]{32}", "#"), "(?<=[/-])[0-9]+(?=$|[/.-])", "#");
    }

    /// <summary>Kills everything that still runs under it.</summary>
    public void Dispose()
    {
        _process.StandardInput.Dispose();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(30)))
        {
            _process.Kill();
            Assert.Fail("the injector does not end");
        }

        _process.Dispose();
    }

    private static string Compile(TestFolder home)
    {
        var program = home.At("syscall_injector");
        if (!File.Exists(program))
        {
            Actor.Run(Compiler, "-O1", "-o", program, Path.Combine(AppContext.BaseDirectory, "Injection", "syscall_injector.c"));
        }

        return program;
    }

    private string Ask(string command, string answer)
    {
        lock (_answers)
        {
            _answers.Clear();
        }

        _process.StandardInput.WriteLine(command);
        _process.StandardInput.Flush();
        string? found = null;
        Eventually.True(
            () =>
            {
                lock (_answers)
                {
                    found = _answers.FirstOrDefault(each => each.StartsWith(answer, StringComparison.Ordinal));
                }

                return found is not null || _process.HasExited;
            },
            $"the injector answers '{command}'",
            pause: TimeSpan.FromMilliseconds(2));
        return found ?? throw new AssertionException($"the injector ended: {Messages}");
    }

    private void Take(string? line)
    {
        lock (_answers)
        {
            if (line is not null)
            {
                _answers.Add(line);
            }
        }
    }

    private void TakeMessage(string? line)
    {
        lock (_said)
        {
            if (line is not null)
            {
                _said.Add(line);
            }
        }
    }
}
