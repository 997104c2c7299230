using System.Text.Json;
using LoRA2.Native.Encoders;
using LoRA2.Native.Encoders.Blocks;
using LoRA2.Native.Encoders.Families;

namespace LoRA2.Native.Tests.Golden;

/// <summary>DeBERTa's buckets of relative positions.</summary>
public sealed class RelativePositionsGoldenTests
{
    [Theory]
    [GoldenFamilies(GoldenKind.Buckets)]
    public void TableAgrees(string file)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(GoldenTraces.At(file)));
        int compared = 0;
        foreach (JsonProperty setting in document.RootElement.EnumerateObject())
        {
            var positions = new RelativePositions(setting.Value.GetProperty("position_buckets").GetInt32(), setting.Value.GetProperty("max_position").GetInt32());
            int distance = 0;
            foreach (JsonElement bucket in setting.Value.GetProperty("bucket_of_abs_rel").EnumerateArray())
            {
                int expected = bucket.GetInt32();
                Assert.True(positions.Bucket(distance) == expected, $"{setting.Name}: distance {distance} is in bucket {positions.Bucket(distance)}, {expected} was expected");
                Assert.Equal(-expected, positions.Bucket(-distance));
                distance++;
                compared++;
            }
        }

        Assert.NotEqual(0, compared);
    }

    [Theory]
    [GoldenFamilies(GoldenKind.Encoder, "buckets.json")]
    public void MPNetsTableAgrees(string family)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(GoldenTraces.At(family, "buckets.json")));
        JsonElement setting = document.RootElement.GetProperty($"{BucketedBias.Buckets}");
        int distance = -setting.GetProperty("memory_minus_query")[0].GetInt32();
        Assert.All(setting.GetProperty("bucket").EnumerateArray(), bucket => Assert.Equal(bucket.GetInt32(), BucketedBias.Bucket(distance--)));
        Assert.Equal(-setting.GetProperty("memory_minus_query")[1].GetInt32() - 1, distance);
    }

    [Theory]
    [GoldenFamilies(GoldenKind.DebertaV3, "outputs.safetensors")]
    [GoldenFamilies(GoldenKind.Clamp, "outputs.safetensors")]
    public void PositionsOfABatchAgree(string family)
    {
        var config = (DebertaV2Config)EncoderConfigReader.FromFolder(GoldenTraces.At(family));
        var positions = new RelativePositions(config.PositionBuckets, config.Reach);
        using var outputs = new TraceFile(GoldenTraces.At(family, "outputs.safetensors"));
        int[] expected = outputs.Ints("relative_pos");
        int length = outputs.Shape("relative_pos")[0];
        (int first, int count, int[] rows) = positions.Rows(length);
        for (int query = 0; query < length; query++)
        {
            for (int key = 0; key < length; key++)
            {
                int bucket = expected[(query * length) + key];
                Assert.Equal(bucket, positions.Bucket(query - key));
                int row = Math.Clamp(bucket + positions.Span, 0, (2 * positions.Span) - 1);
                Assert.Equal(row, first + rows[query - key + length - 1]);
            }
        }

        Assert.InRange(first + count, 1, 2 * positions.Span);
    }
}
