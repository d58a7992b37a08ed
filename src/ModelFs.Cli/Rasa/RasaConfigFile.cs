using System.Text;
using System.Text.Json;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace ModelFs.Cli.Rasa;

/// <summary>What the configuration file of a Rasa NLU server says of the settings in <see cref="RasaSettingTable"/>: JSON up to 0.11, YAML from then on.</summary>
/// <param name="file">For messages.</param>
/// <param name="values">The texts of each key that is there and not null: one for a text, those of a list, the values of an object.</param>
internal sealed class RasaConfigFile(string file, IReadOnlyDictionary<string, IReadOnlyList<string>> values)
{
    private static readonly string[] s_yamlNulls = ["", "~", "null", "Null", "NULL"];

    /// <summary>For messages.</summary>
    public string File => file;

    /// <summary>The texts of a key; empty when it is absent or null.</summary>
    public IReadOnlyList<string> Texts(string key) => values.GetValueOrDefault(key, []);

    /// <summary>Reads a file.</summary>
    /// <exception cref="CommandException">It can't be read. The message repeats nothing of its content, which may hold a password.</exception>
    public static RasaConfigFile Read(string file)
    {
        try
        {
            return Parse(file, System.IO.File.ReadAllText(file, Encoding.UTF8));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw CommandException.Usage($"--rasa-config: {exception.Message}");
        }
    }

    /// <summary>Reads a file's content.</summary>
    /// <exception cref="CommandException">It is neither JSON nor YAML, or a setting has a form that no server knew.</exception>
    public static RasaConfigFile Parse(string file, string text)
    {
        var isJson = text.AsSpan().TrimStart().StartsWith("{");
        var values = new Dictionary<string, IReadOnlyList<string>>(StringComparer.Ordinal);
        foreach (var key in RasaSettingTable.All.SelectMany(setting => setting.ConfigKeys))
        {
            values[key] = [];
        }

        try
        {
            if (isJson)
            {
                ReadJson(text, values, file);
            }
            else
            {
                ReadYaml(text, values, file);
            }
        }
        catch (JsonException exception)
        {
            throw CommandException.Usage($"--rasa-config: {file} is no JSON at line {exception.LineNumber + 1}");
        }
        catch (YamlException exception)
        {
            throw CommandException.Usage($"--rasa-config: {file} is no YAML at line {exception.Start.Line}");
        }

        return new RasaConfigFile(file, values);
    }

    /// <summary>The texts in a JSON value of any form that a setting had.</summary>
    /// <returns>Null when it has another form.</returns>
    public static IReadOnlyList<string>? TextsOf(JsonElement value)
    {
        var items = value.ValueKind switch
        {
            JsonValueKind.Array => value.EnumerateArray(),
            JsonValueKind.Object => value.EnumerateObject().Select(member => member.Value),
            _ => [value],
        };
        var texts = new List<string>();
        foreach (var item in items)
        {
            switch (item.ValueKind)
            {
                case JsonValueKind.Null:
                    break;
                case JsonValueKind.String:
                    texts.Add(item.GetString()!);
                    break;
                case JsonValueKind.Number:
                    texts.Add(item.GetRawText());
                    break;
                default:
                    return null;
            }
        }

        return [.. texts.Where(text => text.Length > 0)];
    }

    private static void ReadJson(string text, Dictionary<string, IReadOnlyList<string>> values, string file)
    {
        using var document = JsonDocument.Parse(text);
        foreach (var member in document.RootElement.EnumerateObject().Where(member => values.ContainsKey(member.Name)))
        {
            values[member.Name] = TextsOf(member.Value) ?? throw WrongForm(file, member.Name);
        }
    }

    private static void ReadYaml(string text, Dictionary<string, IReadOnlyList<string>> values, string file)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        if (stream.Documents is not [{ RootNode: YamlMappingNode root }, ..])
        {
            throw CommandException.Usage($"--rasa-config: {file} is no configuration of a Rasa NLU server: it holds no settings");
        }

        foreach (var (name, value) in root.Children)
        {
            if (name is YamlScalarNode { Value: { } key } && values.ContainsKey(key))
            {
                values[key] = TextsOf(value) ?? throw WrongForm(file, key);
            }
        }
    }

    private static IReadOnlyList<string>? TextsOf(YamlNode value)
    {
        IEnumerable<YamlNode> items = value switch
        {
            YamlSequenceNode list => list.Children,
            YamlMappingNode map => map.Children.Values,
            _ => [value],
        };
        var texts = new List<string>();
        foreach (var item in items)
        {
            if (item is not YamlScalarNode scalar)
            {
                return null;
            }

            if (scalar.Value is { } text && !(scalar.Style == ScalarStyle.Plain && s_yamlNulls.Contains(text)))
            {
                texts.Add(text);
            }
        }

        return [.. texts.Where(text => text.Length > 0)];
    }

    private static CommandException WrongForm(string file, string key) =>
        CommandException.Usage($"--rasa-config: '{key}' in {file} is neither a text, a list of texts, nor an object of texts");
}
