using System.Buffers;
using System.Globalization;
using System.Text;
using MongoDB.Bson;
using MongoDB.Bson.IO;

namespace ModelFs.Stores.Mongo.Documents;

/// <summary>
/// Writes a stored value as Python's <c>json.dump</c> writes it by default, which is what the original class puts into a <c>.json</c> file:
/// separators <c>", "</c> and <c>": "</c>, ASCII escapes, no line breaks, fields in the document's order.
/// </summary>
/// <param name="output">Where the text goes; all of it is ASCII.</param>
internal sealed class PythonJsonWriter(IBufferWriter<byte> output)
{
    /// <summary>Writes the value that <paramref name="reader"/> stands before.</summary>
    /// <exception cref="DocumentException">JSON has no such type; Python's <c>json.dump</c> fails on it, too.</exception>
    internal void Write(IBsonReader reader)
    {
        switch (reader.GetCurrentBsonType())
        {
            case BsonType.Document:
                WriteObject(reader);
                break;
            case BsonType.Array:
                WriteArray(reader);
                break;
            case BsonType.String:
                WriteString(reader.ReadString());
                break;
            case BsonType.Symbol:
                WriteString(reader.ReadSymbol());
                break;
            case BsonType.Int32:
                Put(reader.ReadInt32().ToString(CultureInfo.InvariantCulture));
                break;
            case BsonType.Int64:
                Put(reader.ReadInt64().ToString(CultureInfo.InvariantCulture));
                break;
            case BsonType.Double:
                Put(PythonFloat.Format(reader.ReadDouble()));
                break;
            case BsonType.Boolean:
                Put(reader.ReadBoolean() ? "true" : "false");
                break;
            case BsonType.Null:
                reader.ReadNull();
                Put("null");
                break;
            case BsonType.Undefined:
                reader.ReadUndefined();
                Put("null");
                break;
            default:
                throw new DocumentException($"holds a value of type {reader.CurrentBsonType}, which JSON does not have");
        }
    }

    private void WriteObject(IBsonReader reader)
    {
        Put("{");
        reader.ReadStartDocument();
        for (var first = true; reader.ReadBsonType() != BsonType.EndOfDocument; first = false)
        {
            if (!first)
            {
                Put(", ");
            }

            WriteString(reader.ReadName());
            Put(": ");
            Write(reader);
        }

        reader.ReadEndDocument();
        Put("}");
    }

    private void WriteArray(IBsonReader reader)
    {
        Put("[");
        reader.ReadStartArray();
        for (var first = true; reader.ReadBsonType() != BsonType.EndOfDocument; first = false)
        {
            if (!first)
            {
                Put(", ");
            }

            Write(reader);
        }

        reader.ReadEndArray();
        Put("]");
    }

    private void WriteString(string text)
    {
        Put("\"");
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            var plain = rest.IndexOfAny(s_escaped);
            Put(plain < 0 ? rest : rest[..plain]);
            if (plain < 0)
            {
                break;
            }

            PutEscape(rest[plain]);
            rest = rest[(plain + 1)..];
        }

        Put("\"");
    }

    /// <summary>Python escapes everything outside of space to tilde; UTF-16 halves of one character each on its own.</summary>
    private static readonly SearchValues<char> s_escaped =
        SearchValues.Create([.. Enumerable.Range(0, 0x10000).Select(c => (char)c).Where(c => c is < ' ' or > '~' or '"' or '\\')]);

    private void PutEscape(char c)
    {
        var letter = c switch
        {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            '\b' => "\\b",
            '\f' => "\\f",
            _ => null,
        };
        Put(letter ?? string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"));
    }

    private void Put(ReadOnlySpan<char> ascii)
    {
        var target = output.GetSpan(ascii.Length);
        Encoding.ASCII.GetBytes(ascii, target);
        output.Advance(ascii.Length);
    }
}
