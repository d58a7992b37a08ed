namespace ModelFs.Stores.Mongo.Documents;

/// <summary>Something that can't be carried over between a folder of files and a document, in either direction. The message goes on after the file's name.</summary>
/// <param name="message">For example <c>holds an integer beyond 64 bits</c>.</param>
internal sealed class DocumentException(string message) : Exception(message);
