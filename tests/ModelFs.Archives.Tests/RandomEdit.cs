using ModelFs.Models;

namespace ModelFs.Archives.Tests;

/// <summary>What programs do to a model folder, at random.</summary>
internal static class RandomEdit
{
    public static void Do(Random random, string folder)
    {
        var files = Directory.GetFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToArray();
        var folders = Directory.GetDirectories(folder, "*", SearchOption.AllDirectories).Append(folder).Order(StringComparer.Ordinal).ToArray();
        var file = files[random.Next(files.Length)];
        var place = Path.Combine(folders[random.Next(folders.Length)], $"n{random.Next(40)}");
        switch (random.Next(9))
        {
            case 0 when files.Length > 3:
                File.Delete(file);
                break;
            case 1:
                Change(random, file);
                break;
            case 2:
                File.Move(file, Path.Combine(Path.GetDirectoryName(file)!, $"r{random.Next(1000)}"), overwrite: true);
                break;
            case 3:
                InteropFiles.SetMode(file, random.Next(2) == 0 ? 0x180 : 0x1a4);
                break;
            case 4:
                InteropFiles.SetLinkModifiedTime(file, new UnixTime(random.Next(), (uint)random.Next(1_000_000_000)));
                break;
            case 5 when !Path.Exists(place):
                Directory.CreateDirectory(place);
                break;
            case 6 when !Path.Exists(place):
                File.CreateSymbolicLink(place, "n1");
                break;
            case 7 when files.Length > 3:
                // What was a file becomes a folder with something in it.
                File.Delete(file);
                Directory.CreateDirectory(file);
                File.WriteAllText(Path.Combine(file, "inside"), "x");
                break;
            case var _ when !Path.Exists(place):
                File.WriteAllBytes(place, SampleTree.Content(random.Next(4) == 0 ? random.Next(6_000_000) : random.Next(100_000)));
                break;
            default:
                break;
        }
    }

    private static void Change(Random random, string file)
    {
        if (new FileInfo(file).LinkTarget is not null)
        {
            File.Delete(file);
            return;
        }

        using var stream = File.Open(file, FileMode.Open);
        stream.Position = random.NextInt64(stream.Length + 1);
        stream.Write(SampleTree.Content(random.Next(1, 10_000)));
    }
}
