using System.Text.Json;

namespace ModelFs.Cli.Rasa;

/// <summary>The settings of a Rasa NLU server as its environment and its configuration file give them.</summary>
/// <param name="config">The file, or null when there is none.</param>
/// <param name="variable">Reads an environment variable.</param>
internal sealed class RasaSettings(RasaConfigFile? config, Func<string, string?> variable)
{
    /// <summary>Reads the file that is named, if one is.</summary>
    /// <exception cref="CommandException">It can't be read.</exception>
    public static RasaSettings Read(string? configFile, Func<string, string?> variable) =>
        new(configFile is null ? null : RasaConfigFile.Read(configFile), variable);

    /// <summary>All texts of a setting, from the first of its names that is set; empty when none is.</summary>
    /// <exception cref="CommandException">A variable holds broken JSON.</exception>
    public IReadOnlyList<string> Texts(RasaSetting setting)
    {
        foreach (var name in setting.RasaVariables)
        {
            if (variable(name) is { Length: > 0 } text && TextsOf(name, text) is { Count: > 0 } texts)
            {
                return texts;
            }
        }

        foreach (var key in setting.ConfigKeys)
        {
            if (config?.Texts(key) is { Count: > 0 } texts)
            {
                return texts;
            }
        }

        return setting.OtherVariables.Select(variable).FirstOrDefault(text => !string.IsNullOrEmpty(text)) is { } other ? [other] : [];
    }

    /// <summary>The one text of a setting, or null when it is not set.</summary>
    /// <exception cref="CommandException">It has several.</exception>
    public string? Text(RasaSetting setting)
    {
        var texts = Texts(setting);
        return texts.Count > 1
            ? throw CommandException.Usage($"the {setting.Name} of a Rasa NLU server is one text, and {config?.File ?? "the environment"} gives {texts.Count}")
            : texts.Count == 0 ? null : texts[0];
    }

    /// <summary>A variable is a text; where an object or a list is possible, it is JSON.</summary>
    private static IReadOnlyList<string> TextsOf(string name, string text)
    {
        if (text[0] is not ('{' or '['))
        {
            return [text];
        }

        try
        {
            using var document = JsonDocument.Parse(text);
            return RasaConfigFile.TextsOf(document.RootElement) ?? throw CommandException.Usage($"{name} is neither a text nor a list or an object of texts");
        }
        catch (JsonException)
        {
            throw CommandException.Usage($"{name} begins like JSON and is none");
        }
    }
}
