using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using ModelFs.Cli.Control;
using ModelFs.Cli.Diagnosis;
using ModelFs.Cli.Draining;
using ModelFs.Cli.Indexing;
using ModelFs.Cli.Listing;
using ModelFs.Cli.Mounting;
using ModelFs.Cli.Status;
using ModelFs.Cli.Transfers;
using ModelFs.Cli.Undo;
using ModelFs.Cli.Verifying;
using ModelFs.Cli.Watching;

namespace ModelFs.Cli;

/// <summary>The commands, and how their failures become messages and exit codes.</summary>
internal static class CommandLine
{
    /// <summary>Runs one command line in-process.</summary>
    /// <returns>One of <see cref="ExitCode"/>.</returns>
    public static async Task<int> RunAsync(CommandServices services, IReadOnlyList<string> arguments, CancellationToken cancellationToken = default)
    {
        var root = Root(services);
        var result = root.Parse(AsCommand(root, arguments));
        if (result.Action is ParseErrorAction)
        {
            foreach (var error in result.Errors)
            {
                services.Error.WriteLine("modelfs: " + error.Message);
            }

            var command = result.CommandResult.Command;
            services.Error.WriteLine($"see `modelfs {(command == root ? "" : command.Name + " ")}--help`");
            return ExitCode.Usage;
        }

        try
        {
            var configuration = new InvocationConfiguration { Output = services.Out, Error = services.Error, EnableDefaultExceptionHandler = false };
            if (result.CommandResult.Command.Name == DaemonCommand.Name)
            {
                // The parser would end the process 2 s after a signal; the daemon publishes first, for as long as --drain-timeout lets it.
                configuration.ProcessTerminationTimeout = null;
            }

            return await result.InvokeAsync(configuration, cancellationToken).ConfigureAwait(false);
        }
        catch (CommandException exception)
        {
            services.Error.WriteLine("modelfs: " + exception.Message);
            return exception.Code;
        }
        catch (OperationCanceledException)
        {
            services.Error.WriteLine("modelfs: interrupted");
            return ExitCode.Interrupted;
        }
    }

    /// <summary>mount(8) calls <c>modelfs STORE MOUNTPOINT -o …</c> for file systems of type <c>fuse.modelfs</c>: that is <c>modelfs mount</c>.</summary>
    private static IReadOnlyList<string> AsCommand(RootCommand root, IReadOnlyList<string> arguments)
    {
        var isPlace = arguments.Count >= 2 && arguments[0].Contains('/', StringComparison.Ordinal) && arguments[0][0] is not ('-' or '[');
        return isPlace && root.Subcommands.All(command => command.Name != arguments[0]) ? ["mount", .. arguments] : arguments;
    }

    private static RootCommand Root(CommandServices services)
    {
        var root = new RootCommand("ModelFs shows a store of machine-learning models as folders: fetched on first access, written back on close.")
        {
            MountCommand.Create(services),
            UnmountCommand.Create(services),
            StatusCommand.Create(services),
            TopCommand.Create(services),
            SyncCommand.Create(services),
            VerifyCommand.Create(services),
            ResolveCommand.Create(services),
            WarmCommand.Create(services),
            PinCommand.Create(services),
            EvictCommand.Create(services),
            ListCommand.Create(services),
            PullCommand.Create(services),
            PushCommand.Create(services),
            CopyCommand.Create(services),
            IndexCommand.Create(services),
            HistoryCommand.Create(services),
            RestoreCommand.Create(services),
            DoctorCommand.Create(services),
            CompletionCommand.Create(services),
            SetAttributeCommand.Create(services),
        };
        if (services.Daemon is { } daemon)
        {
            root.Add(DaemonCommand.Create(services, daemon));
        }

        foreach (var argument in root.Subcommands.SelectMany(command => command.Arguments))
        {
            argument.Validators.Add(RefuseOption);
        }

        foreach (var option in root.Options.OfType<HelpOption>())
        {
            option.Action = new TeachingHelp((SynchronousCommandLineAction)option.Action!);
        }

        return root;
    }

    /// <summary>The parser takes an option that it does not know for an argument, where one more fits.</summary>
    private static void RefuseOption(ArgumentResult result)
    {
        foreach (var token in result.Tokens.Where(token => token.Value.StartsWith('-')))
        {
            result.AddError($"there is no option '{token.Value}'; a path that starts with a dash is written ./{token.Value}");
        }
    }
}
