using System.CommandLine;
using ModelFs.Cli.Options;

namespace ModelFs.Cli;

/// <summary><c>modelfs completion</c>: prints a script that makes a shell complete the commands and options.</summary>
internal static class CompletionCommand
{
    private const string Bash =
        """
        _modelfs() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -o default -W "$(modelfs "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _modelfs modelfs
        """;

    private const string Zsh =
        """
        #compdef modelfs
        _modelfs() {
            local -a found
            found=("${(@f)$(modelfs "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
            compadd -a found
            _files
        }
        compdef _modelfs modelfs
        """;

    private const string Fish =
        """
        complete -c modelfs -a '(modelfs "[suggest:"(commandline -C)"]" (commandline -cp) 2>/dev/null)'
        """;

    /// <summary>Makes the command.</summary>
    public static Command Create(CommandServices services)
    {
        var shell = new Argument<string>("SHELL") { Description = "bash, zsh or fish." };
        shell.CompletionSources.Add("bash", "zsh", "fish");
        var command = new Command("completion", "Print a shell's completion script: source <(modelfs completion bash)") { shell };
        command.SetAction(result =>
        {
            try
            {
                services.Out.WriteLine(OptionText.OneOf(result.GetRequiredValue(shell), ("bash", Bash), ("zsh", Zsh), ("fish", Fish)));
            }
            catch (FormatException exception)
            {
                throw CommandException.Usage($"SHELL: {exception.Message}");
            }
        });
        return command;
    }
}
