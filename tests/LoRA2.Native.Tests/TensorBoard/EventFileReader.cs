using System.Buffers.Binary;
using Google.Protobuf;

namespace LoRA2.Native.Tests.TensorBoard;

/// <summary>A value read from an event file.</summary>
internal readonly record struct Scalar(string Tag, long Step, float Value);

/// <summary>Reads event files by a decoder of its own: bitwise CRCs, protobuf field by field.</summary>
internal static class EventFileReader
{
    /// <summary>The scalars of the only event file in a folder, after checks of every CRC and of the first event.</summary>
    public static Scalar[] ReadOnly(string folder) => Read(Assert.Single(Directory.GetFiles(folder)));

    public static Scalar[] Read(string path) => Read(path, mayBeCutOff: false);

    /// <summary>Those of the events that are there whole.</summary>
    public static Scalar[] ReadWhole(string path) => Read(path, mayBeCutOff: true);

    private static Scalar[] Read(string path, bool mayBeCutOff)
    {
        Assert.Contains("tfevents", Path.GetFileName(path), StringComparison.Ordinal);
        byte[] content = File.ReadAllBytes(path);
        var scalars = new List<Scalar>();
        int events = 0;
        for (int start = 0; start < content.Length; events++)
        {
            ReadOnlySpan<byte> rest = content.AsSpan(start);
            if (mayBeCutOff && (rest.Length < 12 || rest.Length < 16 + (long)BinaryPrimitives.ReadUInt64LittleEndian(rest))) break;
            int length = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(rest));
            Assert.Equal(Masked(rest[..8]), BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]));
            Assert.Equal(Masked(rest.Slice(12, length)), BinaryPrimitives.ReadUInt32LittleEndian(rest[(12 + length)..]));
            (string? version, Scalar? scalar) = Event(rest.Slice(12, length).ToArray());
            Assert.Equal(events == 0 ? "brain.Event:2" : null, version);
            if (scalar is { } value) scalars.Add(value);
            start += 16 + length;
        }

        return [.. scalars];
    }

    private static (string? Version, Scalar? Scalar) Event(byte[] bytes)
    {
        var input = new CodedInputStream(bytes);
        (double time, long step, string? version, Scalar? scalar) = (0, 0, null, null);
        while (input.ReadTag() is var tag and not 0)
        {
            if (tag == WireFormat.MakeTag(1, WireFormat.WireType.Fixed64)) time = input.ReadDouble();
            else if (tag == WireFormat.MakeTag(2, WireFormat.WireType.Varint)) step = input.ReadInt64();
            else if (tag == WireFormat.MakeTag(3, WireFormat.WireType.LengthDelimited)) version = input.ReadString();
            else if (tag == WireFormat.MakeTag(5, WireFormat.WireType.LengthDelimited)) scalar = Summary(input.ReadBytes().ToByteArray(), step);
            else Assert.Fail($"tag {tag} in an event");
        }

        Assert.InRange(time, 1.7e9, 1e10);
        return (version, scalar);
    }

    private static Scalar Summary(byte[] bytes, long step)
    {
        var summary = new CodedInputStream(bytes);
        Assert.Equal(WireFormat.MakeTag(1, WireFormat.WireType.LengthDelimited), summary.ReadTag());
        var value = new CodedInputStream(summary.ReadBytes().ToByteArray());
        Assert.True(summary.IsAtEnd);
        Assert.Equal(WireFormat.MakeTag(1, WireFormat.WireType.LengthDelimited), value.ReadTag());
        string tag = value.ReadString();
        Assert.Equal(WireFormat.MakeTag(2, WireFormat.WireType.Fixed32), value.ReadTag());
        float number = value.ReadFloat();
        Assert.True(value.IsAtEnd);
        return new Scalar(tag, step, number);
    }

    private static uint Masked(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte value in bytes)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82F63B78 : crc >> 1;
        }

        crc = ~crc;
        return unchecked(((crc >> 15) | (crc << 17)) + 0xa282ead8);
    }
}
