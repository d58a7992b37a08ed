using ModelFs.GcsFake;

// Runs until its input ends or it is told to stop: scripts read the variables from its first lines.
var folder = args.Length == 1 ? args[0] : Directory.CreateTempSubdirectory("gcs-fake-").FullName;
Directory.CreateDirectory(folder);
await using var open = await GcsFakeServer.StartAsync(new GcsFakeOptions());
await using var guarded = await GcsFakeServer.StartAsync(new GcsFakeOptions { RequiresToken = true, UsesTls = true });
var key = Path.Combine(folder, "service-account.json");
var authority = Path.Combine(folder, "ca.pem");
await File.WriteAllTextAsync(key, guarded.Owner.KeyFile(guarded.TokenEndpoint));
await File.WriteAllTextAsync(authority, guarded.AuthorityPem);
Console.WriteLine($"STORAGE_EMULATOR_HOST={open.Endpoint}");
Console.WriteLine($"GCS_TLS_ENDPOINT={guarded.Endpoint}");
Console.WriteLine($"GCS_CA_FILE={authority}");
Console.WriteLine($"GOOGLE_APPLICATION_CREDENTIALS={key}");
Console.Out.Close();
await Task.Run(() => Console.In.ReadToEnd());
