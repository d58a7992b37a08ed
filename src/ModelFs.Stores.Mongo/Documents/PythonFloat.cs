using System.Globalization;

namespace ModelFs.Stores.Mongo.Documents;

/// <summary>Writes floating-point numbers as Python's <c>repr</c> does, and <c>json.dumps</c> with it.</summary>
internal static class PythonFloat
{
    /// <summary>Python changes to an exponent below 1e-4 and from 1e16 on.</summary>
    private const int PlainExponentMin = -4;
    private const int PlainExponentMax = 15;

    /// <summary>The text of <paramref name="value"/>; <c>NaN</c>, <c>Infinity</c> and <c>-Infinity</c> as <c>json.dumps</c> spells them.</summary>
    internal static string Format(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
        }

        // Both languages choose the shortest digits that read back as the same number; only their arrangement differs.
        var (digits, exponent) = Digits(value);
        var sign = double.IsNegative(value) ? "-" : "";
        return sign + Arrange(digits, exponent);
    }

    /// <summary>Significant digits without leading or trailing zeros, and the decimal exponent of the first.</summary>
    private static (string Digits, int Exponent) Digits(double value)
    {
        var text = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        var mark = text.IndexOf('E', StringComparison.Ordinal);
        var exponent = mark < 0 ? 0 : int.Parse(text.AsSpan(mark + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = mark < 0 ? text : text[..mark];
        var point = mantissa.IndexOf('.', StringComparison.Ordinal);
        var wholeDigits = point < 0 ? mantissa.Length : point;
        var all = mantissa.Replace(".", "", StringComparison.Ordinal);
        var significant = all.TrimStart('0');
        return significant.Length == 0
            ? ("0", 0)
            : (significant.TrimEnd('0'), exponent + wholeDigits - 1 - (all.Length - significant.Length));
    }

    private static string Arrange(string digits, int exponent)
    {
        if (exponent is < PlainExponentMin or > PlainExponentMax)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return string.Create(CultureInfo.InvariantCulture, $"{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):d2}");
        }

        if (exponent < 0)
        {
            return "0." + new string('0', -exponent - 1) + digits;
        }

        return digits.Length > exponent + 1
            ? string.Concat(digits.AsSpan(0, exponent + 1), ".", digits.AsSpan(exponent + 1))
            : digits.PadRight(exponent + 1, '0') + ".0";
    }
}
