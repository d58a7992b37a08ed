using MongoDB.Bson;
using MongoDB.Bson.IO;
using MongoDB.Bson.Serialization;
using MongoDB.Bson.Serialization.Serializers;

namespace ModelFs.Stores.Mongo.Documents;

/// <summary>Single values of unknown type, such as a foreign document's <c>_id</c>.</summary>
internal static class BsonValues
{
    /// <summary>Writes a value behind the name that was written last.</summary>
    internal static void Write(IBsonWriter writer, BsonValue value) =>
        BsonValueSerializer.Instance.Serialize(BsonSerializationContext.CreateRoot(writer), value);
}
