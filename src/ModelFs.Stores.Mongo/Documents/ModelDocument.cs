using System.Buffers;
using ModelFs.Models;
using MongoDB.Bson;
using MongoDB.Bson.IO;

namespace ModelFs.Stores.Mongo.Documents;

/// <summary>
/// The document of one model, as the original class writes and reads it: <c>_id</c>, <c>model_name</c>, and one field per file, named by the
/// file's path. A path that ends in <c>.json</c> is stored as the parsed value, every other file as binary. There is nothing else in it.
/// </summary>
internal static class ModelDocument
{
    internal const string IdField = "_id";
    internal const string NameField = "model_name";

    /// <summary>A server's limit of one document, less the room that an <c>_id</c> of any kind may need; in bytes.</summary>
    internal const int BytesMax = (16 * 1024 * 1024) - 1024;

    private const string JsonEnding = ".json";

    /// <summary>Whether a file is stored as the parsed value.</summary>
    internal static bool IsJson(string path) => path.EndsWith(JsonEnding, StringComparison.Ordinal);

    /// <summary>Makes the document.</summary>
    /// <param name="id">Of the document that is replaced, or a new one.</param>
    /// <param name="name">The model's.</param>
    /// <param name="files">Files only, in the order to write them.</param>
    /// <exception cref="DocumentException">The model can't be kept in this shape.</exception>
    internal static byte[] Write(BsonValue id, string name, IEnumerable<ModelFile> files)
    {
        using var output = new MemoryStream();
        using (var writer = new BsonBinaryWriter(output, new BsonBinaryWriterSettings { MaxDocumentSize = int.MaxValue }))
        {
            writer.WriteStartDocument();
            writer.WriteName(IdField);
            BsonValues.Write(writer, id);
            writer.WriteString(NameField, name);
            foreach (var file in files)
            {
                WriteFile(writer, file);
                Require(output.Length);
            }

            writer.WriteEndDocument();
        }

        Require(output.Length);
        return output.ToArray();
    }

    /// <summary>The text that a stored <c>.json</c> value reads as, of the file's own bytes: what every other reader of the document sees.</summary>
    /// <exception cref="DocumentException">It is not what Python would read.</exception>
    internal static byte[] RenderJson(ReadOnlySpan<byte> utf8)
    {
        using var bytes = new MemoryStream();
        using (var writer = new BsonBinaryWriter(bytes, new BsonBinaryWriterSettings { MaxDocumentSize = int.MaxValue }))
        {
            writer.WriteStartDocument();
            writer.WriteName("");
            JsonToBson.Write(utf8, writer);
            writer.WriteEndDocument();
        }

        bytes.Position = 0;
        using var reader = new BsonBinaryReader(bytes);
        reader.ReadStartDocument();
        reader.ReadBsonType();
        reader.SkipName();
        return RenderValue(reader);
    }

    /// <summary>Reads the files, each with the bytes that the original class would write and with default mode and time.</summary>
    /// <param name="document">The whole document.</param>
    /// <param name="modified">For every file.</param>
    /// <exception cref="DocumentException">A field can't be a file.</exception>
    internal static List<ModelFile> Read(ReadOnlyMemory<byte> document, UnixTime modified)
    {
        var files = new List<ModelFile>();
        var paths = new HashSet<string>(StringComparer.Ordinal);
        try
        {
            using var reader = new BsonBinaryReader(new ByteBufferStream(new ByteArrayBuffer(ToArray(document), isReadOnly: true), ownsBuffer: true));
            reader.ReadStartDocument();
            while (reader.ReadBsonType() != BsonType.EndOfDocument)
            {
                var path = reader.ReadName();
                if (path is IdField or NameField)
                {
                    reader.SkipValue();
                    continue;
                }

                if (!FilePath.IsPlain(path) || !paths.Add(path))
                {
                    throw new DocumentException($"has the field '{path}', which can't be the path of a file");
                }

                files.Add(new ModelFile(path, ModelFile.DefaultFileMode, modified, ReadFile(reader, path)));
            }
        }
        catch (Exception exception) when (exception is FormatException or EndOfStreamException or ArgumentException or OverflowException)
        {
            throw new DocumentException($"is malformed: {exception.Message}");
        }

        return FilePath.FindClash(paths) is { } clash ? throw new DocumentException($"has the field '{clash}' beside fields inside of a folder of that name") : files;
    }

    private static void Require(long length)
    {
        if (length > BytesMax)
        {
            throw new DocumentException("is more than fits into a document of 16 MiB");
        }
    }

    private static byte[] ToArray(ReadOnlyMemory<byte> document) =>
        System.Runtime.InteropServices.MemoryMarshal.TryGetArray(document, out var segment) && segment.Offset == 0 && segment.Count == segment.Array!.Length
            ? segment.Array
            : document.ToArray();

    private static void WriteFile(BsonBinaryWriter writer, ModelFile file)
    {
        writer.WriteName(file.Path);
        if (!IsJson(file.Path))
        {
            writer.WriteBinaryData(new BsonBinaryData(file.Content.ToArray(), BsonBinarySubType.Binary));
            return;
        }

        try
        {
            JsonToBson.Write(file.Content.Span, writer);
        }
        catch (DocumentException exception)
        {
            throw new DocumentException($"has the file {file.Path}, which {exception.Message}");
        }
    }

    private static ReadOnlyMemory<byte> ReadFile(BsonBinaryReader reader, string path)
    {
        try
        {
            return IsJson(path) ? RenderValue(reader)
                : reader.CurrentBsonType == BsonType.Binary ? reader.ReadBinaryData().Bytes
                : throw new DocumentException($"holds a value of type {reader.CurrentBsonType}; a file is binary");
        }
        catch (DocumentException exception)
        {
            throw new DocumentException($"has the field '{path}', which {exception.Message}");
        }
    }

    private static byte[] RenderValue(BsonBinaryReader reader)
    {
        var text = new ArrayBufferWriter<byte>();
        new PythonJsonWriter(text).Write(reader);
        return text.WrittenSpan.ToArray();
    }
}
