using ModelFs.Cli;
using ModelFs.Cli.Daemon;
using ModelFs.Cli.Listing;
using ModelFs.Cli.Mounting;
using ModelFs.Cli.Mounts;
using ModelFs.Stores;
using ModelFs.Stores.Gcs;
using ModelFs.Stores.Mongo;
using ModelFs.Stores.S3;

var stores = new StoreUrlOpener(new StoreOpener([new FolderStoreFactory(), new S3StoreFactory(), new GcsStoreFactory(), new MongoStoreFactory()]), new StoreOptions());
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
    Stores = stores,
    Daemon = new MountDaemon(stores),
};
return await CommandLine.RunAsync(services, args).ConfigureAwait(false);
