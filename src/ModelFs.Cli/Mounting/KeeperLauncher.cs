using System.ComponentModel;
using System.Diagnostics;
using System.Text;

namespace ModelFs.Cli.Mounting;

/// <summary>Starts <c>modelfs-keeper</c>, which lies beside this program.</summary>
/// <param name="program">The path of this program.</param>
/// <param name="time">For the limit on starting.</param>
internal sealed class KeeperLauncher(string program, TimeProvider time) : IKeeperLauncher
{
    /// <summary>Longer than every deadline inside of a start (store: 30 s, keeper: 60 s), so that their better messages win.</summary>
    private static readonly TimeSpan s_startTimeout = TimeSpan.FromSeconds(120);

    private const int StandardError = 2;

    private static readonly string s_keeper = Path.Combine(AppContext.BaseDirectory, "modelfs-keeper");

    public async Task<KeeperAnswer> LaunchAsync(KeeperLaunch launch, CancellationToken cancellationToken)
    {
        var (read, write) = Interop.OpenInheritedPipe();
        using var answer = new FileStream(read, FileAccess.Read, bufferSize: 1);
        using (write)
        {
            var start = new ProcessStartInfo(s_keeper) { UseShellExecute = false };
            start.Environment[MountSettings.Variable] = launch.Settings.ToJson();
            foreach (var argument in launch.Arguments((int)write.DangerousGetHandle(), program))
            {
                start.ArgumentList.Add(argument);
            }

            try
            {
                using var process = Process.Start(start);
            }
            catch (Win32Exception exception)
            {
                return new KeeperAnswer(null, CannotStart(exception.Message));
            }
        }

        // With this process' own write end closed, the end of the keeper ends the read as well.
        using var reader = new StreamReader(answer, Encoding.UTF8);
        try
        {
            var line = await reader.ReadLineAsync(cancellationToken).AsTask().WaitAsync(s_startTimeout, time, cancellationToken).ConfigureAwait(false);
            return KeeperAnswer.Parse(line, launch.LogFile);
        }
        catch (TimeoutException)
        {
            return new KeeperAnswer(null, $"the daemon was not ready after {s_startTimeout.TotalSeconds:0} s; its log is {launch.LogFile}");
        }
    }

    public string Become(KeeperLaunch launch)
    {
        // The keeper writes its one line to a copy of the descriptor; standard error stays open for the log.
        var arguments = launch.Arguments(StandardError, program);
        var errno = Interop.Replace(s_keeper, arguments, MountSettings.Variable, launch.Settings.ToJson());
        return CannotStart(new Win32Exception(errno).Message);
    }

    private static string CannotStart(string reason) => $"{s_keeper} could not be started: {reason}; it belongs beside modelfs, install both";
}
