using System.Text;

namespace ModelFs.Benchmarks;

/// <summary>Content like that of models; the same at every run.</summary>
internal static class SampleContent
{
    /// <summary>Normally distributed float32 weights, which deflate shrinks by a tenth.</summary>
    internal static byte[] Weights(int bytes)
    {
        var random = new Random(1);
        var content = new byte[bytes];
        for (var at = 0; at + 4 <= bytes; at += 4)
        {
            var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
            BitConverter.TryWriteBytes(content.AsSpan(at), (float)(0.05 * normal));
        }

        return content;
    }

    /// <summary>Training examples as JSON, which deflate shrinks to about a third.</summary>
    internal static byte[] Text(int bytes)
    {
        var random = new Random(2);
        var words = Enumerable.Range(0, 20_000).Select(_ => new string([.. Enumerable.Range(0, random.Next(2, 11)).Select(_ => (char)('a' + random.Next(22)))])).ToArray();
        var text = new StringBuilder(bytes + 256);
        while (text.Length < bytes)
        {
            text.Append("{\"text\": \"");
            for (var word = 0; word < 10; word++)
            {
                text.Append(words[(int)(words.Length * Math.Pow(random.NextDouble(), 4))]).Append(' ');
            }

            text.Append("\", \"confidence\": ").Append(random.Next(1_000_000)).Append("}\n");
        }

        return Encoding.ASCII.GetBytes(text.ToString(0, bytes));
    }
}
