using System.Globalization;
using System.Text;
using System.Text.Json;
using Parquet;
using Parquet.Data;
using Parquet.Schema;

namespace LoRA2.Native.Parquet;

/// <summary>One column of a part of a file, as texts.</summary>
internal static class ParquetColumn
{
    /// <summary>Reads the column of a number of rows.</summary>
    /// <returns>
    /// A field a row, null where it is missing or no plain value; and for a column of lists the list of each row as JSON, else nothing.
    /// </returns>
    public static async Task<(string?[] Fields, string?[] Lists)> ReadAsync(ParquetRowGroupReader part, Field column, int rows)
    {
        DataField? field = column switch { DataField plain => plain, ListField { Item: DataField item } => item, _ => null };
        if (field is null) return (new string?[rows], []);
        using RawColumnData data = await part.ReadRawColumnDataBaseAsync(field).ConfigureAwait(false);
        string[]? values = ValuesOf(data);
        if (values is null) return (new string?[rows], []);
        int[] definitions = field.MaxDefinitionLevel > 0 ? data.DefinitionLevels.ToArray() : [];
        if (field.MaxRepetitionLevel == 0) return (Plain(values, definitions, field.MaxDefinitionLevel, rows), []);
        return (new string?[rows], field.MaxRepetitionLevel == 1 ? Lists(values, definitions, data.RepetitionLevels.ToArray(), field, data is RawColumnData<ReadOnlyMemory<char>>, rows) : new string?[rows]);
    }

    private static string?[] Plain(string[] values, int[] definitions, int most, int rows)
    {
        var fields = new string?[rows];
        int next = 0;
        for (int row = 0; row < rows; row++)
        {
            if (most == 0 || definitions[row] == most) fields[row] = values[next++];
        }

        return fields;
    }

    /// <summary>A repetition level of 0 begins a row; an item is there where the definition level is the highest, and is null where it is one less and may be.</summary>
    private static string?[] Lists(string[] values, int[] definitions, int[] repetitions, DataField field, bool isText, int rows)
    {
        var lists = new string?[rows];
        var list = new StringBuilder();
        (int row, int next) = (-1, 0);
        for (int i = 0; i < repetitions.Length; i++)
        {
            if (repetitions[i] == 0)
            {
                Close();
                row++;
            }

            bool isThere = field.MaxDefinitionLevel == 0 || definitions[i] == field.MaxDefinitionLevel;
            if (!isThere && !(field.IsNullable && definitions[i] == field.MaxDefinitionLevel - 1)) continue;
            if (list.Length > 0) list.Append(',');
            string item = isThere ? values[next++] : "null";
            list.Append(isThere && isText ? $"\"{JsonEncodedText.Encode(item)}\"" : item);
        }

        Close();
        return lists;

        void Close()
        {
            if (row >= 0) lists[row] = $"[{list}]";
            list.Clear();
        }
    }

    /// <summary>The values that are there, as a JSON file would have them; null for types that no example is made of (bytes, times).</summary>
    private static string[]? ValuesOf(RawColumnData data) => data switch
    {
        RawColumnData<ReadOnlyMemory<char>> texts => Texts(texts.Values, text => text.ToString()),
        RawColumnData<bool> values => Texts(values.Values, value => value ? "true" : "false"),
        RawColumnData<sbyte> values => Texts(values.Values, Number),
        RawColumnData<byte> values => Texts(values.Values, Number),
        RawColumnData<short> values => Texts(values.Values, Number),
        RawColumnData<ushort> values => Texts(values.Values, Number),
        RawColumnData<int> values => Texts(values.Values, Number),
        RawColumnData<uint> values => Texts(values.Values, Number),
        RawColumnData<long> values => Texts(values.Values, Number),
        RawColumnData<ulong> values => Texts(values.Values, Number),
        RawColumnData<float> values => Texts(values.Values, Number),
        RawColumnData<double> values => Texts(values.Values, Number),
        _ => null,
    };

    private static string Number<T>(T value)
        where T : IFormattable => value.ToString(null, CultureInfo.InvariantCulture);

    private static string[] Texts<T>(ReadOnlySpan<T> values, Func<T, string> text)
    {
        string[] texts = new string[values.Length];
        for (int i = 0; i < texts.Length; i++) texts[i] = text(values[i]);
        return texts;
    }
}
