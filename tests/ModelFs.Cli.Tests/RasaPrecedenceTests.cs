using System.Globalization;
using System.Text.RegularExpressions;
using ModelFs.Cli.Rasa;

namespace ModelFs.Cli.Tests;

/// <summary>Walks the README's table of what wins over what: each name alone has its effect, and each wins over all that stand behind it.</summary>
public sealed partial class RasaPrecedenceTests
{
    private const string InFile = " in FILE";

    private static readonly IReadOnlyDictionary<string, IReadOnlyList<string>> s_table = ReadTable();

    private string _folder = "";

    private static IEnumerable<TestCaseData> Names => s_table.SelectMany(row => row.Value.Select((name, at) => new TestCaseData(row.Key, at).SetArgDisplayNames(row.Key, name)));

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("modelfs-rasa").FullName;

    [TearDown]
    public void RemoveFolder() => Directory.Delete(_folder, recursive: true);

    [TestCaseSource(nameof(Names))]
    public async Task A_name_wins_over_those_behind_it(string setting, int at)
    {
        var names = s_table[setting];
        var all = await ObserveAsync(setting, Enumerable.Range(at, names.Count - at));
        var alone = await ObserveAsync(setting, [at]);
        Assert.That(all, Is.EqualTo(Expected(setting, at)));
        Assert.That(alone, Is.EqualTo(Expected(setting, at)));
    }

    [Test]
    public void The_table_of_the_documentation_is_the_one_in_the_program()
    {
        foreach (var row in new[] { RasaSettingTable.Bucket, RasaSettingTable.Region, RasaSettingTable.Endpoint, RasaSettingTable.MongoUri, RasaSettingTable.Collection })
        {
            Assert.That(s_table[row.Name], Is.EqualTo(NamesOf(row)));
        }

        Assert.That(s_table["storage"], Is.EqualTo(NamesOf(RasaSettingTable.Storage).Prepend("--storage")));
        Assert.That(s_table["MOUNTPOINT"], Is.EqualTo(NamesOf(RasaSettingTable.ModelFolders).Prepend("MOUNTPOINT").Concat(NamesOf(RasaSettingTable.ModelsPath))));
    }

    private static IEnumerable<string> NamesOf(RasaSetting row) => [.. row.RasaVariables, .. row.ConfigKeys.Select(key => key + InFile), .. row.OtherVariables];

    private async Task<string> ObserveAsync(string setting, IEnumerable<int> set)
    {
        var run = new CommandRun { WorkingDirectory = _folder };
        run.Variables["HOME"] = _folder;
        var config = new Dictionary<string, string>();
        var arguments = new List<string> { "mount" };
        string? mountPoint = "mnt";
        AddWhatTheOthersNeed(setting, run, config);
        if (setting == "MOUNTPOINT")
        {
            arguments.Add("s3://bucket");
            mountPoint = null;
        }

        foreach (var at in set)
        {
            var (name, value) = (s_table[setting][at], ValueOf(setting, at));
            switch (name)
            {
                case "STORE":
                    arguments.Add(value);
                    break;
                case "MOUNTPOINT":
                    mountPoint = value;
                    break;
                case "--store-file":
                    await File.WriteAllTextAsync(_folder + "/store", value);
                    run.Variables["MODELFS_STORE_FILE"] = "store";
                    break;
                case "--storage":
                    run.Variables["MODELFS_STORAGE"] = value;
                    break;
                case "--rasa-config":
                    config["storage"] = value;
                    break;
                case var key when key.EndsWith(InFile, StringComparison.Ordinal):
                    config[key[..^InFile.Length]] = value;
                    break;
                default:
                    run.Variables[name] = value;
                    break;
            }
        }

        if (config.Count > 0)
        {
            await File.WriteAllTextAsync(_folder + "/config.json", "{" + string.Join(',', config.Select(pair => $"\"{pair.Key}\": \"{pair.Value}\"")) + "}");
            run.Variables["MODELFS_RASA_CONFIG"] = "config.json";
        }

        arguments.AddRange(mountPoint is null ? [] : [mountPoint]);
        foreach (var place in new[] { "mnt" }.Concat(Enumerable.Range(0, 10).Select(Place)))
        {
            Directory.CreateDirectory(Path.Combine(_folder, place));
        }

        Assert.That(await run.RunAsync([.. arguments]), Is.EqualTo(ExitCode.Done), $"{run.Error}");
        var settings = run.Keeper.Launched!.Settings;
        return setting == "MOUNTPOINT" ? Path.GetRelativePath(_folder, settings.MountPoint) : settings.Store;
    }

