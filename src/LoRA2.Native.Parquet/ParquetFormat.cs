using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;

namespace LoRA2.Native.Parquet;

/// <summary>Apache Parquet as a format of files of examples.</summary>
public static class ParquetFormat
{
    private static readonly Lock Gate = new();

    /// <summary>The format: files that end in <c>.parquet</c>.</summary>
    public static DataFormat Format { get; } = new("Parquet", [".parquet"], ParquetTable.Read);

    /// <summary>Adds it to <see cref="DataFormats"/>; the second time it does nothing.</summary>
    public static void Register()
    {
        lock (Gate)
        {
            if (!DataFormats.All.Contains(Format)) DataFormats.Register(Format);
        }
    }
}
