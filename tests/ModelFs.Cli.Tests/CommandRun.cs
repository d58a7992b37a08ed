using ModelFs.Cli.Diagnosis;
using ModelFs.Cli.Listing;
using ModelFs.Cli.Mounting;

namespace ModelFs.Cli.Tests;

/// <summary>Runs command lines in-process against a made-up machine.</summary>
internal sealed class CommandRun
{
    public StringWriter Out { get; } = new();

    public StringWriter Error { get; } = new();

    public Dictionary<string, string> Variables { get; } = new() { ["HOME"] = "/users/me" };

    public FakeMounts Mounts { get; set; } = new();

    public FakeKeeper Keeper { get; } = new();

    public FakeStores Stores { get; set; } = new();

    /// <summary>In place of <see cref="Stores"/>, for commands on stores that exist.</summary>
    public IStoreOpener? RealStores { get; set; }

    public Owner Owner { get; set; } = new(1000, 100);

    public Machine Machine { get; set; } = Machine.OfThisProcess;

    public IMountDaemon? Daemon { get; set; }

    public string WorkingDirectory { get; set; } = "/place";

    public Task<int> RunAsync(params string[] arguments) => RunAsync(arguments, CancellationToken.None);

    public async Task<int> RunAsync(string[] arguments, CancellationToken cancellationToken)
    {
        var services = new CommandServices
        {
            Out = Out,
            Error = Error,
            Console = Terminal.Create(Out, isTerminal: false),
            Caller = new Caller(Owner, WorkingDirectory, name => name == "nlu" ? new Owner(444, 555) : null),
            Variable = name => Variables.GetValueOrDefault(name),
            Time = new FakeTime(),
            Mounts = Mounts,
            Keeper = Keeper,
            Stores = RealStores ?? Stores,
            Machine = Machine,
            Daemon = Daemon,
        };
        return await CommandLine.RunAsync(services, arguments, cancellationToken);
    }
}
