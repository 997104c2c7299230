using LoRA2.Native.Data;
using LoRA2.Native.Data.Tables;
using LoRA2.Native.Files;
using LoRA2.Native.Parquet;
using LoRA2.Native.Tests.Shared;
using Parquet;
using Parquet.Schema;

namespace LoRA2.Native.Cli.Tests;

/// <summary>Parquet files as another program writes them (tests/Fixtures/parquet/make.mjs), and as none should.</summary>
public sealed class ParquetTests : IDisposable
{
    private static readonly string File = Path.Combine(SharedData.Repository, "tests", "Fixtures", "parquet", "train-00000-of-00001.parquet");

    private readonly TemporaryFolder folder = new();

    public ParquetTests() => ParquetFormat.Register();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void ColumnsAreFieldsAndALabelsNumbersHaveTheirNames()
    {
        Table table = ParquetFormat.Format.Read(File);
        Assert.Equal(["text", "label", "score", "note", "is_new"], table.Columns);
        Assert.Equal(["My parcel never arrived.", "yes", "0.5", "a", "true"], table.Rows[0].Fields);
        Assert.Equal(["Grüße, 東京 😀", "no", "-1.25", null, "false"], table.Rows[1].Fields);
        Assert.Equal(["line\nbreak", "yes", "3", "c", "true"], table.Rows[2].Fields);
        Assert.Equal(["tab\tand \"quotes\"", "no", "0.001", null, "true"], table.Rows[3].Fields);
        Assert.Equal(["", "yes", "2", null, "false"], table.Rows[4].Fields);
        Dataset data = DatasetFile.Load(File);
        Assert.Equal(["no", "yes"], data.LabelNames);
        Assert.Equal([1, 0, 1, 0, 1], data.Examples.Select(example => example.Label));
    }

    [Fact]
    public async Task ListsAreListsAsInJsonLines()
    {
        var texts = new DataField<string>("text");
        var labels = new ListField("labels", new DataField<string>("element"));
        var schema = new ParquetSchema(texts, labels);
        string path = folder.File("lists.parquet");
        await using (FileStream stream = System.IO.File.Create(path))
        {
            await using ParquetWriter writer = await ParquetWriter.CreateAsync(schema, stream);
            using ParquetRowGroupWriter part = writer.CreateRowGroup();
            await part.WriteAsync(schema.DataFields[0], ["a", "b"]);
            await part.WriteAsync(schema.DataFields[1], ["x", "y\"z", "w"], new ReadOnlyMemory<int>([0, 1, 0]));
        }

        Table table = ParquetFormat.Format.Read(path);
        Assert.Equal(["[\"x\",\"y\\u0022z\"]", "[\"w\"]"], table.Rows.Select(row => row.ListAt(1)));
        Assert.All(table.Rows, row => Assert.Null(row.Fields[1]));
    }

    [Fact]
    public void DamagedFilesEndInASentence()
    {
        byte[] whole = System.IO.File.ReadAllBytes(File);
        Assert.Contains("no such file", Assert.Throws<InputException>(() => ParquetFormat.Format.Read(folder.File("none.parquet"))).Message, StringComparison.Ordinal);
        for (int length = 0; length < whole.Length; length += 37) Assert.Throws<InputException>(() => ParquetFormat.Format.Read(folder.Write("cut.parquet", whole[..length])));
        var random = new Random(4);
        for (int i = 0; i < 200; i++)
        {
            byte[] damaged = [.. whole];
            for (int j = random.Next(4); j >= 0; j--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                ParquetFormat.Format.Read(folder.Write("damaged.parquet", damaged));
            }
            catch (InputException e)
            {
                Assert.DoesNotContain('\n', e.Message);
            }
        }
    }

    /// <summary>Parquet.Net's reader goes round for ever at the end of a footer that goes on: 4 in place of the last column order's end was such a file.</summary>
    [Fact]
    public void AFooterThatGoesOnBeyondItsEndIsRefused()
    {
        byte[] whole = System.IO.File.ReadAllBytes(File);
        Damaged(1702, 4, "the Parquet footer ends too early (byte 1147 of 1147)");
        int footer = whole.Length - 8 - BitConverter.ToInt32(whole, whole.Length - 8);
        for (int at = footer; at < whole.Length - 8; at += 7)
            foreach (byte value in (byte[])[0, 4, 0x1C, 0xFF]) Damaged(at, value);

        void Damaged(int at, byte value, string? message = null)
        {
            byte[] damaged = [.. whole];
            damaged[at] = value;
            string? found = null;
            try
            {
                ParquetFormat.Format.Read(folder.Write("damaged.parquet", damaged));
            }
            catch (InputException e)
            {
                found = e.Message;
            }

            if (message is not null) Assert.Contains(message, found ?? "", StringComparison.Ordinal);
        }
    }

    /// <summary>A field's number that stands by itself is signed: 2 is field 1, an i32, of which a list is none.</summary>
    [Theory]
    [InlineData(new byte[] { 0x09, 2, 0, 0 }, "has a field 1 of FileMetaData of another type")]
    [InlineData(new byte[] { 0x05, 4, 0, 0 }, "has a field 2 of FileMetaData of another type")]
    [InlineData(new byte[] { 0x05, 0x80, 0x80, 0x80, 0x80, 0x01, 0, 0 }, "has a field whose number is of more than 16 bits")]
    public void AFieldsNumberMayStandByItself(byte[] footer, string message)
    {
        byte[] file = [.. "PAR1"u8, .. footer, .. BitConverter.GetBytes(footer.Length), .. "PAR1"u8];
        Assert.Contains(message, Assert.Throws<InputException>(() => ParquetFormat.Format.Read(folder.Write("short.parquet", file))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TheCommandReadsThem()
    {
        CommandResult result = Lora2.Run("finetune", "--model", TinyModel.Write(folder), "--train", File, "--dev", File, "--max-steps", "2", "--batch-size", "2", "--output", folder.File("out"));
        Assert.True(result.Code == 0, result.Error);
        Assert.Contains("labels       no, yes", result.Output, StringComparison.Ordinal);
    }
}