    /// <summary>A bucket where the row is about something else, and the kind of store that the row belongs to.</summary>
    private static void AddWhatTheOthersNeed(string setting, CommandRun run, Dictionary<string, string> config)
    {
        if (setting != "bucket")
        {
            run.Variables["BUCKET_NAME"] = "bucket";
        }

        if (setting is "storage" or "collection")
        {
            run.Variables["mongodb_uri"] = "mongodb://host/db";
        }

        switch (setting)
        {
            case "bucket" or "region" or "endpoint":
                config["storage"] = "aws";
                break;
            case "database" or "collection":
                config["storage"] = "mongodb";
                break;
        }
    }

    private static string ValueOf(string setting, int at) => setting switch
    {
        "STORE" => s_table[setting][at] switch
        {
            "--storage" => "gcs",
            "--rasa-config" or "RASA_STORAGE" => "aws",
            _ => $"s3://store{at}",
        },
        "storage" => ((string[])["aws", "gcs", "mongodb"])[at],
        "endpoint" => $"http://host{at}:80",
        "database" => $"mongodb://host{at}/db?authSource=admin",
        "MOUNTPOINT" => IsFolderOfModels(at) ? Place(at) : Place(at) + "/model_1",
        _ => $"value{at}",
    };

    private static string Expected(string setting, int at) => setting switch
    {
        "STORE" => ValueOf(setting, at) switch { "gcs" => "gs://bucket", "aws" => "s3://bucket", var address => address },
        "storage" => ((string[])["s3://bucket", "gs://bucket", "mongodb://host/db"])[at],
        "bucket" => $"s3://value{at}",
        "region" => $"s3://bucket?region=value{at}",
        "endpoint" => $"s3://bucket?endpoint=http%3A%2F%2Fhost{at}%3A80",
        "database" => ValueOf(setting, at),
        "collection" => $"mongodb://host/db?collection=value{at}",
        _ => Place(at),
    };

    /// <summary>MOUNTPOINT itself and the settings called path name the folder, the others a model in it.</summary>
    private static bool IsFolderOfModels(int at) => s_table["MOUNTPOINT"][at] is "MOUNTPOINT" or "RASA_PATH" or "path" + InFile;

    private static string Place(int at) => "place" + at.ToString(CultureInfo.InvariantCulture);

    private static IReadOnlyDictionary<string, IReadOnlyList<string>> ReadTable()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder!, "ModelFs.sln")))
        {
            folder = Path.GetDirectoryName(folder);
        }

        return File.ReadLines(Path.Combine(folder!, "README.md"))
            .SkipWhile(line => !line.StartsWith("| setting | names, the winning ones first |", StringComparison.Ordinal))
            .Skip(2)
            .TakeWhile(line => line.StartsWith('|'))
            .Select(line => line.Split('|', StringSplitOptions.TrimEntries))
            .ToDictionary(cells => cells[1], cells => (IReadOnlyList<string>)[.. NamePattern().Matches(cells[2]).Select(match => match.Groups[1].Value + match.Groups[2].Value)]);
    }

    [GeneratedRegex("`([^`]+)`( in FILE)?")]
    private static partial Regex NamePattern();
}
