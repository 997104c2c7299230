using System.Buffers.Binary;
using System.Text;

namespace LoRA2.Native.Safetensors.Tests;

/// <summary>Bytes of a file put together by hand, so that a test can say exactly what is wrong with it.</summary>
internal static class RawSafetensors
{
    public static byte[] Of(string json, int dataBytes) => Of(Encoding.UTF8.GetBytes(json), dataBytes);

    public static byte[] Of(byte[] json, int dataBytes)
    {
        byte[] file = new byte[8 + json.Length + dataBytes];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        return file;
    }
}
