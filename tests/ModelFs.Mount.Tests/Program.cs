using ModelFs.Mount.Tests.Keeper;

return KeptDaemon.Run(args[0]);
