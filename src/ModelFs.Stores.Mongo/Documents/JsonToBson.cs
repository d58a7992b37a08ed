using System.Globalization;
using System.Text;
using MongoDB.Bson.IO;

namespace ModelFs.Stores.Mongo.Documents;

/// <summary>
/// Parses JSON text as Python's <c>json.load</c> does and writes it as pymongo would store the result: integers as the smaller of int32
/// and int64 that holds them, everything with a point or an exponent as double, <c>NaN</c> and <c>Infinity</c> accepted.
/// </summary>
/// <remarks>Also refused is a key that occurs twice, of which Python's round trip loses one, and one that starts with a dollar sign, which servers before 5.0 refuse.</remarks>
internal ref struct JsonToBson
{
    /// <summary>What a server accepts (100), less the document around the file.</summary>
    private const int DepthMax = 98;

    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly IBsonWriter _writer;
    private readonly ReadOnlySpan<char> _text;
    private int _at;
    private int _depth;

    private JsonToBson(ReadOnlySpan<char> text, IBsonWriter writer)
    {
        _text = text;
        _writer = writer;
    }

    /// <summary>Writes the one value of <paramref name="utf8"/>.</summary>
    /// <exception cref="DocumentException">It is not what Python would read, or can't be stored.</exception>
    internal static void Write(ReadOnlySpan<byte> utf8, IBsonWriter writer)
    {
        string text;
        try
        {
            text = s_strictUtf8.GetString(utf8);
        }
        catch (DecoderFallbackException)
        {
            throw new DocumentException("is not UTF-8");
        }

        var parser = new JsonToBson(text, writer);
        parser.Value();
        parser.SkipSpace();
        if (parser._at < parser._text.Length)
        {
            throw parser.Invalid();
        }
    }

    private void Value()
    {
        SkipSpace();
        switch (Peek())
        {
            case '{':
                Object();
                break;
            case '[':
                Array();
                break;
            case '"':
                _writer.WriteString(String());
                break;
            default:
                if (!TryWord() && !TryNumber())
                {
                    throw Invalid();
                }

                break;
        }
    }

    private void Object()
    {
        Enter();
        _writer.WriteStartDocument();
        var names = new HashSet<string>(StringComparer.Ordinal);
        while (NextItem(names.Count, '}'))
        {
            SkipSpace();
            var name = Peek() == '"' ? String() : throw Invalid();
            if (!names.Add(name))
            {
                throw new DocumentException($"holds the key \"{name}\" twice in one object");
            }

            if (name.Contains('\0', StringComparison.Ordinal))
            {
                throw new DocumentException("holds a key with a NUL character");
            }

            if (name.StartsWith('$'))
            {
                throw new DocumentException($"holds the key \"{name}\", which not every server stores");
            }

            SkipSpace();
            Expect(':');
            _writer.WriteName(name);
            Value();
        }

        _writer.WriteEndDocument();
        _depth--;
    }

    private void Array()
    {
        Enter();
        _writer.WriteStartArray();
        for (var count = 0; NextItem(count, ']'); count++)
        {
            Value();
        }

        _writer.WriteEndArray();
        _depth--;
    }

    private void Enter()
    {
        _at++;
        if (++_depth > DepthMax)
        {
            throw new DocumentException($"is nested more than {DepthMax} levels deep");
        }
    }

    /// <summary>Steps over what separates items. False behind the last.</summary>
    private bool NextItem(int before, char end)
    {
        SkipSpace();
        if (Peek() == end)
        {
            _at++;
            return false;
        }

        if (before > 0)
        {
            Expect(',');
        }

        return true;
    }

    private string String()
    {
        _at++;
        var result = new StringBuilder();
        while (true)
        {
            var length = _text[_at..].IndexOfAny('"', '\\');
            var plain = length < 0 ? throw Invalid() : _text.Slice(_at, length);
            if (plain.IndexOfAnyInRange('\0', '\u001f') >= 0)
            {
                throw Invalid();
            }

            result.Append(plain);
            _at += length + 1;
            if (_text[_at - 1] == '"')
            {
                break;
            }

            result.Append(Escape());
        }

        var text = result.ToString();
        return HasLoneSurrogate(text) ? throw new DocumentException("holds half of a surrogate pair") : text;
    }

    private char Escape()
    {
        var letter = Peek();
        _at++;
        return letter switch
        {
            '"' or '\\' or '/' => letter,
            'b' => '\b',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => Unicode(),
            _ => throw Invalid(),
        };
    }

    private char Unicode()
    {
        if (_text.Length - _at < 4 || !ushort.TryParse(_text.Slice(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code))
        {
            throw Invalid();
        }

        _at += 4;
        return (char)code;
    }

    private bool TryWord()
    {
        if (Take("true"))
        {
            _writer.WriteBoolean(true);
        }
        else if (Take("false"))
        {
            _writer.WriteBoolean(false);
        }
        else if (Take("null"))
        {
            _writer.WriteNull();
        }
        else if (Take("NaN"))
        {
            _writer.WriteDouble(double.NaN);
        }
        else if (Take("-Infinity"))
        {
            _writer.WriteDouble(double.NegativeInfinity);
        }
        else if (Take("Infinity"))
        {
            _writer.WriteDouble(double.PositiveInfinity);
        }
        else
        {
            return false;
        }

        return true;
    }

    private bool TryNumber()
    {
        var start = _at;
        if (Peek() == '-')
        {
            _at++;
        }

        var digits = SkipDigits();
        if (digits == 0 || (digits > 1 && _text[_at - digits] == '0'))
        {
            return false;
        }

        var isFloat = false;
        if (Peek() == '.')
        {
            _at++;
            isFloat = SkipDigits() > 0 ? true : throw Invalid();
        }

        if (Peek() is 'e' or 'E')
        {
            _at++;
            if (Peek() is '+' or '-')
            {
                _at++;
            }

            isFloat = SkipDigits() > 0 ? true : throw Invalid();
        }

        Number(_text[start.._at], isFloat);
        return true;
    }

    private readonly void Number(ReadOnlySpan<char> number, bool isFloat)
    {
        if (isFloat)
        {
            _writer.WriteDouble(double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture));
        }
        else if (!long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value))
        {
            throw new DocumentException("holds an integer beyond 64 bits");
        }
        else if (value is >= int.MinValue and <= int.MaxValue)
        {
            _writer.WriteInt32((int)value);
        }
        else
        {
            _writer.WriteInt64(value);
        }
    }

    private int SkipDigits()
    {
        var start = _at;
        while (char.IsAsciiDigit(Peek()))
        {
            _at++;
        }

        return _at - start;
    }

    private void SkipSpace()
    {
        while (Peek() is ' ' or '\t' or '\n' or '\r')
        {
            _at++;
        }
    }

    private bool Take(ReadOnlySpan<char> word)
    {
        var found = _text[_at..].StartsWith(word, StringComparison.Ordinal);
        _at += found ? word.Length : 0;
        return found;
    }

    private void Expect(char wanted)
    {
        if (Peek() != wanted)
        {
            throw Invalid();
        }

        _at++;
    }

    /// <summary>The next character; NUL, which JSON has nowhere outside of strings, behind the last.</summary>
    private readonly char Peek() => _at < _text.Length ? _text[_at] : '\0';

    private readonly DocumentException Invalid() => new($"is not valid JSON at character {_at}");

    private static bool HasLoneSurrogate(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogate(text[i]) && !(char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[++i])))
            {
                return true;
            }
        }

        return false;
    }
}
