using System.Text;

namespace ModelFs.Cli;

/// <summary>Writes lines without the blanks at their ends, with which tables fill their last column.</summary>
/// <param name="output">Where to.</param>
internal sealed class TrimmedLineWriter(TextWriter output) : TextWriter(output.FormatProvider)
{
    /// <summary>Blanks that are written only if something follows on their line.</summary>
    private int _held;

    /// <inheritdoc/>
    public override Encoding Encoding => output.Encoding;

    /// <inheritdoc/>
    public override void Write(char value)
    {
        if (value == ' ')
        {
            _held++;
            return;
        }

        if (value is not ('\n' or '\r'))
        {
            WriteHeld();
        }

        _held = 0;
        output.Write(value);
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        output.Flush();
        base.Flush();
    }

    private void WriteHeld()
    {
        for (; _held > 0; _held--)
        {
            output.Write(' ');
        }
    }
}
