using ModelFs.Cli;
using ModelFs.Cli.Listing;
using ModelFs.Cli.Mounting;
using ModelFs.Cli.Mounts;
using ModelFs.Stores;

var program = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program is unknown.");
var services = new CommandServices
{
    Out = Console.Out,
    Error = Console.Error,
    Console = Terminal.Create(Console.Out, isTerminal: !Console.IsOutputRedirected),
    Caller = new Caller(
        new Owner(Interop.GetEffectiveUserId(), Interop.GetEffectiveGroupId()),
        Environment.CurrentDirectory,
        name => Interop.FindUser(name) is { } user ? new Owner(user.Uid, user.Gid) : null),
    Variable = Environment.GetEnvironmentVariable,
    Time = TimeProvider.System,
    Mounts = new LinuxMountHost(program),
    Keeper = new KeeperLauncher(program, TimeProvider.System),
    Stores = new StoreUrlOpener(new StoreOpener([new FolderStoreFactory()]), new StoreOptions()),
};
return await CommandLine.RunAsync(services, args).ConfigureAwait(false);
