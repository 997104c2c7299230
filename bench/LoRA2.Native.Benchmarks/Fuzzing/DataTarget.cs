using System.Text.Json;
using LoRA2.Native.Data;

namespace LoRA2.Native.Benchmarks.Fuzzing;

/// <summary>What a data file means: its examples and their classes by name. Written as JSON Lines, whatever it was, it must mean the same.</summary>
internal static class DataTarget
{
    public static void Read(string path)
    {
        Dataset data = DatasetFile.Load(path);
        if (data.Examples.Any(example => example.Label < 0 || example.Label >= data.LabelNames!.Count)) throw new FuzzException("a label is none of the classes");
        string again = Path.Combine(Path.GetDirectoryName(path)!, "again.jsonl");
        Write(data, again);
        Dataset read = DatasetFile.Load(again);
        if (!read.LabelNames!.SequenceEqual(data.LabelNames!)) throw new FuzzException("saved again, the classes are others");
        if (!read.Examples.SequenceEqual(data.Examples)) throw new FuzzException("saved again, the examples are others");
    }

    private static void Write(Dataset data, string path)
    {
        using FileStream file = File.Create(path);
        foreach (Example example in data.Examples)
        {
            using (var json = new Utf8JsonWriter(file))
            {
                json.WriteStartObject();
                json.WriteString("text", example.Text);
                if (example.Pair is not null) json.WriteString("text_pair", example.Pair);
                json.WriteString("label", data.LabelNames![example.Label]);
                json.WriteEndObject();
            }

            file.WriteByte((byte)'\n');
        }
    }
}
