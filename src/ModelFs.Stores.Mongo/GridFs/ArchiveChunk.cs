using MongoDB.Bson;
using MongoDB.Bson.IO;

namespace ModelFs.Stores.Mongo.GridFs;

/// <summary>One chunk of a GridFS file as bytes of BSON.</summary>
internal static class ArchiveChunk
{
    /// <summary>Makes a chunk.</summary>
    internal static byte[] Write(ObjectId file, int number, ReadOnlySpan<byte> data)
    {
        using var output = new MemoryStream(data.Length + 128);
        using (var writer = new BsonBinaryWriter(output))
        {
            writer.WriteStartDocument();
            writer.WriteObjectId("_id", ObjectId.GenerateNewId());
            writer.WriteObjectId("files_id", file);
            writer.WriteInt32("n", number);
            writer.WriteName("data");
            writer.WriteBinaryData(new BsonBinaryData(data.ToArray()));
            writer.WriteEndDocument();
        }

        return output.ToArray();
    }

    /// <summary>Reads a chunk's number and bytes.</summary>
    internal static (int Number, byte[] Data) Read(RawBsonDocument chunk) => (chunk["n"].ToInt32(), chunk["data"].AsByteArray);
}
